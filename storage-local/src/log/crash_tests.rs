//! Crashes as they really happen: a killed process, torn and garbled files, changes that stopped half way, a full disk.

use crate::{Options, lease::LockFile, open};
use proptest::prelude::*;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};
use storage::{
    Batch, Durability, Log, LogOptions, Shard, StorageError,
    contract::{entry_of, options, read_all},
};

/// Tells a child of these tests which directory is its.
const DIRECTORY: &str = "STORAGE_LOCAL_CRASH_DIRECTORY";

fn shard(path: &Path) -> Shard {
    open(path, Options::default()).unwrap()
}

fn opened(shard: &Shard, options: LogOptions) -> Arc<dyn Log> {
    let opening = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(shard.logs.open("log", options)).unwrap()
    };
    // Another thread, because a runtime may not wait within one.
    std::thread::scope(|scope| scope.spawn(opening).join().unwrap())
}

fn folder(path: &Path) -> PathBuf {
    path.join("logs").join("log")
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Waits until nobody owns the directory any more: the threads of one that was dropped finish what they are at.
fn let_go(path: &Path) {
    drop(LockFile::take(path).unwrap());
}

fn child(test: &str, directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture", "--ignored"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped());
    command
}

/// Not a test by itself: appends, commits, rolls, settles, rewrites and trims until it is killed, and says what was
/// acknowledged.
#[tokio::test]
#[ignore = "started, and killed, by kill_9_loses_nothing_acknowledged"]
async fn child_appends_until_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let shard = shard(Path::new(&directory));
    let out = std::io::stdout();
    let written = opened(&shard, options(Durability::Written));
    let synced = shard
        .logs
        .open("synced", options(Durability::Synced))
        .await
        .unwrap();
    loop {
        let at = written.range().end;
        written
            .append(&[entry_of(at, 300)])
            .unwrap()
            .ticket
            .wait()
            .await
            .unwrap();
        if at % 50 == 20 {
            let end = synced.range().end;
            let tickets: Vec<_> = (end..end + 8)
                .map(|at| synced.append(&[entry_of(at, 500)]).unwrap().ticket)
                .collect();
            for ticket in tickets {
                ticket.wait().await.unwrap();
            }
            let mut batch = Batch::default();
            batch.put(format!("key {}", end + 8), "kept");
            shard.kv.commit(batch, Durability::Written).await.unwrap();
            writeln!(out.lock(), "\nsynced {}", end + 8).unwrap();
        }
        if at % 200 == 150 {
            let first = synced.chunks()[0];
            let kept = read_all(&*synced, first.first, 1 << 20).await;
            let kept = kept.iter().filter(|meta| meta.last < first.end);
            synced
                .rewrite(
                    first.first..first.end,
                    kept.map(|meta| entry_of(meta.first, 200)).collect(),
                )
                .await
                .unwrap();
        }
        writeln!(out.lock(), "\nwritten {}", at + 1).unwrap();
        if at % 70 == 60 {
            written.settle().await.unwrap();
        }
    }
}

#[tokio::test]
async fn kill_9_loses_nothing_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let (mut written, mut synced) = (0, 0);
    for round in 0..5u64 {
        let mut child = child("log::crash_tests::child_appends_until_killed", directory.path())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let stop = written + 300 + round * 157;
        let mut killed = false;
        for line in lines {
            let line = line.unwrap();
            if let Some(end) = line.strip_prefix("written ") {
                written = end.parse().unwrap();
            } else if let Some(end) = line.strip_prefix("synced ") {
                synced = end.parse().unwrap();
            }
            if !killed && written >= stop {
                child.kill().unwrap();
                killed = true;
            }
        }
        child.wait().unwrap();
        assert!(killed, "the child ended by itself");
        let shard = shard(directory.path());
        for (name, acknowledged) in [("log", written), ("synced", synced)] {
            let log = shard.logs.open(name, options(Durability::Written)).await.unwrap();
            let range = log.range();
            assert!(
                range.end >= acknowledged,
                "{name} ends at {} of {acknowledged}",
                range.end
            );
            let found: Vec<u64> = read_all(&*log, 0, 1 << 16)
                .await
                .iter()
                .map(|meta| meta.first)
                .collect();
            assert_eq!(found, (0..range.end).collect::<Vec<_>>(), "{name}");
        }
        let key = format!("key {synced}");
        assert!(shard.kv.get(key.as_bytes()).await.unwrap().is_some(), "{key}");
    }
}

#[test]
fn a_second_process_is_told_who_holds_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let lock = directory.path().join("LOCK");
    let mut holder = Command::new("flock")
        .arg(&lock)
        .args(["sh", "-c"])
        .arg(format!(
            "echo format 1 pid $$ epoch 7 > {}; echo ready; exec sleep 60",
            lock.display()
        ))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let refused = open(directory.path(), Options::default())
        .err()
        .unwrap()
        .to_string();
    let pid = fs::read_to_string(&lock)
        .unwrap()
        .split_whitespace()
        .nth(3)
        .unwrap()
        .to_owned();
    holder.kill().unwrap();
    holder.wait().unwrap();
    let _ = Command::new("kill").arg(&pid).status();
    assert!(
        refused.contains(&format!("is in use by process {pid}")),
        "{refused}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to the bytes behind a point, every entry before it stays, and what stays is a prefix.
    #[test]
    fn a_damaged_tail_is_cut(
        sizes in prop::collection::vec(40usize..900, 1..40),
        damage_at in 0.0f64..1.0,
        garbage in prop::collection::vec(any::<u8>(), 0..200),
        cut in any::<bool>(),
        checkpoint in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(damaged(&sizes, damage_at, &garbage, cut, checkpoint));
    }
}

async fn damaged(sizes: &[usize], damage_at: f64, garbage: &[u8], cut: bool, checkpoint: bool) {
    let directory = tempfile::tempdir().unwrap();
    let mut one_chunk = options(Durability::Written);
    one_chunk.chunk_bytes_max = 1 << 20;
    let held = shard(directory.path());
    let log = opened(&held, one_chunk.clone());
    let mut safe = 0;
    for (offset, bytes) in sizes.iter().enumerate() {
        log.append(&[entry_of(offset as u64, *bytes)]).unwrap();
        if checkpoint && offset == sizes.len() / 2 {
            // The first offset held moves to the front of what there is: only the recovery point is new.
            log.trim(1.min(offset as u64)).await.unwrap();
            safe = log.range().bytes;
        }
    }
    let total = log.range().bytes;
    let start = log.range().start;
    drop((log, held));
    let_go(directory.path());
    let name = names(&folder(directory.path()))
        .into_iter()
        .find(|name| name.ends_with(".log"))
        .unwrap();
    let path = folder(directory.path()).join(name);
    // What was synced behind a recovery point is not torn by a crash.
    let at = safe + ((total - safe) as f64 * damage_at) as u64;
    let mut bytes = fs::read(&path).unwrap();
    if cut {
        bytes.truncate(at as usize);
    }
    let before = bytes.clone();
    let end = (at as usize + garbage.len()).min(bytes.len().max(at as usize));
    bytes.resize(bytes.len().max(end), 0);
    let length = end - at as usize;
    bytes[at as usize..end].copy_from_slice(&garbage[..length]);
    bytes.extend_from_slice(&garbage[length..]);
    fs::write(&path, &bytes).unwrap();
    let first_changed = before.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
    let mut position = 0;
    let kept = sizes.iter().take_while(|bytes| {
        position += **bytes;
        position <= first_changed.min(before.len())
    });
    let kept = kept.count() as u64;

    let held = shard(directory.path());
    let log = opened(&held, one_chunk);
    let found: Vec<u64> = read_all(&*log, start, 1 << 16)
        .await
        .iter()
        .map(|meta| meta.first)
        .collect();
    assert_eq!(found, (start..kept.max(start)).collect::<Vec<_>>());
    let end = log.range().end;
    log.append(&[entry_of(end, 99)]).unwrap();
    assert_eq!(read_all(&*log, end, 1).await.len(), 1);
}

#[tokio::test]
async fn what_was_settled_is_not_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut one_chunk = options(Durability::Written);
    one_chunk.chunk_bytes_max = 1 << 20;
    let held = shard(directory.path());
    let log = opened(&held, one_chunk.clone());
    for offset in 0..10 {
        log.append(&[entry_of(offset, 300)]).unwrap();
    }
    log.settle().await.unwrap();
    for offset in 10..20 {
        log.append(&[entry_of(offset, 300)]).unwrap();
    }
    drop((log, held));
    let_go(directory.path());
    let folder = folder(directory.path());
    let is_segment = |name: &String| name.ends_with(".log");
    let path = folder.join(names(&folder).into_iter().find(is_segment).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    // Behind the settled bytes a damage ends the log; before, nobody looks: such bytes are not torn by a crash.
    for at in [5 * 300 + 150, 15 * 300 + 150] {
        bytes[at] ^= 1;
    }
    fs::write(&path, &bytes).unwrap();
    let held = shard(directory.path());
    let log = opened(&held, one_chunk);
    assert_eq!((log.range().end, log.range().bytes), (15, 15 * 300));
}

/// Entries of a log in `path`, as offset and length.
async fn contents(path: &Path) -> (u64, Vec<(u64, u32)>) {
    let shard = shard(path);
    let log = opened(&shard, options(Durability::Written));
    let metas = read_all(&*log, log.range().start, 1 << 16).await;
    (
        log.range().end,
        metas.iter().map(|meta| (meta.first, meta.bytes)).collect(),
    )
}

/// Puts together every directory that a crash between two steps of `change` leaves behind.
async fn interrupted<F: AsyncFn(&dyn Log)>(change: F) {
    let directory = tempfile::tempdir().unwrap();
    let before = directory.path().join("before");
    let after = directory.path().join("after");
    {
        let shard = shard(&before);
        let log = opened(&shard, options(Durability::Written));
        for offset in 0..30 {
            log.append(&[entry_of(offset, 1000)]).unwrap();
        }
        log.trim(1).await.unwrap();
    }
    let_go(&before);
    copy_dir(&before, &after);
    {
        let shard = shard(&after);
        let log = opened(&shard, options(Durability::Written));
        change(&*log).await;
    }
    let_go(&after);
    let (old, new) = (names(&folder(&before)), names(&folder(&after)));
    let expected_before = contents(&before).await;
    let_go(&before);
    let fresh: Vec<&String> = new.iter().filter(|name| !old.contains(name)).collect();
    // New files are there, whole or in part, but the manifest does not know them.
    for step in 0..=fresh.len() {
        for torn in [false, true] {
            let crashed = directory.path().join(format!("aside-{step}-{torn}"));
            copy_dir(&before, &crashed);
            fs::write(folder(&crashed).join("manifest.new"), b"half").unwrap();
            for name in &fresh[..step] {
                let bytes = fs::read(folder(&after).join(name)).unwrap();
                let length = if torn { bytes.len() / 2 } else { bytes.len() };
                fs::write(folder(&crashed).join(name), &bytes[..length]).unwrap();
            }
            assert_eq!(
                contents(&crashed).await,
                expected_before,
                "step {step}, torn {torn}"
            );
            assert!(
                !names(&folder(&crashed)).iter().any(|name| fresh.contains(&name)),
                "garbage is removed"
            );
        }
    }
    // The manifest knows the new files, and the old ones are still there, all or some.
    let expected_after = contents(&after).await;
    let_go(&after);
    let stale: Vec<&String> = old.iter().filter(|name| !new.contains(name)).collect();
    for step in 0..=stale.len() {
        let crashed = directory.path().join(format!("replaced-{step}"));
        copy_dir(&after, &crashed);
        for name in &stale[step..] {
            fs::copy(folder(&before).join(name), folder(&crashed).join(name)).unwrap();
        }
        assert_eq!(contents(&crashed).await, expected_after, "step {step}");
    }
}

#[tokio::test]
async fn an_interrupted_rewrite_happened_or_did_not() {
    interrupted(async |log: &dyn Log| {
        let kept = [2, 5, 6, 7, 9, 14, 15].map(|offset| entry_of(offset, 1100));
        log.rewrite(4..13, kept[1..].to_vec()).await.unwrap();
    })
    .await;
    interrupted(async |log: &dyn Log| log.rewrite(0..13, Vec::new()).await.unwrap()).await;
}

#[tokio::test]
async fn an_interrupted_truncation_happened_or_did_not() {
    interrupted(async |log: &dyn Log| log.truncate(10).await.unwrap()).await;
    interrupted(async |log: &dyn Log| log.truncate(12).await.unwrap()).await;
}

#[tokio::test]
async fn an_interrupted_trim_happened_or_did_not() {
    interrupted(async |log: &dyn Log| log.trim(13).await.unwrap()).await;
}

#[tokio::test]
async fn trimmed_segments_are_zeroed_and_used_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut large = options(Durability::Synced);
    large.chunk_bytes_max = 1 << 20;
    {
        let shard = shard(directory.path());
        let log = opened(&shard, large.clone());
        for offset in 0..40 {
            log.append(&[entry_of(offset, 100_000)])
                .unwrap()
                .ticket
                .wait()
                .await
                .unwrap();
        }
        log.trim(25).await.unwrap();
        let spares = || names(&directory.path().join("spares")).len();
        let kept = spares();
        assert!(kept > 0);
        // They are zeroed in the background.
        while spares() == kept {
            let end = log.range().end;
            assert!(end < 1000, "no spare is ever used");
            log.append(&[entry_of(end, 100_000)])
                .unwrap()
                .ticket
                .wait()
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let end = log.range().end;
        log.append(&[entry_of(end, 100_000)])
            .unwrap()
            .ticket
            .wait()
            .await
            .unwrap();
    }
    let shard = shard(directory.path());
    let log = opened(&shard, large);
    let found: Vec<u64> = read_all(&*log, 25, 1 << 20)
        .await
        .iter()
        .map(|meta| meta.first)
        .collect();
    assert_eq!(found, (25..log.range().end).collect::<Vec<_>>());
}

/// Not a test by itself: runs on a small file system of its own, fills it, makes room, and goes on.
#[tokio::test]
#[ignore = "started by a_full_disk_refuses_writes_until_there_is_room"]
async fn child_fills_its_disk() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let directory = Path::new(&directory);
    let ballast = directory.join("ballast");
    // RocksDB writes again when a whole write buffer (`tuning`, 32 MiB) is free.
    fs::write(&ballast, vec![1; 48 << 20]).unwrap();
    let mut large = options(Durability::Written);
    large.chunk_bytes_max = 4 << 20;
    for durability in [Durability::Written, Durability::Synced] {
        large.durability = durability;
        let shard = shard(&directory.join("data"));
        let log = opened(&shard, large.clone());
        let start = log.range().end;
        let refused = loop {
            let end = log.range().end;
            match log.append(&[entry_of(end, 50_000)]) {
                Ok(appended) => appended.ticket.wait().await.unwrap(),
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, StorageError::Full), "{refused:?}");
        let end = log.range().end;
        assert!(end > start + 10);
        assert_eq!(read_all(&*log, start, 1 << 20).await.len() as u64, end - start);
        let refused = fill_kv(&shard).await;
        assert!(matches!(refused, StorageError::Full), "{refused:?}");
        assert!(shard.kv.get(b"value 0").await.unwrap().is_some());
        if ballast.exists() {
            fs::remove_file(&ballast).unwrap();
        } else {
            log.trim(end - 10).await.unwrap();
        }
        log.append(&[entry_of(end, 50_000)])
            .unwrap()
            .ticket
            .wait()
            .await
            .unwrap();
        let mut batch = Batch::default();
        batch.put("again", "room");
        let mut committed = shard.kv.commit(batch.clone(), Durability::Synced).await;
        for _ in 0..100 {
            if committed.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            committed = shard.kv.commit(batch.clone(), Durability::Synced).await;
        }
        committed.unwrap();
        drop((log, shard));
        let shard = crate::open(&directory.join("data"), Options::default()).unwrap();
        let log = opened(&shard, large.clone());
        assert_eq!(log.range().end, end + 1);
        assert_eq!(
            shard.kv.get(b"again").await.unwrap().as_deref(),
            Some(&b"room"[..])
        );
    }
    println!("\nfilled and freed");
}

async fn fill_kv(shard: &Shard) -> StorageError {
    for number in 0..10_000 {
        let mut batch = Batch::default();
        batch.put(format!("value {}", number % 50), vec![number as u8; 20_000]);
        if let Err(error) = shard.kv.commit(batch, Durability::Written).await {
            return error;
        }
    }
    panic!("the disk is never full");
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=144m none \"$0\" || { echo cannot mount; exit 0; }; exec \"$@\"";
    let child = child("log::crash_tests::child_fills_its_disk", directory.path());
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .arg(directory.path());
    command
        .arg(child.get_program())
        .args(child.get_args())
        .env(DIRECTORY, directory.path());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() && text.is_empty() || text.contains("cannot mount") {
        println!("not checked: this system lets nobody mount a small file system");
        return;
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("filled and freed"), "{text}{errors}");
}
