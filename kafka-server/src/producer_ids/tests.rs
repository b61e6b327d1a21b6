use super::{BLOCK_IDS, ProducerIds};
use storage::memory;

#[tokio::test]
async fn ids_ascend_across_blocks() {
    let ids = ProducerIds::new(memory::shard().kv);
    for expected in 0..BLOCK_IDS + 5 {
        assert_eq!(ids.next().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_restart_skips_the_rest_of_the_block() {
    let store = memory::Store::default();
    let before = ProducerIds::new(store.open().kv);
    assert_eq!(before.next().await.unwrap(), 0);
    let after = ProducerIds::new(store.open().kv);
    assert_eq!(after.next().await.unwrap(), BLOCK_IDS);
}

#[tokio::test]
async fn an_owner_that_was_replaced_gets_no_new_block() {
    let store = memory::Store::default();
    let before = ProducerIds::new(store.open().kv);
    let after = ProducerIds::new(store.open().kv);
    assert_eq!(after.next().await.unwrap(), 0);
    assert!(before.next().await.is_err());
}
