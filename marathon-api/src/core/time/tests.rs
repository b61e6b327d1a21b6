use super::*;
use proptest::prelude::*;

#[test]
fn moments_are_written_as_the_original_writes_them() {
    assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000Z");
    assert_eq!(Timestamp(951_827_696_789).to_string(), "2000-02-29T12:34:56.789Z");
    assert_eq!(
        Timestamp::parse("2000-02-29T12:34:56.789Z"),
        Some(Timestamp(951_827_696_789))
    );
    assert_eq!(
        Timestamp::parse("2000-02-29T12:34:56Z"),
        Some(Timestamp(951_827_696_000))
    );
    assert_eq!(
        Timestamp::parse("2000-02-29T12:34:56.789123Z"),
        Some(Timestamp(951_827_696_789))
    );
    for text in [
        "",
        "Z",
        "2000-02-29",
        "2000-13-01T00:00:00Z",
        "x-02-29T12:34:56Z",
        "2000-02-29T-1:34:56Z",
    ] {
        assert_eq!(Timestamp::parse(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(ms in 0_i64..253_402_300_799_999) {
        prop_assert_eq!(Timestamp::parse(&Timestamp(ms).to_string()), Some(Timestamp(ms)));
    }

    #[test]
    fn nothing_harms(text in ".{0,40}") {
        let _ = Timestamp::parse(&text);
    }
}
