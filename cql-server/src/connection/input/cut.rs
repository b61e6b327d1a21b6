//! Where a request ends, and what is not one.

use super::{Framing, Input};
use crate::{
    error::CqlError,
    wire::{
        compression::Compression,
        envelope::{HEADER_BYTES, Header, Refused, Request, flags},
        segment::Format,
        version::Version,
    },
};
use bytes::{Buf, Bytes, BytesMut};
use server_kit::Received;
use tokio::sync::OwnedSemaphorePermit;

/// Bytes of the headers that versions 1 and 2 had.
const OLD_HEADER_BYTES: usize = 8;

/// A request, and its share of the bytes in flight.
pub(crate) struct Taken {
    pub(crate) request: Request,
    /// Held until the request is answered.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

/// What was cut from the received bytes.
pub(crate) enum Incoming {
    Request(Taken),
    /// Not taken; what follows it can be understood.
    Refused(Refused),
    /// Nothing that follows can be understood.
    Broken(Refused),
}

/// A request that spans segments.
pub(super) struct Large {
    pub(super) header: Header,
    /// Bytes of it with its header.
    pub(super) total: usize,
    pub(super) bytes: BytesMut,
}

/// Bytes of the envelope at the start of `buffer`; `None` where that is not known yet, or it will be refused.
pub(super) fn envelope_bytes(buffer: &[u8], version: Option<Version>) -> Option<usize> {
    let header = Header::read(buffer.first_chunk()?, version).ok()?;
    Some(HEADER_BYTES + header.length as usize)
}

impl Input {
    /// What is next, where all of it is there.
    pub(in crate::connection) fn next(&mut self) -> Option<Incoming> {
        match self.framing {
            Framing::Envelopes(compression) => {
                if !self.skip_received() {
                    return None;
                }
                let skipped = self.skipped.take().map(Incoming::Refused);
                skipped.or_else(|| self.next_envelope(compression))
            }
            Framing::Segments(format) => self.next_message(format),
        }
    }

    /// Throws away what has arrived of an envelope that was not taken. Whether that was all of it.
    fn skip_received(&mut self) -> bool {
        let there = self.skip.min(self.buffer.len());
        self.buffer.advance(there);
        self.skip -= there;
        self.skip == 0
    }

    fn next_envelope(&mut self, compression: Option<Compression>) -> Option<Incoming> {
        let is_old = self
            .buffer
            .first()
            .is_some_and(|version| matches!(version & 0x7f, 1 | 2));
        let header = match self.buffer.first_chunk::<HEADER_BYTES>() {
            Some(bytes) => *bytes,
            None if is_old && self.buffer.len() >= OLD_HEADER_BYTES => {
                let mut bytes = [0; HEADER_BYTES];
                bytes[..OLD_HEADER_BYTES].copy_from_slice(&self.buffer[..OLD_HEADER_BYTES]);
                bytes
            }
            None => return None,
        };
        let header = match Header::read(&header, self.version) {
            Ok(header) => header,
            Err(refused) => {
                match refused.length {
                    Some(length) => {
                        self.buffer.advance(HEADER_BYTES);
                        self.skip = length as usize;
                        self.skip_received();
                    }
                    None => self.buffer.clear(),
                }
                return Some(Incoming::Refused(refused));
            }
        };
        let total = HEADER_BYTES + header.length as usize;
        if total > self.request_bytes_max {
            self.buffer.advance(HEADER_BYTES);
            self.skip = header.length as usize;
            self.skipped = Some(too_big(header, total, self.request_bytes_max));
            return self.next();
        }
        if self.buffer.len() < total {
            return None;
        }
        let mut body = self.buffer.split_to(total).freeze();
        body.advance(HEADER_BYTES);
        if total > Received::READ_BYTES_MAX && self.buffer.is_empty() {
            // A large frame has its buffer to itself: kept for the next one, it would count twice.
            self.buffer.release();
        }
        Some(match compression {
            Some(compression) if header.flags & flags::COMPRESSED != 0 => {
                self.expand(header, body, compression)
            }
            _ => self.taken(header, body),
        })
    }

    fn taken(&mut self, header: Header, body: Bytes) -> Incoming {
        Incoming::Request(Taken {
            request: Request { header, body },
            permit: self.share.take(),
        })
    }

    fn expand(&mut self, header: Header, body: Bytes, compression: Compression) -> Incoming {
        let malformed = || CqlError::Protocol("The body is not compressed as its header says".to_owned());
        let Some(length) = compression.uncompressed(&body) else {
            return Incoming::Broken(refuse(header, malformed()));
        };
        if length > self.request_bytes_max {
            let total = HEADER_BYTES + length;
            return Incoming::Refused(too_big(header, total, self.request_bytes_max));
        }
        if let Err(overloaded) = self.hold_expanded(length) {
            return Incoming::Refused(refuse(header, overloaded));
        }
        match compression.expand(body, length) {
            Some(body) => self.taken(header, body),
            None => Incoming::Broken(refuse(header, malformed())),
        }
    }

    fn next_message(&mut self, format: Format) -> Option<Incoming> {
        loop {
            if !self.messages.is_empty() {
                return Some(self.cut_message());
            }
            let header = match format.read_header(&self.buffer) {
                Ok(header) => header?,
                Err(corrupt) => return Some(self.broken(corrupt.told(self.name))),
            };
            let total = format.header_bytes() + header.stored + crate::wire::segment::TRAILER_BYTES;
            if self.buffer.len() < total {
                return None;
            }
            let mut segment = self.buffer.split_to(total).freeze();
            if total > Received::READ_BYTES_MAX && self.buffer.is_empty() {
                self.buffer.release();
            }
            segment.advance(format.header_bytes());
            let payload = match format.payload(header, segment) {
                Ok(payload) => payload,
                Err(corrupt) => return Some(self.broken(corrupt.told(self.name))),
            };
            if header.self_contained {
                self.messages = payload;
            } else if let Some(incoming) = self.part(payload) {
                return Some(incoming);
            }
        }
    }

    /// The next envelope of a segment that holds whole ones.
    fn cut_message(&mut self) -> Incoming {
        let Some(bytes) = self.messages.first_chunk::<HEADER_BYTES>() else {
            return self.broken(cut_short());
        };
        let header = match Header::read(bytes, self.version) {
            Ok(header) => header,
            Err(refused) => {
                let length = refused
                    .length
                    .map_or(usize::MAX, |length| HEADER_BYTES + length as usize);
                self.messages.advance(length.min(self.messages.len()));
                return Incoming::Refused(refused);
            }
        };
        let total = HEADER_BYTES + header.length as usize;
        if total > self.messages.len() {
            return self.broken(cut_short());
        }
        let mut body = self.messages.split_to(total);
        body.advance(HEADER_BYTES);
        self.taken(header, body)
    }

    /// Takes a segment that holds a part of a request.
    fn part(&mut self, payload: Bytes) -> Option<Incoming> {
        if self.skip > 0 {
            self.skip = self.skip.saturating_sub(payload.len());
            return self.skipped.take_if(|_| self.skip == 0).map(Incoming::Refused);
        }
        let Some(mut large) = self.large.take() else {
            return self.first_part(payload);
        };
        if large.bytes.len() + payload.len() > large.total {
            return Some(self.broken(cut_short()));
        }
        large.bytes.extend_from_slice(&payload);
        self.large = Some(large);
        self.whole()
    }

    fn first_part(&mut self, payload: Bytes) -> Option<Incoming> {
        let Some(bytes) = payload.first_chunk::<HEADER_BYTES>() else {
            return Some(self.broken(cut_short()));
        };
        let header = match Header::read(bytes, self.version) {
            Ok(header) => header,
            Err(refused) => {
                let rest = refused.length.map_or(0, |length| HEADER_BYTES + length as usize);
                self.skip = rest.saturating_sub(payload.len());
                return Some(Incoming::Refused(refused));
            }
        };
        let total = HEADER_BYTES + header.length as usize;
        if total > self.request_bytes_max {
            self.skip = total.saturating_sub(payload.len());
            self.skipped = Some(too_big(header, total, self.request_bytes_max));
            return self.skipped.take_if(|_| self.skip == 0).map(Incoming::Refused);
        }
        if payload.len() > total {
            return Some(self.broken(cut_short()));
        }
        let mut bytes = BytesMut::with_capacity(Received::trusted(total, payload.len()));
        bytes.extend_from_slice(&payload);
        self.large = Some(Large { header, total, bytes });
        self.whole()
    }

    /// The request that spans segments, once all of it is there.
    fn whole(&mut self) -> Option<Incoming> {
        let large = self.large.take_if(|large| large.bytes.len() == large.total)?;
        let mut body = large.bytes.freeze();
        body.advance(HEADER_BYTES);
        Some(self.taken(large.header, body))
    }

    fn broken(&mut self, error: CqlError) -> Incoming {
        Incoming::Broken(Refused {
            version: self.version.unwrap_or(Version::CURRENT).number(),
            stream: 0,
            error,
            length: None,
        })
    }
}

fn refuse(header: Header, error: CqlError) -> Refused {
    Refused {
        version: header.version.number(),
        stream: header.stream,
        error,
        length: Some(header.length),
    }
}

fn too_big(header: Header, length: usize, length_max: usize) -> Refused {
    let text = format!("Request is too big: length {length} exceeds maximum allowed length {length_max}.");
    refuse(header, CqlError::Invalid(text))
}

/// The original fails with an exception of its buffers here.
fn cut_short() -> CqlError {
    CqlError::Protocol("An envelope does not end where its segments do".to_owned())
}
