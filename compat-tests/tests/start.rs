//! A server that cannot start says why in one sentence, and ends with a failure. What was there before is as it was.
//!
//! The original is not asked: what it says is a stack trace.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use anyhow::{Result, ensure};
use compat_tests::disk::SmallDisk;
use compat_tests::{Broker, Program, Subject, broker, harm};

/// Every port that `smack up` listens on.
const PORTS: &[&str] = &[
    "--kafka-port",
    "--cql-port",
    "--mesos-port",
    "--agent-port",
    "--admin-port",
];
const MEGABYTES: usize = 8;

/// Starts smack on `folder`, all ports free but for one where `taken` says which, and answers the sentence it ends with.
fn refused(folder: &Path, taken: Option<(&str, u16)>) -> Result<String> {
    let mut program = Program::new(broker::smack_binary()?)
        .args(["up", "--data-dir"])
        .args([folder]);
    for flag in PORTS {
        let port = taken.filter(|(of, _)| of == flag).map_or(0, |(_, port)| port);
        program = program.args([*flag, &port.to_string()]);
    }
    let said = program.seconds_max(40).say()?;
    ensure!(
        said.code == Some(1),
        "exit code {:?}: {}{}",
        said.code,
        said.out,
        said.err
    );
    ensure!(said.out.is_empty(), "it said {:?} before it gave up", said.out);
    let lines: Vec<&str> = said.err.lines().collect();
    let [sentence] = lines[..] else {
        anyhow::bail!("not one sentence: {lines:?}");
    };
    Ok(sentence.to_owned())
}

fn ours() -> bool {
    Subject::from_env() == Subject::Smack
}

#[test]
fn a_port_that_is_taken() -> Result<()> {
    if !ours() {
        return Ok(());
    }
    let other = TcpListener::bind("127.0.0.1:0")?;
    let (address, port) = (other.local_addr()?, other.local_addr()?.port());
    for flag in PORTS {
        let folder = tempfile::tempdir()?;
        let sentence = refused(folder.path(), Some((flag, port)))?;
        let told =
            format!("smack: {address} is taken by another process: stop it, or choose another port with");
        ensure!(
            sentence.starts_with(&told) && sentence.contains(flag),
            "{flag}: {sentence}"
        );
        ensure!(
            !folder.path().join("ports.json").exists(),
            "{flag}: ports are told"
        );
    }
    Ok(())
}

#[test]
fn a_folder_that_another_process_holds() -> Result<()> {
    if !ours() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let broker = Broker::start_at(Subject::Smack, "", folder.path())?;
    let data = folder.path().join("data");
    let ports = fs::read(data.join("ports.json"))?;
    let sentence = refused(&data, None)?;
    let told = format!(
        "smack: {} is in use by process {}: stop it, or choose another data directory",
        data.display(),
        broker.pid().unwrap_or_default()
    );
    ensure!(sentence == told, "{sentence}");
    ensure!(
        fs::read(data.join("ports.json"))? == ports,
        "the holder's ports are still told"
    );
    harm::works(broker.address())
}

/// With no room at all, and with too little: each time one sentence, and once there is room it starts.
#[test]
fn a_disk_that_is_full() -> Result<()> {
    if !ours() {
        return Ok(());
    }
    let Some(disk) = SmallDisk::mount(MEGABYTES)? else {
        println!("not tested: mounting a small file system is not permitted here");
        return Ok(());
    };
    let data = disk.folder().join("data");
    for free_kilobytes in [0, 4, 8, 32] {
        fs::write(
            disk.ballast(),
            vec![1; (MEGABYTES << 20) - (free_kilobytes << 10)],
        )?;
        let sentence = refused(&data, None)?;
        let why = ["No space left on device", "storage is full"];
        let told = why.iter().map(|why| sentence.matches(why).count()).sum::<usize>();
        ensure!(told == 1, "{free_kilobytes} KB free: {sentence}");
        ensure!(sentence.contains(&data.display().to_string()), "{sentence}");
    }
    fs::remove_file(disk.ballast())?;
    let broker = Broker::start_at(Subject::Smack, "", disk.folder())?;
    harm::works(broker.address())
}
