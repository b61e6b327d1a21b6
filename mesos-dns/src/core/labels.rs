//! Names of tasks and frameworks, made names of DNS.

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::fmt::Write;

/// Characters of the base 32 for people (zbase32), in the order of their values.
const ZBASE32: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";
/// Characters of a hash that are kept: 25 bits.
const HASH_CHARS: usize = 5;

/// Which characters a label may have, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    /// 24 characters, the first one a letter.
    Rfc952,
    /// 63 characters.
    Rfc1123,
}

impl Rules {
    /// The label that is closest to a name: characters that none may have are left out.
    pub(crate) fn label(self, name: &str) -> String {
        let mapped: String = name.chars().filter_map(mapped).collect();
        match self {
            Rules::Rfc952 => cut(&mapped, 24, |one| one == '-' || one.is_ascii_digit()),
            Rules::Rfc1123 => cut(&mapped, 63, |one| one == '-'),
        }
    }

    /// The same of each part of a name with dots; parts of which nothing is left are left out.
    pub(crate) fn labels(self, name: &str) -> String {
        let parts = name.split('.').map(|part| self.label(part));
        parts
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(".")
    }
}

fn mapped(one: char) -> Option<char> {
    match one {
        'A'..='Z' => Some(one.to_ascii_lowercase()),
        'a'..='z' | '0'..='9' => Some(one),
        '-' | '.' | '_' => Some('-'),
        _ => None,
    }
}

/// Cuts to `most` characters what does not start as `not_first` says, nor ends with a dash. Where dashes stand at the cut,
/// as many characters as they were take their place from what comes behind them.
fn cut(label: &str, most: usize, not_first: impl Fn(char) -> bool) -> String {
    let label = label.trim_start_matches(not_first);
    let most = label.len().min(most);
    let (head, tail) = label.split_at(most);
    let kept = head.trim_end_matches('-');
    let room = most - kept.len();
    let tail = tail.trim_start_matches('-');
    format!("{kept}{}", &tail[..tail.len().min(room)])
}

/// A short name for a task's id.
pub(crate) fn hashed(id: &str) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, id.as_bytes());
    let mut bits = hash
        .as_ref()
        .iter()
        .take(4)
        .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    let mut text = String::with_capacity(HASH_CHARS);
    for _ in 0..HASH_CHARS {
        let at = usize::try_from(bits >> 27).unwrap_or_default();
        text.push(char::from(ZBASE32[at]));
        bits <<= 5;
    }
    text
}

/// What stands behind the last dash of an agent's id.
pub(crate) fn agent_tail(id: &str) -> String {
    id.rsplit('-').next().unwrap_or_default().to_lowercase()
}

/// A name as it is looked up: in lower case, without wildcards, and with the dot of the root.
pub(crate) fn looked_up(name: &str) -> String {
    let mut name = name.replace(".*", "").to_lowercase();
    if !name.ends_with('.') {
        name.push('.');
    }
    name
}

/// One character of a label as text; `escaped` where it would mean something else.
pub(crate) fn push_byte(to: &mut String, byte: u8) {
    match byte {
        b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b' ' => {
            to.push('\\');
            to.push(char::from(byte));
        }
        0x21..=0x7e => to.push(char::from(byte.to_ascii_lowercase())),
        // Writing to a text cannot fail.
        _ => drop(write!(to, "\\{byte:03}")),
    }
}
