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
