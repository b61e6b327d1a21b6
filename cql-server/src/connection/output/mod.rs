//! Answers on their way out.
//!
//! Knows: envelopes, segments, compression, one vectored write. Never: what an answer says.
//!
//! Small answers are gathered in one buffer, several to a segment; large contents leave from where they were written.

use super::Framing;
use crate::wire::{
    compression::{self, Compression},
    envelope::{Envelope, HEADER_BYTES, flags},
    segment::{self, Format, Header, PAYLOAD_MAX},
};
use bytes::{Buf, Bytes, BytesMut};
use server_kit::Stream;
use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    task::{Context, Poll},
};

/// Parts that one write takes at the most.
const WRITE_SLICES_MAX: usize = 64;
/// Contents beyond this are not copied.
const COPIED_BYTES_MAX: usize = 8 << 10;
/// Bodies below this are not worth compressing.
const COMPRESSED_BYTES_MIN: usize = 128;
/// What is kept of the buffer for small answers while there are none.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// Envelopes in the order they leave, in parts.
pub(super) struct Output {
    framing: Framing,
    /// Parts that are ready to leave.
    slices: VecDeque<Bytes>,
    /// What is gathered behind them.
    tail: BytesMut,
    /// Where in the tail the segment begins that still takes envelopes.
    open: Option<usize>,
    /// For what is compressed as a whole.
    scratch: BytesMut,
    /// Bytes that have not left.
    bytes: usize,
    /// Whether TLS may hold something back.
    unflushed: bool,
}

impl Output {
    pub(super) fn new() -> Self {
        Output {
            framing: Framing::Envelopes(None),
            slices: VecDeque::new(),
            tail: BytesMut::new(),
            open: None,
            scratch: BytesMut::new(),
            bytes: 0,
            unflushed: false,
        }
    }

    /// From here on the connection has started.
    pub(super) fn start(&mut self, framing: Framing) {
        self.framing = framing;
    }

    /// Bytes that have not left.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0 && !self.unflushed
    }

    pub(super) fn push(&mut self, envelope: Envelope) {
        let before = self.tail.len();
        match self.framing {
            Framing::Envelopes(Some(compression)) if envelope.length() >= COMPRESSED_BYTES_MIN => {
                self.push_compressed(&envelope, compression);
            }
            Framing::Envelopes(_) => {
                envelope.put_header(&mut self.tail, envelope.flags, envelope.length());
                self.tail.extend_from_slice(&envelope.body);
                self.bytes += self.tail.len() - before;
                self.push_content(envelope.content);
            }
            Framing::Segments(format) => self.push_segmented(envelope, format),
        }
    }

    fn push_compressed(&mut self, envelope: &Envelope, compression: Compression) {
        self.scratch.clear();
        self.scratch.extend_from_slice(&envelope.body);
        self.scratch.extend_from_slice(&envelope.content);
        let mut packed = BytesMut::with_capacity(self.scratch.len() / 2);
        compression.put(&mut packed, &self.scratch);
        let before = self.tail.len();
        envelope.put_header(&mut self.tail, envelope.flags | flags::COMPRESSED, packed.len());
        self.bytes += self.tail.len() - before;
        self.push_content(packed.freeze());
        self.give_back_scratch();
    }

    /// Appends bytes, copied where they are few.
    fn push_content(&mut self, content: Bytes) {
        self.bytes += content.len();
        if content.len() <= COPIED_BYTES_MAX {
            self.tail.extend_from_slice(&content);
        } else {
            self.flush_tail();
            self.slices.push_back(content);
        }
    }

    fn flush_tail(&mut self) {
        if !self.tail.is_empty() {
            self.slices.push_back(self.tail.split().freeze());
        }
    }

    fn push_segmented(&mut self, envelope: Envelope, format: Format) {
        let length = HEADER_BYTES + envelope.length();
        if envelope.content.len() <= COPIED_BYTES_MAX && length <= PAYLOAD_MAX {
            self.gather(&envelope, format);
            return;
        }
        self.seal(format);
        let mut head = BytesMut::with_capacity(HEADER_BYTES + envelope.body.len());
        envelope.put_header(&mut head, envelope.flags, envelope.length());
        head.extend_from_slice(&envelope.body);
        let self_contained = length <= PAYLOAD_MAX;
        let mut rest = head.freeze().chain(envelope.content);
        while rest.has_remaining() {
            let first = rest.first_mut();
            let first = first.split_to(first.len().min(PAYLOAD_MAX));
            let room = PAYLOAD_MAX - first.len();
            let last = rest.last_mut();
            let last = last.split_to(last.len().min(room));
            self.push_segment([first, last], self_contained, format);
        }
    }

    /// Adds a small envelope to the segment that takes them.
    fn gather(&mut self, envelope: &Envelope, format: Format) {
        let length = HEADER_BYTES + envelope.length();
        let full = |start: usize| self.tail.len() - start - format.header_bytes() + length > PAYLOAD_MAX;
        if self.open.is_some_and(full) {
            self.seal(format);
        }
        let before = self.tail.len();
        if self.open.is_none() {
            self.open = Some(before);
            self.tail.resize(before + format.header_bytes(), 0);
        }
        envelope.put_header(&mut self.tail, envelope.flags, envelope.length());
        self.tail.extend_from_slice(&envelope.body);
        self.tail.extend_from_slice(&envelope.content);
        self.bytes += self.tail.len() - before;
    }

    /// Ends the segment that takes envelopes.
    fn seal(&mut self, format: Format) {
        let Some(start) = self.open.take() else {
            return;
        };
        let payload_start = start + format.header_bytes();
        let before = self.tail.len();
        let uncompressed = before - payload_start;
        let mut header = Header {
            stored: uncompressed,
            uncompressed: 0,
            self_contained: true,
        };
        if format == Format::Lz4 && uncompressed >= COMPRESSED_BYTES_MIN {
            self.scratch.clear();
            compression::put_lz4_block(&mut self.scratch, &self.tail[payload_start..]);
            if self.scratch.len() < uncompressed {
                self.tail.truncate(payload_start);
                self.tail.extend_from_slice(&self.scratch);
                (header.stored, header.uncompressed) = (self.scratch.len(), uncompressed);
            }
            self.give_back_scratch();
        }
        format.write_header(header, &mut self.tail[start..payload_start]);
        let trailer = segment::crc_of([&self.tail[payload_start..]]);
        self.tail.extend_from_slice(&trailer);
        self.bytes = self.bytes + self.tail.len() - before;
    }

    /// A segment of large parts.
    fn push_segment(&mut self, payload: [Bytes; 2], self_contained: bool, format: Format) {
        let length = payload[0].len() + payload[1].len();
        let mut header = Header {
            stored: length,
            uncompressed: 0,
            self_contained,
        };
        let mut stored = payload;
        if format == Format::Lz4 {
            let packed = self.packed(&stored);
            if packed.len() < length {
                (header.stored, header.uncompressed) = (packed.len(), length);
                stored = [packed, Bytes::new()];
            }
        }
        let start = self.tail.len();
        self.tail.resize(start + format.header_bytes(), 0);
        format.write_header(header, &mut self.tail[start..]);
        self.bytes += format.header_bytes() + segment::TRAILER_BYTES;
        let trailer = segment::crc_of([&stored[0][..], &stored[1][..]]);
        stored.into_iter().for_each(|part| self.push_content(part));
        self.tail.extend_from_slice(&trailer);
    }

    fn packed(&mut self, parts: &[Bytes; 2]) -> Bytes {
        self.scratch.clear();
        parts.iter().for_each(|part| self.scratch.extend_from_slice(part));
        let mut packed = BytesMut::with_capacity(self.scratch.len() / 2);
        compression::put_lz4_block(&mut packed, &self.scratch);
        self.give_back_scratch();
        packed.freeze()
    }

    fn give_back_scratch(&mut self) {
        if self.scratch.capacity() > KEPT_BYTES_MAX {
            self.scratch = BytesMut::new();
        }
    }

    /// Gives buffers back where nothing is in them.
    pub(super) fn release(&mut self) {
        if self.is_empty() {
            self.tail = BytesMut::new();
            self.scratch = BytesMut::new();
        }
    }

    /// Writes as long as the socket takes it, without waiting. Answers how much has left; pending where nothing could.
    pub(super) fn poll(&mut self, task: &mut Context<'_>, stream: &mut Stream) -> io::Result<Poll<usize>> {
        if let Framing::Segments(format) = self.framing {
            self.seal(format);
        }
        let before = self.bytes;
        while self.bytes > 0 {
            match self.poll_once(task, stream) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(bytes)) => self.advance(bytes),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending if self.bytes == before => return Ok(Poll::Pending),
                Poll::Pending => return Ok(Poll::Ready(before - self.bytes)),
            }
            self.unflushed = matches!(stream, Stream::Tls(_));
        }
        if self.unflushed && stream.poll_flush(task)?.is_ready() {
            self.unflushed = false;
        }
        Ok(Poll::Ready(before - self.bytes))
    }

    fn poll_once(&self, task: &mut Context<'_>, stream: &mut Stream) -> Poll<io::Result<usize>> {
        let mut parts = [IoSlice::new(&[]); WRITE_SLICES_MAX];
        let ready = self.slices.iter().map(|slice| &slice[..]);
        let all = ready.chain([&self.tail[..]]).take(WRITE_SLICES_MAX);
        let mut used = 0;
        for (part, bytes) in parts.iter_mut().zip(all) {
            *part = IoSlice::new(bytes);
            used += 1;
        }
        stream.poll_write_slices(task, &parts[..used], false)
    }

    fn advance(&mut self, mut bytes: usize) {
        self.bytes -= bytes;
        while let Some(first) = self.slices.front_mut() {
            if bytes < first.len() {
                first.advance(bytes);
                return;
            }
            bytes -= first.len();
            self.slices.pop_front();
        }
        self.tail.advance(bytes);
        if self.slices.capacity() > WRITE_SLICES_MAX {
            self.slices = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests;
