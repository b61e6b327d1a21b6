use super::*;

fn reader(bytes: &'static [u8]) -> Reader {
    Reader::new(Bytes::from_static(bytes))
}

fn said<T>(result: Result<T>) -> String {
    match result {
        Err(CqlError::Protocol(text)) => text,
        _ => String::new(),
    }
}

#[test]
fn what_is_too_short_is_said_in_the_originals_words() {
    let string = "Not enough bytes to read an UTF8 serialized string preceded by its 2 bytes length";
    assert_eq!(said(reader(b"\0\x05abc").string()), string);
    assert_eq!(said(reader(b"\0").string()), string);
    let long = "Not enough bytes to read an UTF8 serialized string preceded by its 4 bytes length";
    assert_eq!(said(reader(b"\0\0\0\x10abc").long_string()), long);
    assert_eq!(said(reader(b"\xff\xff\xff\xff").long_string()), long);
    assert_eq!(said(reader(b"").long_string()), long);
    let array = "Not enough bytes to read a byte array preceded by its 2 bytes length";
    assert_eq!(said(reader(b"\0\x05abc").short_bytes()), array);
    let utf8 =
        "Cannot decode string as UTF8: 'fffe'; java.nio.charset.MalformedInputException: Input length = 1";
    assert_eq!(said(reader(b"\0\0\0\x02\xff\xfe").long_string()), utf8);
}

#[test]
fn values_are_set_null_or_unset() {
    assert_eq!(
        reader(b"\0\0\0\x02ab").value(Version::V3),
        Ok(Value::Set(Bytes::from_static(b"ab")))
    );
    assert_eq!(
        reader(b"\0\0\0\0").value(Version::V4),
        Ok(Value::Set(Bytes::new()))
    );
    assert_eq!(reader(b"\xff\xff\xff\xff").value(Version::V4), Ok(Value::Null));
    assert_eq!(reader(b"\xff\xff\xff\xfe").value(Version::V4), Ok(Value::Unset));
    assert_eq!(reader(b"\xff\xff\xff\xfe").value(Version::V3), Ok(Value::Null));
    assert_eq!(
        said(reader(b"\xff\xff\xff\xf0").value(Version::V5)),
        "Invalid ByteBuf length -16"
    );
    assert!(reader(b"\x7f\xff\xff\xffab").value(Version::V5).is_err());
}

#[test]
fn a_count_beyond_the_body_allocates_nothing() {
    assert!(reader(b"\xff\xff").string_list().is_err());
    assert!(reader(b"\xff\xff\0\0").string_map().is_err());
    assert!(reader(b"\0\x01\0\x01a\xff\xff\xff\xff").bytes_map().is_ok());
}
