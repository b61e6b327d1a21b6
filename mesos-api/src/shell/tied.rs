//! A process that ends with whoever asked for it: its supervisor ends it as soon as the socket between them is closed,
//! which the death of the agent does, too.

use super::{
    folder::Folder,
    nursery::{Among, Nursery},
    process::{LaunchError, Supervised},
    supervise::{Answer, Spec},
};
use crate::core::agent::Ended;
use std::{fs::File, io};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
};

/// A process that is tied to this value.
#[derive(Debug)]
pub(super) struct Tied {
    pid: u32,
    socket: BufReader<UnixStream>,
}

impl Tied {
    /// Starts it. Blocks.
    pub(super) fn start(
        spec: &Spec,
        (nursery, among): (&Nursery, &Among),
        folder: &Folder,
        outputs: (File, File),
    ) -> Result<Self, LaunchError> {
        let started = Supervised::start(spec, (nursery, among), folder, outputs)?;
        started.socket.set_nonblocking(true)?;
        Ok(Tied {
            pid: started.pid,
            socket: BufReader::new(UnixStream::from_std(started.socket)?),
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Answers how it ended.
    pub(super) async fn ended(&mut self) -> io::Result<Ended> {
        let mut line = String::new();
        self.socket.read_line(&mut line).await?;
        match serde_json::from_str(&line)? {
            Answer::Ended(ended) => Ok(ended),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Ends it, if it has not ended, and all that it left behind. Answers how, unless it was told before.
    pub(super) async fn end(mut self) -> io::Result<Ended> {
        let _ = self.socket.get_mut().shutdown().await;
        self.ended().await
    }
}
