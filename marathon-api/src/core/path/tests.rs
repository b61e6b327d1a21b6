use super::*;

#[test]
fn paths_are_seen_from_their_base() {
    let base = PathId::new("/a/b");
    for (text, path) in [
        ("c", "/a/b/c"),
        ("/c", "/c"),
        ("../c", "/a/c"),
        ("./c/", "/a/b/c"),
        ("", "/a/b"),
        ("../../../x", "/x"),
    ] {
        assert_eq!(PathId::from_base(text, &base).as_str(), path, "{text}");
    }
    assert_eq!(base.parent().as_str(), "/a");
    assert_eq!(base.parent().parent(), PathId::root());
    assert_eq!((base.safe().as_str(), base.host_name().as_str()), ("a_b", "b.a"));
    assert_eq!(PathId::from_safe("a_b"), base);
    assert!(base.is_below(&PathId::new("/a")) && base.is_below(&PathId::root()));
    assert!(!PathId::new("/ab").is_below(&PathId::new("/a")) && !base.is_below(&base));
}

#[test]
fn parts_are_those_of_host_names() {
    for (text, valid) in [
        ("/a-1/b.c", true),
        ("/A", false),
        ("/a_b", false),
        ("/-a", false),
        ("/a..b", false),
        ("/a b", false),
    ] {
        assert_eq!(PathId::new(text).is_valid(), valid, "{text}");
    }
}
