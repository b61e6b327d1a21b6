//! From selectors whose names are resolved to expressions: what a place wants goes down to bind markers and literals.

use super::{
    Expression, Part, Selection,
    selectable::{Resolver, Selectable, What, untyped},
};
use crate::{
    core::{
        functions::{Fit, Given},
        schema::Table,
        types::CqlType,
    },
    error::{CqlError, Result},
    statements::{
        select::Selector,
        terms::{Planner, Prepared, Receiver},
    },
    syntax::Term,
};

const SELECTION: &str = "[selection]";

impl Selection {
    /// An expression and the type of what it gives.
    pub(super) fn ready(
        &mut self,
        planner: &mut Planner<'_>,
        table: &Table,
        selector: &Selector,
    ) -> Result<(Expression, CqlType)> {
        let selectable = Resolver { planner, table }.resolve(selector)?;
        selectable.columns(&mut self.named);
        let kind = selectable.exact_kind();
        let kind = kind.ok_or_else(|| untyped(selector))?;
        let expression = self.expression(planner, &selectable, Some(&kind))?;
        Ok((expression, kind))
    }

    fn expression(
        &mut self,
        planner: &mut Planner<'_>,
        of: &Selectable<'_>,
        wanted: Option<&CqlType>,
    ) -> Result<Expression> {
        Ok(match &of.what {
            What::Column(at, _) => Expression::Column(*at),
            What::Term(term) => Expression::Term(self::term(planner, of, term, wanted)?),
            What::Call(function, arguments) => {
                let outer = self.aggregates.len();
                let mut ready = Vec::with_capacity(arguments.len());
                for (argument, kind) in arguments.iter().zip(&function.arguments) {
                    ready.push(self.expression(planner, argument, Some(kind))?);
                }
                if !function.is_aggregate() {
                    return Ok(Expression::Call(function.clone(), ready));
                }
                if self.aggregates.len() > outer {
                    return Err(CqlError::invalid(
                        "aggregate functions cannot be used as arguments of aggregate functions",
                    ));
                }
                self.aggregates.push((function.clone(), ready));
                Expression::Aggregate(outer)
            }
            What::Hint(kind, inner) => {
                if inner.fit(kind) == Fit::No && !inner.is_null() {
                    return Err(CqlError::invalid(format!(
                        "Cannot assign value {0} to {0} of type {kind}",
                        of.shown()
                    )));
                }
                self.expression(planner, inner, Some(kind))?
            }
            What::Time(kind, at, part, _) => {
                self.with_times = true;
                Expression::Time(*kind, *at, part_of(planner, part)?)
            }
            What::Field(inner, at, _) => {
                Expression::Field(Box::new(self.expression(planner, inner, None)?), *at)
            }
            What::Element(inner, kind, key, key_kind, _) => {
                let key = planner.term(key, &Receiver::new("", key_kind.clone()))?;
                Expression::Element(
                    Box::new(self.expression(planner, inner, None)?),
                    kind.clone(),
                    key,
                )
            }
            What::Slice(inner, kind, bounds, _) => {
                let [from, to] = ends(planner, kind, *bounds)?;
                let inner = Box::new(self.expression(planner, inner, None)?);
                Expression::Slice(inner, kind.clone(), from, to)
            }
            What::Compound(parts) => self.compound(planner, of, parts, wanted)?,
        })
    }

    fn compound(
        &mut self,
        planner: &mut Planner<'_>,
        of: &Selectable<'_>,
        parts: &[Selectable<'_>],
        wanted: Option<&CqlType>,
    ) -> Result<Expression> {
        let kind = wanted.cloned().or_else(|| of.exact_kind());
        let kind = kind.ok_or_else(|| untyped(of.selector))?;
        if let (Selector::Tuple(_), [only], false) = (of.selector, parts, matches!(kind, CqlType::Tuple(_))) {
            return self.expression(planner, only, Some(&kind));
        }
        let mut ready = Vec::with_capacity(parts.len());
        if let CqlType::Udt { of: user_type, .. } = &kind {
            for (field, kind) in &user_type.fields {
                let names = |key: &Selectable<'_>| matches!(key.selector, Selector::Column(name) if **name == **field);
                let given = parts.chunks_exact(2).rfind(|entry| names(&entry[0]));
                ready.push(match given {
                    Some(entry) => self.expression(planner, &entry[1], Some(kind))?,
                    None => Expression::Term(Prepared::Constant(None)),
                });
            }
            return Ok(Expression::Compound(kind, ready));
        }
        let kinds: Vec<&CqlType> = match &kind {
            CqlType::Map { key, value, .. } => {
                [&**key, &**value].into_iter().cycle().take(parts.len()).collect()
            }
            CqlType::List { of, .. } | CqlType::Set { of, .. } | CqlType::Vector { of, .. } => {
                vec![&**of; parts.len()]
            }
            CqlType::Tuple(kinds) => kinds.iter().collect(),
            CqlType::Native(_) | CqlType::Udt { .. } | CqlType::Custom(_) => {
                return Err(untyped(of.selector));
            }
        };
        for (part, kind) in parts.iter().zip(kinds) {
            ready.push(self.expression(planner, part, Some(kind))?);
        }
        Ok(Expression::Compound(kind, ready))
    }
}

/// A literal or bind marker.
fn term(
    planner: &mut Planner<'_>,
    of: &Selectable<'_>,
    term: &Term,
    wanted: Option<&CqlType>,
) -> Result<Prepared> {
    let kind = wanted.ok_or_else(|| untyped(of.selector))?;
    planner.term(term, &Receiver::new(SELECTION, kind.clone()))
}

/// Which cells of its column a selector means.
fn part_of(planner: &mut Planner<'_>, of: &Selectable<'_>) -> Result<Part> {
    match &of.what {
        What::Field(inner, at, _) => match inner.what {
            What::Column(..) => Ok(Part::Field(*at)),
            _ => part_of(planner, inner),
        },
        What::Element(inner, kind, key, key_kind, _) => match inner.what {
            What::Column(..) => {
                let key = planner.term(key, &Receiver::new("", key_kind.clone()))?;
                Ok(Part::Element(kind.clone(), key))
            }
            _ => part_of(planner, inner),
        },
        What::Slice(inner, kind, bounds, _) => match inner.what {
            What::Column(..) => {
                let [from, to] = ends(planner, kind, *bounds)?;
                Ok(Part::Slice(kind.clone(), from, to))
            }
            _ => part_of(planner, inner),
        },
        _ => Ok(Part::Whole),
    }
}

/// Where a slice of a collection begins and ends.
fn ends(
    planner: &mut Planner<'_>,
    kind: &CqlType,
    bounds: [Option<&Term>; 2],
) -> Result<[Option<Prepared>; 2]> {
    let key = match kind {
        CqlType::Map { key, .. } | CqlType::Set { of: key, .. } => (**key).clone(),
        other => other.clone(),
    };
    let receiver = Receiver::new("", key);
    let mut end = |bound: Option<&Term>| bound.map(|term| planner.term(term, &receiver)).transpose();
    Ok([end(bounds[0])?, end(bounds[1])?])
}

/// What a function in GROUP BY makes of a clustering column, and which one; none: the selector is a column.
pub(crate) fn grouping(
    planner: &mut Planner<'_>,
    table: &Table,
    selector: &Selector,
) -> Result<(usize, Option<Expression>)> {
    let selectable = Resolver { planner, table }.resolve(selector)?;
    match &selectable.what {
        What::Column(at, _) => return Ok((*at, None)),
        What::Call(function, _) if function.is_aggregate() => {
            return Err(CqlError::invalid(format!(
                "Aggregate functions are not supported within the GROUP BY clause, got: system.{}",
                function.name
            )));
        }
        _ => {}
    }
    let mut columns = Vec::new();
    selectable.columns(&mut columns);
    let at = match columns[..] {
        [] => {
            return Err(CqlError::invalid(
                "GROUP BY functions must have one clustering column name as parameter",
            ));
        }
        [at] => at,
        _ => {
            let names: Vec<&str> = columns.iter().map(|at| &*table.columns[*at].name).collect();
            return Err(CqlError::invalid(format!(
                "GROUP BY functions accept only one clustering column as parameter, got: {}",
                names.join(",")
            )));
        }
    };
    let keys = table.partition_key().len();
    if !(keys..keys + table.clustering().len()).contains(&at) {
        return Err(CqlError::invalid(format!(
            "Group by functions are only supported on clustering columns, got {}",
            table.columns[at].name
        )));
    }
    let expression = Selection::default().expression(planner, &selectable, None)?;
    Ok((at, Some(expression)))
}
