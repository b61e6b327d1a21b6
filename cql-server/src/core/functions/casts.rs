//! CAST: numbers into each other, moments into each other, and nearly everything into text.

use super::number::{NUMERIC, Number};
use super::time::converted;
use super::{Function, failed};
use crate::core::types::{Native, show};

/// What can become text.
const SHOWN: [Native; 17] = [
    Native::Tinyint,
    Native::Smallint,
    Native::Int,
    Native::Bigint,
    Native::Float,
    Native::Double,
    Native::Decimal,
    Native::Varint,
    Native::Counter,
    Native::Ascii,
    Native::Boolean,
    Native::Date,
    Native::Inet,
    Native::Time,
    Native::Timestamp,
    Native::Timeuuid,
    Native::Uuid,
];

/// Every cast to a type; their name says so.
pub(super) fn to(native: Native) -> Vec<Function> {
    let name = format!("cast_as_{}", native.name());
    match native {
        Native::Counter => Vec::new(),
        Native::Ascii | Native::Text => {
            let shown = SHOWN.iter().filter(|from| **from != native);
            shown.map(|from| to_text(&name, *from, native)).collect()
        }
        Native::Date => vec![
            moment(&name, Native::Timestamp, native),
            moment(&name, Native::Timeuuid, native),
        ],
        Native::Timestamp => vec![
            moment(&name, Native::Date, native),
            moment(&name, Native::Timeuuid, native),
        ],
        _ if NUMERIC.contains(&native) => {
            let others = NUMERIC.into_iter().filter(|from| *from != native);
            others.map(|from| number(&name, from, native)).collect()
        }
        _ => Vec::new(),
    }
}

fn number(name: &str, from: Native, to: Native) -> Function {
    Function::of_one(name, from, to, move |value| {
        let Some(number) = Number::of(from, value) else {
            return Ok(None);
        };
        Ok(Some(number.cast(to).map_err(failed)?.to_bytes(to)))
    })
}

fn to_text(name: &str, from: Native, to: Native) -> Function {
    Function::of_one(name, from, to, move |value| {
        let empty = value.is_empty() && from != Native::Ascii;
        Ok((!empty).then(|| show::text(from, value).into_bytes()))
    })
}

fn moment(name: &str, from: Native, to: Native) -> Function {
    Function::of_one(name, from, to, move |value| Ok(converted(from, to, value)))
}
