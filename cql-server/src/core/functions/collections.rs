//! Functions of collections.

use super::aggregates::{Accumulator, Kind};
use super::number::NUMERIC;
use super::{Function, native};
use crate::core::types::{CqlType, Native, elements};
use std::sync::Arc;

/// The function of that name for a collection of type `kind`.
pub(super) fn function(name: &str, kind: &CqlType) -> Option<Function> {
    let set = |of: &Arc<CqlType>| CqlType::Set {
        of: of.clone(),
        frozen: true,
    };
    let list = |of: &Arc<CqlType>| CqlType::List {
        of: of.clone(),
        frozen: true,
    };
    Some(match (name, kind) {
        ("map_keys", CqlType::Map { key, .. }) => Function::of_one(name, kind.clone(), set(key), |value| {
            Ok(Some(elements::collection(
                elements::entries(value).map(|(key, _)| key),
            )))
        }),
        ("map_values", CqlType::Map { value, .. }) => {
            Function::of_one(name, kind.clone(), list(value), |value| {
                Ok(Some(elements::collection(
                    elements::entries(value).map(|(_, value)| value),
                )))
            })
        }
        ("collection_count", kind) if kind.is_collection() => {
            Function::of_one(name, kind.clone(), Native::Int, |value| {
                Ok(Some((elements::count(value) as u32).to_be_bytes().to_vec()))
            })
        }
        (_, CqlType::List { of, .. } | CqlType::Set { of, .. }) => {
            let aggregate = match name {
                "collection_min" => Kind::Min,
                "collection_max" => Kind::Max,
                "collection_sum" => Kind::Sum,
                "collection_avg" => Kind::Avg,
                _ => return None,
            };
            let number = native(of).is_some_and(|of| NUMERIC.contains(&of));
            if matches!(aggregate, Kind::Sum | Kind::Avg) && !number {
                return None;
            }
            over_elements(name, kind, of, aggregate)
        }
        _ => return None,
    })
}

fn over_elements(name: &str, kind: &CqlType, of: &Arc<CqlType>, aggregate: Kind) -> Function {
    let own = of.clone();
    Function::of_one(name, kind.clone(), CqlType::clone(of), move |value| {
        let mut accumulator = Accumulator::new(aggregate, Some(&own));
        elements::elements(value).for_each(|element| accumulator.add(Some(element)));
        Ok(accumulator.finish())
    })
}
