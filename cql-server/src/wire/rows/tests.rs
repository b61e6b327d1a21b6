use super::*;

#[test]
fn cells_are_bytes_and_null_is_not_empty() {
    let mut rows = RowsWriter::with_capacity(16);
    rows.cell(Some(b"ab"));
    rows.cell(None);
    rows.end_row();
    rows.cell(Some(b""));
    rows.cell(Some(&[7]));
    rows.end_row();
    assert_eq!(rows.count(), 2);
    let rows = rows.finish(Arc::from([]), None);
    assert_eq!(
        rows.content[..],
        *b"\0\0\0\x02ab\xff\xff\xff\xff\0\0\0\0\0\0\0\x01\x07"
    );
    assert_eq!(rows.count, 2);
}
