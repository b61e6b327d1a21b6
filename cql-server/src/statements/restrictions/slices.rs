//! Clustering restrictions to slices of positions.

use super::{Restriction, Restrictions, Test, bind::required, keys::too_many};
use crate::{
    core::{
        schema::Table,
        types::ordered::{AFTER_ALL, encode},
    },
    error::Result,
    state::rows::Slice,
    statements::terms::Values,
    syntax::Comparison,
};
use bytes::Bytes;

/// More combinations of values than this are refused before they take memory.
pub(crate) const COMBINATIONS_MAX: u64 = 1 << 16;

impl Restrictions {
    /// The slices of each partition, in order and without overlaps.
    pub(crate) fn slices(&self, table: &Table, values: &Values<'_>) -> Result<Vec<Slice>> {
        let mut prefixes: Vec<Vec<u8>> = vec![Vec::new()];
        for restriction in &self.clustering {
            if let Test::Slice(bounds) = &restriction.test {
                return between(table, restriction, bounds, &prefixes, values);
            }
            let options = restriction.options(table, values)?;
            if (prefixes.len() as u64).saturating_mul(options.len() as u64) > COMBINATIONS_MAX {
                return Err(too_many());
            }
            let mut longer = Vec::with_capacity(prefixes.len() * options.len());
            for prefix in &prefixes {
                for option in &options {
                    let mut position = prefix.clone();
                    append(&mut position, table, &restriction.columns, option)?;
                    longer.push(position);
                }
            }
            longer.sort();
            longer.dedup();
            prefixes = longer;
        }
        if self.is_full_row(table) {
            return Ok(prefixes.iter().map(|position| Slice::one(position)).collect());
        }
        Ok(prefixes
            .into_iter()
            .map(|prefix| Slice {
                to: Some(past(&prefix)),
                from: prefix,
            })
            .collect())
    }
}

/// Appends columns to a position.
pub(crate) fn append(
    position: &mut Vec<u8>,
    table: &Table,
    columns: &[usize],
    values: &[Bytes],
) -> Result<()> {
    for (at, value) in columns.iter().zip(values) {
        let column = &table.columns[*at];
        encode(position, &column.kind, column.is_descending(), Some(value))?;
    }
    Ok(())
}

/// Behind everything that begins with `prefix`.
fn past(prefix: &[u8]) -> Vec<u8> {
    let mut past = prefix.to_vec();
    past.push(AFTER_ALL);
    past
}

/// The slices behind each of `prefixes` that lie within `bounds`.
fn between(
    table: &Table,
    restriction: &Restriction,
    bounds: &[(Comparison, crate::statements::terms::Prepared)],
    prefixes: &[Vec<u8>],
    values: &Values<'_>,
) -> Result<Vec<Slice>> {
    let mut bound = Vec::with_capacity(bounds.len());
    for (operator, term) in bounds {
        let name = &table.columns[restriction.columns[0]].name;
        bound.push((
            *operator,
            restriction.parts(table, required(term.evaluate(values)?, name)?)?,
        ));
    }
    let mut out = Vec::new();
    for prefix in prefixes {
        let mut within = vec![Slice {
            from: prefix.clone(),
            to: Some(past(prefix)),
        }];
        for (operator, parts) in &bound {
            within = intersection(&within, &half(table, restriction, prefix, *operator, parts)?);
        }
        out.extend(within);
    }
    Ok(out)
}

/// The slices on one side of a bound. Columns of mixed orders make more than one: `(a, b) > (1, 2)` is `a > 1`, and `b > 2` where `a = 1`.
fn half(
    table: &Table,
    restriction: &Restriction,
    prefix: &[u8],
    operator: Comparison,
    parts: &[Bytes],
) -> Result<Vec<Slice>> {
    let greater = matches!(operator, Comparison::Greater | Comparison::GreaterOrEqual);
    let inclusive = matches!(operator, Comparison::GreaterOrEqual | Comparison::LessOrEqual);
    let mut out = Vec::new();
    let mut same = prefix.to_vec();
    for (index, (at, part)) in restriction.columns.iter().zip(parts).enumerate() {
        let mut here = same.clone();
        append(&mut here, table, &[*at], std::slice::from_ref(part))?;
        let with_value = inclusive && index + 1 == parts.len();
        // Descending columns lie the other way round.
        let upwards = greater != table.columns[*at].is_descending();
        out.push(if upwards {
            Slice {
                from: if with_value { here.clone() } else { past(&here) },
                to: Some(past(&same)),
            }
        } else {
            Slice {
                from: same.clone(),
                to: Some(if with_value { past(&here) } else { here.clone() }),
            }
        });
        same = here;
    }
    out.sort_by(|a, b| a.from.cmp(&b.from));
    Ok(out)
}

/// What lies in a slice of both.
fn intersection(left: &[Slice], right: &[Slice]) -> Vec<Slice> {
    let mut out = Vec::new();
    for one in left {
        for other in right {
            let from = one.from.clone().max(other.from.clone());
            // Every slice here has an end.
            let to = one.to.clone().min(other.to.clone());
            if to.as_ref().is_some_and(|to| from < *to) {
                out.push(Slice { from, to });
            }
        }
    }
    out.sort_by(|a, b| a.from.cmp(&b.from));
    out
}
