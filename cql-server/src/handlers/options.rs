//! OPTIONS: what is spoken here. Drivers ask it as a heartbeat, too.

use super::{Context, Reply};
use crate::{
    error::Result,
    wire::{read::Reader, response::Message},
};

pub(super) async fn handle(_: Context, _: Reader) -> Result<Reply> {
    Ok(Message::supported().into())
}
