use crate::{Options, open};
use storage::{
    Shard,
    contract::{Factory, concatenate},
};
use tempfile::TempDir;

/// A directory that goes away with the test.
struct Directory {
    root: TempDir,
    open_files_max: Option<usize>,
}

impl Directory {
    fn new(open_files_max: Option<usize>) -> Self {
        Directory {
            root: tempfile::tempdir().unwrap(),
            open_files_max,
        }
    }
}

impl Factory for Directory {
    fn open(&self) -> Shard {
        let options = Options {
            merge: Some(concatenate()),
            address: "here".to_owned(),
            open_files_max: self.open_files_max,
        };
        open(self.root.path(), options).unwrap()
    }
}

storage::contract_tests!(Directory::new(None));

/// The same, with hardly any file open at a time.
mod with_few_open_files {
    use super::Directory;

    storage::contract_tests!(Directory::new(Some(2)));
}

/// What ages entries that tell no time.
#[tokio::test]
async fn a_chunk_remembers_when_it_was_written() {
    let directory = Directory::new(None);
    let shard = directory.open();
    let options = storage::contract::options(storage::Durability::Written);
    let log = shard.logs.open("log", options).await.unwrap();
    log.append(&[storage::contract::entry_of(0, 100)]).unwrap();
    log.roll().unwrap();
    log.append(&[storage::contract::entry_of(1, 100)]).unwrap();
    let long_ago_ms = 1_600_000_000_000;
    for first in [0, 1] {
        assert!(
            log.written_ms(first).is_some_and(|ms| ms > long_ago_ms),
            "{first}"
        );
    }
    assert_eq!(log.written_ms(7), None);
    assert!(shard.logs.volume().is_some_and(|volume| volume.bytes > 0));
}
