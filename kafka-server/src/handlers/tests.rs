use super::TABLE;

#[test]
fn the_table_is_sorted_by_key() {
    assert!(TABLE.windows(2).all(|pair| pair[0].key < pair[1].key));
}
