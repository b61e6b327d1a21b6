use super::*;

#[test]
fn a_folder_of_kafkas_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refuse_kafkas_own(folder.path()).is_ok());
    std::fs::write(folder.path().join(OF_KAFKA), "version=1\n").unwrap();
    let why = refuse_kafkas_own(folder.path()).unwrap_err().to_string();
    assert!(why.contains("holds the data of Apache Kafka"), "{why}");
}
