//! Selectors whose names are resolved: which columns and functions they mean, before anybody says what is wanted of them.

use super::names::{is_row_count, name};
use crate::{
    core::{
        functions::{Fit, Function, Given, Operator, Wanted, cast, negation, operation},
        schema::Table,
        types::{CqlType, Native},
    },
    error::{CqlError, Result},
    statements::{
        restrictions::existing,
        select::{Selector, TimeOf},
        terms::{Planner, compound_fit, literal_fit, preferred},
    },
    syntax::{QualifiedName, Term},
};
use std::sync::Arc;

/// A selector, and what it was found to be.
pub(super) struct Selectable<'s> {
    pub(super) selector: &'s Selector,
    pub(super) what: What<'s>,
}

/// What a selector is.
pub(super) enum What<'s> {
    Column(usize, CqlType),
    Term(&'s Term),
    Call(Function, Vec<Selectable<'s>>),
    Hint(CqlType, Box<Selectable<'s>>),
    /// The column, or the part of it, is within.
    Time(TimeOf, usize, Box<Selectable<'s>>, CqlType),
    /// A field of a user-defined type, by its position.
    Field(Box<Selectable<'s>>, usize, CqlType),
    /// An element of a collection of a type, its key's type and its own.
    Element(Box<Selectable<'s>>, CqlType, &'s Term, CqlType, CqlType),
    Slice(Box<Selectable<'s>>, CqlType, [Option<&'s Term>; 2], CqlType),
    /// In brackets, braces or parentheses. Entries of maps are flattened.
    Compound(Vec<Selectable<'s>>),
}

impl Given for Selectable<'_> {
    fn fit(&self, wanted: &CqlType) -> Fit {
        match &self.what {
            What::Term(Term::Literal(literal)) => literal_fit(literal, wanted),
            What::Term(_) => Fit::Weak,
            What::Compound(parts) => self.fit_of_parts(wanted, parts),
            _ => self.kind().map_or(Fit::No, |kind| wanted.fit_of(&kind)),
        }
    }

    fn kind(&self) -> Option<CqlType> {
        match &self.what {
            What::Term(Term::Literal(literal)) => Some(preferred(literal).into()),
            _ => self.exact_kind(),
        }
    }

    fn shown(&self) -> String {
        name(self.selector)
    }

    fn elements(&self) -> Option<usize> {
        match (self.selector, &self.what) {
            (Selector::List(_), What::Compound(parts)) => Some(parts.len()),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self.what, What::Term(Term::Null))
    }
}

impl Selectable<'_> {
    /// Its type, unless a place has to want one first.
    pub(super) fn exact_kind(&self) -> Option<CqlType> {
        let shared = |part: &Selectable<'_>| part.exact_kind().map(Arc::new);
        match &self.what {
            What::Term(_) => None,
            What::Call(function, _) => Some(function.returns.clone()),
            What::Column(_, kind)
            | What::Hint(kind, _)
            | What::Time(.., kind)
            | What::Field(.., kind)
            | What::Element(.., kind)
            | What::Slice(.., kind) => Some(kind.clone()),
            What::Compound(parts) => match self.selector {
                Selector::List(_) => Some(CqlType::List {
                    of: parts.iter().find_map(shared)?,
                    frozen: true,
                }),
                Selector::Set(_) => Some(CqlType::Set {
                    of: parts.iter().find_map(shared)?,
                    frozen: true,
                }),
                // A map or a value of a user-defined type.
                Selector::MapOrUdt(_) => None,
                // One in parentheses may be a tuple or not.
                _ if parts.len() == 1 => None,
                _ => {
                    let kinds: Option<Vec<CqlType>> = parts.iter().map(Selectable::exact_kind).collect();
                    kinds.map(|kinds| CqlType::Tuple(kinds.into()))
                }
            },
        }
    }

    /// The columns that it reads.
    pub(super) fn columns(&self, found: &mut Vec<usize>) {
        match &self.what {
            What::Column(at, _) if !found.contains(at) => found.push(*at),
            What::Column(..) | What::Term(_) => {}
            What::Call(_, parts) | What::Compound(parts) => parts.iter().for_each(|part| part.columns(found)),
            What::Hint(_, of)
            | What::Time(_, _, of, _)
            | What::Field(of, ..)
            | What::Element(of, ..)
            | What::Slice(of, ..) => of.columns(found),
        }
    }

    fn fit_of_parts(&self, wanted: &CqlType, parts: &[Selectable<'_>]) -> Fit {
        if let (Selector::Tuple(_), [only], false) =
            (self.selector, parts, matches!(wanted, CqlType::Tuple(_)))
        {
            return only.fit(wanted);
        }
        if let (Selector::MapOrUdt(_), CqlType::Udt { .. }) = (self.selector, wanted) {
            return Fit::Weak;
        }
        let given: Vec<&dyn Given> = parts.iter().map(|part| part as &dyn Given).collect();
        let braces = matches!(self.selector, Selector::Set(_) | Selector::MapOrUdt(_));
        compound_fit(wanted, &given, braces)
    }
}

/// Resolves the names of one selection.
pub(super) struct Resolver<'p, 'a> {
    pub(super) planner: &'p Planner<'a>,
    pub(super) table: &'p Table,
}

impl Resolver<'_, '_> {
    /// What a selector means.
    pub(super) fn resolve<'s>(&self, selector: &'s Selector) -> Result<Selectable<'s>> {
        let what = match selector {
            Selector::Column(name) => {
                let (at, column) = existing(self.table, name)?;
                What::Column(at, column.kind.clone())
            }
            Selector::Term(term) => What::Term(term),
            Selector::CountRows => self.call(&native("count_rows"), Vec::new())?,
            Selector::Call { function, arguments } => {
                if is_row_count(function, arguments) {
                    self.call(&native("count_rows"), Vec::new())?
                } else {
                    self.call(function, self.all(arguments)?)?
                }
            }
            Selector::Time { kind, of } => self.time(*kind, of)?,
            Selector::Cast { of, to } => self.cast(of, *to)?,
            Selector::Hint { kind, of } => What::Hint(self.planner.kind(kind)?, Box::new(self.resolve(of)?)),
            Selector::Operation {
                operator,
                left,
                right,
            } => self.operation(*operator, left, right)?,
            Selector::Negation(of) => {
                let of = self.resolve(of)?;
                What::Call(negation(&of, &Wanted::default())?, vec![of])
            }
            Selector::Field { of, field } => self.field(of, field)?,
            Selector::Element { of, key } => {
                let (of, kind) = self.whole(of)?;
                let (key_kind, own) = parts(&kind, of.selector, "element")?;
                What::Element(Box::new(of), kind, key, key_kind, own)
            }
            Selector::Slice { of, from, to } => {
                let (of, kind) = self.whole(of)?;
                parts(&kind, of.selector, "slice")?;
                let ends = [from.as_ref(), to.as_ref()];
                What::Slice(Box::new(of), kind.clone(), ends, kind.freeze())
            }
            Selector::List(all) | Selector::Set(all) | Selector::Tuple(all) => What::Compound(self.all(all)?),
            Selector::MapOrUdt(entries) => What::Compound(self.entries(entries)?),
        };
        Ok(Selectable { selector, what })
    }

    fn all<'s>(&self, selectors: &'s [Selector]) -> Result<Vec<Selectable<'s>>> {
        selectors.iter().map(|one| self.resolve(one)).collect()
    }

    /// Keys of a value of a user-defined type are no columns.
    fn entries<'s>(&self, entries: &'s [(Selector, Selector)]) -> Result<Vec<Selectable<'s>>> {
        let mut parts = Vec::with_capacity(2 * entries.len());
        for (key, value) in entries {
            let unknown = matches!(key, Selector::Column(name) if self.table.position(name).is_none());
            parts.push(if unknown {
                Selectable {
                    selector: key,
                    what: What::Compound(Vec::new()),
                }
            } else {
                self.resolve(key)?
            });
            parts.push(self.resolve(value)?);
        }
        Ok(parts)
    }

    fn call<'s>(&self, function: &QualifiedName, arguments: Vec<Selectable<'s>>) -> Result<What<'s>> {
        let keys: Vec<CqlType> = self
            .table
            .partition_key()
            .iter()
            .map(|key| key.kind.clone())
            .collect();
        let wanted = Wanted {
            partition_key: Some(&keys),
            ..Wanted::default()
        };
        let given: Vec<&dyn Given> = arguments.iter().map(|one| one as &dyn Given).collect();
        let found = self.planner.called(function, &given, &wanted)?;
        let found = found.ok_or_else(|| CqlError::invalid(format!("Unknown function '{function}'")))?;
        Ok(What::Call(found, arguments))
    }

    fn cast<'s>(&self, of: &'s Selector, to: Native) -> Result<What<'s>> {
        let of = self.resolve(of)?;
        if let What::Term(_) = of.what {
            return Err(untyped(of.selector));
        }
        Ok(match cast(&of, to)? {
            Some(function) => What::Call(function, vec![of]),
            None => What::Hint(to.into(), Box::new(of)),
        })
    }

    fn operation<'s>(&self, operator: Operator, left: &'s Selector, right: &'s Selector) -> Result<What<'s>> {
        let (left, right) = (self.resolve(left)?, self.resolve(right)?);
        let function = operation(operator, [&left, &right], &Wanted::default())?;
        Ok(What::Call(function, vec![left, right]))
    }

    fn field<'s>(&self, of: &'s Selector, field: &str) -> Result<What<'s>> {
        let of = self.resolve(of)?;
        let kind = of.exact_kind().ok_or_else(|| untyped(of.selector))?;
        let CqlType::Udt { of: user_type, .. } = &kind else {
            return Err(CqlError::invalid(format!(
                "Invalid field selection: {} of type {kind} is not a user type",
                name(of.selector)
            )));
        };
        let at = user_type.fields.iter().position(|(name, _)| **name == *field);
        let at = at.ok_or_else(|| {
            CqlError::invalid(format!(
                "{} of type {} has no field {field}",
                name(of.selector),
                user_type.name
            ))
        })?;
        let own = user_type.fields[at].1.clone();
        Ok(What::Field(Box::new(of), at, own))
    }

    /// A selector of which a part is wanted, and its type.
    fn whole<'s>(&self, of: &'s Selector) -> Result<(Selectable<'s>, CqlType)> {
        let of = self.resolve(of)?;
        let kind = of.exact_kind().ok_or_else(|| untyped(of.selector))?;
        Ok((of, kind))
    }

    /// When cells of a column were written, or until when they live.
    fn time<'s>(&self, kind: TimeOf, of: &'s Selector) -> Result<What<'s>> {
        let mut root = of;
        while let Selector::Field { of, .. } | Selector::Element { of, .. } | Selector::Slice { of, .. } =
            root
        {
            root = of;
        }
        let own = self.resolve(of)?;
        let Selector::Column(column) = root else {
            return Err(CqlError::invalid(format!(
                "Cannot use selection function {} on {}",
                kind.name(),
                name(of)
            )));
        };
        let (at, column) = existing(self.table, column)?;
        if at < self.table.partition_key().len() + self.table.clustering().len() {
            return Err(CqlError::invalid(format!(
                "Cannot use selection function {} on PRIMARY KEY part {}",
                kind.name(),
                column.name
            )));
        }
        let one: CqlType = if kind == TimeOf::Ttl {
            Native::Int.into()
        } else {
            Native::Bigint.into()
        };
        let several = column.kind.is_multi_cell()
            && kind != TimeOf::MaxWriteTime
            && matches!(own.what, What::Column(..) | What::Slice(..));
        let result = if several {
            CqlType::List {
                of: Arc::new(one),
                frozen: true,
            }
        } else {
            one
        };
        Ok(What::Time(kind, at, Box::new(own), result))
    }
}

fn native(name: &str) -> QualifiedName {
    QualifiedName {
        keyspace: None,
        name: name.to_owned(),
    }
}

/// What is refused where a selector's type cannot be told.
pub(super) fn untyped(selector: &Selector) -> CqlError {
    CqlError::invalid(format!(
        "Cannot infer type for term {} in selection clause (try using a cast to force a type)",
        name(selector)
    ))
}

/// The type of keys and of values of a collection.
fn parts(kind: &CqlType, selector: &Selector, what: &str) -> Result<(CqlType, CqlType)> {
    match kind {
        CqlType::Map { key, value, .. } => Ok(((**key).clone(), (**value).clone())),
        CqlType::Set { of, .. } => Ok(((**of).clone(), (**of).clone())),
        CqlType::List { .. } => Err(CqlError::invalid(format!(
            "{} selection is only allowed on sets and maps, but {} is a list",
            if what == "slice" { "Slice" } else { "Element" },
            name(selector)
        ))),
        _ => Err(CqlError::invalid(format!(
            "Invalid {what} selection: {} is of type {kind} is not a collection",
            name(selector)
        ))),
    }
}
