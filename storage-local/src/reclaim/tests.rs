use crate::Options;
use std::{fs, io, path::Path, time::Duration};
use storage::{Batch, Durability, Kv, Op, Scan};

const VALUE_BYTES: usize = 4096;
const KEYS: usize = 4096;
/// How often it is looked, 20 ms apart: for a machine that is busy with other things.
const LOOKS_MAX: usize = 6000;

fn bytes_of(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        // A file may go while it is looked at.
        bytes += entry?.metadata().map_or(0, |file| file.len());
    }
    Ok(bytes)
}

/// Bytes that do not compress.
fn noise(seed: usize) -> Vec<u8> {
    let mut state = seed as u64 * 2 + 1;
    let next = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..VALUE_BYTES).map(next).collect()
}

async fn fill(kv: &dyn Kv) {
    for first in (0..KEYS).step_by(64) {
        let mut batch = Batch::default();
        for key in first..first + 64 {
            batch.put(format!("a{key:06}"), noise(key));
        }
        kv.commit(batch, Durability::Written).await.unwrap();
    }
}

/// Removes by `op` what was written, and waits for the files to shrink.
async fn shrinks(ops: Vec<Op>) {
    let folder = tempfile::tempdir().unwrap();
    let shard = crate::open(folder.path(), Options::default()).unwrap();
    fill(&*shard.kv).await;
    let files = folder.path().join("kv");
    let before = bytes_of(&files).unwrap();
    assert!(before > (KEYS * VALUE_BYTES) as u64, "{before} bytes");
    let batch = Batch {
        ops,
        ..Batch::default()
    };
    shard.kv.commit(batch, Durability::Written).await.unwrap();
    shard.kv.reclaim(&Scan::prefix(b"a"));
    for _ in 0..LOOKS_MAX {
        if bytes_of(&files).unwrap() < before / 4 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let now = bytes_of(&files).unwrap();
    panic!("{now} of {before} bytes are still there");
}

#[tokio::test]
async fn files_shrink_when_a_range_was_removed() {
    shrinks(vec![Op::DeleteRange("a".into(), "b".into())]).await;
}

#[tokio::test]
async fn files_shrink_when_keys_were_removed() {
    shrinks(
        (0..KEYS)
            .map(|key| Op::Delete(format!("a{key:06}").into()))
            .collect(),
    )
    .await;
}
