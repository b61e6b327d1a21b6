//! Values to blobs and back, to JSON and back, and the token of a partition key.

use super::Function;
use crate::core::types::{CqlType, Native, hex, json, show, token, validate};
use crate::error::CqlError;

/// The functions of that name: `int_as_blob`, `intAsBlob`, `blob_as_int`, `blobAsInt`.
pub(super) fn blobs(name: &str) -> Vec<Function> {
    let from = name
        .strip_suffix("_as_blob")
        .or_else(|| name.strip_suffix("asblob"));
    let to = name
        .strip_prefix("blob_as_")
        .or_else(|| name.strip_prefix("blobas"));
    if let Some(from) = from.and_then(Native::named).filter(|from| *from != Native::Blob) {
        return vec![Function::of_one(name, from, Native::Blob, |value| {
            Ok(Some(value.to_vec()))
        })];
    }
    let Some(to) = to.and_then(Native::named).filter(|to| *to != Native::Blob) else {
        return Vec::new();
    };
    let (kind, own_name) = (CqlType::Native(to), name.to_owned());
    vec![Function::of_one(name, Native::Blob, to, move |value| {
        validate(&kind, value).map_err(|_| {
            CqlError::Invalid(format!(
                "In call to function system.{own_name}, value 0x{} is not a valid binary representation for type {kind}",
                hex(value)
            ))
        })?;
        Ok(Some(value.to_vec()))
    })]
}

/// `to_json` of a type.
pub(super) fn to_json(name: &str, kind: &CqlType) -> Function {
    let own = kind.clone();
    Function::scalar(name, vec![kind.clone()], Native::Text, move |arguments, _| {
        let value = arguments.first().copied().flatten();
        Ok(Some(show::json_or_null(&own, value).into_bytes()))
    })
}

/// `from_json` for a place that wants a type.
pub(super) fn from_json(name: &str, kind: &CqlType) -> Function {
    let own = kind.clone();
    Function::of_one(name, Native::Text, kind.clone(), move |value| {
        let text = String::from_utf8_lossy(value);
        let failed = |message: String| CqlError::FunctionFailure {
            message,
            keyspace: "system".into(),
            function: "from_json".into(),
            argument_types: vec!["text".into()],
        };
        let undecodable = |why: json::Malformed| {
            let why = why.with_class();
            failed(format!(
                "execution of 'system.from_json[text]' failed: Could not decode JSON string '{text}': {why}"
            ))
        };
        match json::parse(&text).map_err(undecodable)? {
            json::Json::Null => Ok(None),
            found => match json::value(&own, &found) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) => Err(failed(format!(
                    "org.apache.cassandra.serializers.MarshalException: {error}"
                ))),
            },
        }
    })
}

/// `token` of a partition key's columns.
pub(super) fn token_of(columns: &[CqlType]) -> Function {
    Function::scalar("token", columns.to_vec(), Native::Bigint, |arguments, _| {
        let Some(columns) = arguments.iter().copied().collect::<Option<Vec<&[u8]>>>() else {
            return Ok(None);
        };
        Ok(Some(
            token::token(&token::partition_key(&columns))
                .to_be_bytes()
                .to_vec(),
        ))
    })
}
