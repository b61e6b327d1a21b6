//! REGISTER: which events the client wants to be told of.

use super::{Context, Reply};
use crate::{
    error::Result,
    wire::{read::Reader, request, response::Message},
};

pub(super) async fn handle(cx: Context, mut body: Reader) -> Result<Reply> {
    cx.ask_for(request::register(&mut body)?);
    Ok(Message::ready().into())
}
