use super::*;

fn place() -> Place {
    (Arc::from("topic"), 7)
}

#[test]
fn a_group_id_with_zero_bytes_is_read_back() {
    let key = offset_key("a\0b\0", &place());
    assert_eq!(parse_key(&key), Some((Arc::from("a\0b\0"), place())));
    let key = pending_key("a\0b", -5, &place());
    assert_eq!(parse_pending_key(&key), Some((Arc::from("a\0b"), -5, place())));
}

#[test]
fn an_offset_is_read_back_and_a_torn_one_is_refused() {
    let committed = Committed {
        offset: 42,
        leader_epoch: -1,
        metadata: "note".into(),
        committed_at_ms: 1000,
        expires_at_ms: None,
    };
    let mut value = Vec::new();
    encode(&mut value, &committed);
    assert_eq!(read(&value), Some(committed));
    assert_eq!(read(&value[..FIXED_BYTES - 1]), None);
}
