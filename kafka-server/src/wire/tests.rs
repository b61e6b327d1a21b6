//! The codecs against what stock clients and an original said to each other (`compat-tests/golden/kafka`).

use super::{RequestHeader, decode, each_request, encode, header::skip_tags, messages::*};
use crate::handlers::TABLE;
use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Message, Request};
use std::{collections::BTreeMap, fs, path::Path};

/// Versions of the original that the library does not decode: recorded for the day it does.
const BEYOND_THE_LIBRARY: &[(i16, i16)] = &[(2, 11), (8, 10), (9, 10), (27, 2), (35, 5)];

/// Request and response, without their lengths, by key and version.
fn goldens() -> BTreeMap<(i16, i16), (Bytes, Bytes)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compat-tests/golden/kafka");
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let (key, version) = name.split_once("-v").unwrap();
            let text = fs::read_to_string(&path).unwrap();
            let mut frames = text.lines().map(unhex);
            let pair = (frames.next().unwrap(), frames.next().unwrap());
            ((key.parse().unwrap(), version.parse().unwrap()), pair)
        })
        .collect()
}

fn unhex(text: &str) -> Bytes {
    let digits = text
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// Decodes the goldens of one request and its response, and encodes them again.
fn comes_back<R: Request + Encodable + Message>(goldens: &mut BTreeMap<(i16, i16), (Bytes, Bytes)>)
where
    R::Response: Decodable + Encodable + HeaderVersion,
{
    for version in R::VERSIONS.min..=R::VERSIONS.max {
        let Some((mut asked, answered)) = goldens.remove(&(R::KEY, version)) else {
            continue;
        };
        let name = format!("key {} version {version}", R::KEY);
        let header = RequestHeader::read(&mut asked).unwrap();
        assert_eq!((header.api_key, header.api_version), (R::KEY, version));
        if R::header_version(version) >= 2 {
            skip_tags(&mut asked).unwrap();
        }
        let request: R = decode(asked.clone(), version).unwrap();
        let mut again = BytesMut::new();
        request.encode(&mut again, version).unwrap();
        assert_eq!(again, asked, "request of {name}");
        let mut body = answered.slice(4..);
        if R::Response::header_version(version) >= 1 {
            skip_tags(&mut body).unwrap();
        }
        let response = R::Response::decode(&mut body, version).unwrap();
        assert!(!body.has_remaining(), "response of {name}");
        let again = encode(header.correlation_id, version, &response).unwrap();
        assert_eq!(again.slice(4..), answered, "response of {name}");
    }
}

#[test]
fn goldens_decode_and_encode_to_the_same_bytes() {
    let mut left = goldens();
    each_request!(comes_back, &mut left);
    let left: Vec<_> = left.into_keys().collect();
    assert_eq!(left, BEYOND_THE_LIBRARY);
}

#[test]
fn every_line_of_the_table_has_a_golden() {
    let goldens = goldens();
    for api in TABLE {
        let versions = (api.key, api.versions.0)..=(api.key, api.versions.1);
        assert!(
            goldens.range(versions).next().is_some(),
            "no golden of {}",
            api.name
        );
    }
}
