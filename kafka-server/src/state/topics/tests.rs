use super::*;

#[test]
fn every_new_owner_of_the_store_is_a_new_leader() {
    let mut record = TopicRecord {
        name: "t".to_owned(),
        id: [7; 16],
        partitions: 6,
        config: BTreeMap::new(),
        made_under: BTreeMap::from([(0, 3), (4, 5)]),
    };
    let stored = to_json(FORMAT, &record).unwrap();
    assert_eq!(from_json::<TopicRecord>(FORMAT, &stored).unwrap(), record);
    assert_eq!(
        [0, 3, 4, 5].map(|index| record.leader_epoch(index, 6)),
        [3, 3, 1, 1]
    );
    assert_eq!(record.leader_epoch(4, 5), 0, "the one that made it");
    // Made before epochs were kept.
    let old = br#"{"name":"t","id":[7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7],"partitions":6,"config":{}}"#;
    record.made_under.clear();
    let stored = [&[FORMAT], &old[..]].concat();
    assert_eq!(from_json::<TopicRecord>(FORMAT, &stored).unwrap(), record);
    assert_eq!(record.leader_epoch(4, 6), 6);
}
