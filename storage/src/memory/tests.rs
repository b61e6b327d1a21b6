use super::*;
use crate::{
    Batch, Durability, StorageError,
    contract::{Factory, concatenate},
};
use bytes::Bytes;

impl Factory for Store {
    fn open(&self) -> Shard {
        Store::open(self)
    }
}

crate::contract_tests!(Store::new(Some(concatenate())));

#[tokio::test]
async fn a_second_owner_fences_the_first() {
    let store = Store::default();
    let first = store.open();
    let mut batch = Batch::default();
    batch.put(Bytes::from_static(b"key"), Bytes::from_static(b"value"));
    first.kv.commit(batch.clone(), Durability::Written).await.unwrap();
    let second = store.open();
    assert!(second.lease.epoch() > first.lease.epoch());
    let refused = first.kv.commit(batch, Durability::Written).await;
    assert!(matches!(refused, Err(StorageError::Fenced)));
    first.lease.lost().await.unwrap();
    assert_eq!(
        second.kv.get(b"key").await.unwrap(),
        Some(Bytes::from_static(b"value"))
    );
}
