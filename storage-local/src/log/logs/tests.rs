use super::*;

#[test]
fn folders_are_names_and_back() {
    for text in [
        "plain-1",
        ".",
        "..",
        ".removed-1",
        "a/b",
        "a\\b",
        "%",
        "%41",
        "ä\u{0}",
        "UPPER_lower",
    ] {
        let folder = folder(text).unwrap();
        assert!(
            folder.bytes().all(|byte| is_plain(byte) || byte == b'%'),
            "{folder}"
        );
        assert!(!folder.starts_with('.'), "{folder}");
        assert_eq!(name(&folder).as_deref(), Some(text));
    }
    assert!(folder("").is_err());
    assert!(folder(&"x".repeat(256)).is_err());
    assert_eq!(name(".removed-7-0"), None);
    assert_eq!(name("%4"), None);
    assert_eq!(name("%zz"), None);
}
