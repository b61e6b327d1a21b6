use super::{Framing, HttpError};

/// Bytes that the head of an answer may take.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Headers that an answer may have.
const HEADERS_MAX: usize = 100;

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// What the server calls it.
    pub reason: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// Reads a head from the start of `bytes`: the head and how many bytes it took, or nothing while it is not whole.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, HttpError> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut answer = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(taken) = answer.parse(bytes)? else {
            return match bytes.len() < HEAD_BYTES_MAX {
                true => Ok(None),
                false => Err(HttpError::HeadTooLong(HEAD_BYTES_MAX)),
            };
        };
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let head = Head {
            status: answer.code.unwrap_or_default(),
            reason: answer.reason.unwrap_or_default().to_owned(),
            headers: answer
                .headers
                .iter()
                .map(|one| (one.name.to_owned(), text(one.value)))
                .collect(),
        };
        Ok(Some((head, taken)))
    }

    /// The value of a header, whose name has any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let of = |one: &&(String, String)| one.0.eq_ignore_ascii_case(name);
        self.headers.iter().find(of).map(|one| one.1.as_str())
    }

    /// How the body that follows is framed.
    pub fn framing(&self) -> Result<Framing, HttpError> {
        if let Some(coding) = self.header("transfer-encoding") {
            return match coding.eq_ignore_ascii_case("chunked") {
                true => Ok(Framing::chunked()),
                false => Err(HttpError::Length),
            };
        }
        if (100..200).contains(&self.status) || self.status == 204 || self.status == 304 {
            return Ok(Framing::length(0));
        }
        match self.header("content-length") {
            Some(length) => length
                .trim()
                .parse()
                .map(Framing::length)
                .map_err(|_| HttpError::Length),
            None => Ok(Framing::until_close()),
        }
    }

    /// Whether the connection may carry another request after this answer.
    pub(crate) fn keeps_open(&self) -> bool {
        let closes = |value: &str| value.eq_ignore_ascii_case("close");
        !self.header("connection").is_some_and(closes)
    }
}
