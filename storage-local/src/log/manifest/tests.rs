use super::*;

#[test]
fn manifests_are_read_as_written_or_refused() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().join("log");
    assert_eq!(Manifest::load(&dir).unwrap(), None);
    let manifest = Manifest {
        start: 7,
        floor: 2,
        closed: vec![Closed {
            base: 5,
            generation: 1,
            bytes: 1234,
            timestamp_max_ms: None,
        }],
        active: 90,
        active_generation: 2,
        checked_bytes: 55,
        checked_end: 95,
    };
    manifest.store(&dir).unwrap();
    assert_eq!(Manifest::load(&dir).unwrap(), Some(manifest.clone()));
    let raw = manifest.encode();
    for at in 0..raw.len() {
        let mut garbled = raw.clone();
        garbled[at] ^= 0x40;
        assert_eq!(Manifest::decode(&garbled), None);
        assert_eq!(Manifest::decode(&raw[..at]), None);
    }
    std::fs::write(dir.join(NAME), b"nonsense").unwrap();
    assert!(matches!(Manifest::load(&dir), Err(StorageError::Corrupt(_))));
}
