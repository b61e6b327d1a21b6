use super::*;
use proptest::prelude::*;

fn bytes(version: u8, flags: u8, stream: i16, opcode: u8, length: u32) -> [u8; HEADER_BYTES] {
    let mut all = [version, flags, 0, 0, opcode, 0, 0, 0, 0];
    all[2..4].copy_from_slice(&stream.to_be_bytes());
    all[5..].copy_from_slice(&length.to_be_bytes());
    all
}

fn refusal(bytes: [u8; HEADER_BYTES], agreed: Option<Version>) -> (u8, i16, String) {
    let refused = Header::read(&bytes, agreed).unwrap_err();
    (refused.version, refused.stream, refused.error.to_string())
}

#[test]
fn probes_are_refused_as_the_original_does() {
    let supported = "supported versions are (3/v3, 4/v4, 5/v5, 6/v6-beta)";
    for number in [7, 65, 66, 127] {
        let text = format!("Invalid or unsupported protocol version ({number}); {supported}");
        assert_eq!(refusal(bytes(number, 0, 9, 5, 0), None), (5, 9, text));
    }
    for number in [1, 2] {
        let text = format!("Invalid or unsupported protocol version ({number}); {supported}");
        assert_eq!(refusal(bytes(number, 0, 9, 5, 0), None), (number, 0, text));
    }
    let text = "Beta version of the protocol used (6/v6-beta), but USE_BETA flag is unset";
    assert_eq!(refusal(bytes(6, 0, 1, 5, 0), None), (6, 1, text.to_owned()));
    assert!(Header::read(&bytes(6, flags::BETA, 1, 5, 0), None).is_ok());
}

#[test]
fn opcodes_are_refused_as_the_original_does() {
    assert_eq!(
        refusal(bytes(4, 0, 1, 0x20, 0), None),
        (5, 1, "Unknown opcode 32".to_owned())
    );
    assert_eq!(refusal(bytes(4, 0, 1, 0x20, 0), Some(Version::V4)).0, 4);
    let text = "Wrong protocol direction (expected RESPONSE, got REQUEST) for opcode 8 (RESULT)";
    assert_eq!(refusal(bytes(4, 0, 1, 8, 0), None).2, text);
    let text = "Wrong protocol direction (expected REQUEST, got RESPONSE) for opcode 5 (OPTIONS)";
    assert_eq!(refusal(bytes(0x84, 0, 1, 5, 0), None).2, text);
    let text = "Invalid message version. Got 3/v3 but previous messages on this connection had version 4/v4";
    assert_eq!(refusal(bytes(3, 0, 1, 5, 0), Some(Version::V4)).2, text);
    let text = "Invalid message version. Got 4/v4 but previousmessages on this connection had version 5/v5";
    assert_eq!(refusal(bytes(4, 0, 1, 5, 0), Some(Version::V5)).2, text);
}

proptest! {
    #[test]
    fn any_header_is_taken_or_refused(all in any::<[u8; HEADER_BYTES]>(), agreed in 2u8..7) {
        match Header::read(&all, Version::of(agreed)) {
            Ok(header) => {
                let again = bytes(header.version.number(), header.flags, header.stream, header.opcode as u8, header.length);
                prop_assert_eq!(again, all);
            }
            Err(refused) => prop_assert!(matches!(refused.error, CqlError::Protocol(_))),
        }
    }
}
