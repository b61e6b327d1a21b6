//! How well terms suit types that a function takes, before it is known which function it is.

use super::{Planner, fits, shown};
use crate::{
    core::{
        functions::{Fit, Function, Given, Wanted, negation, operation, resolve},
        types::{CqlType, Native, compare, decimal::Decimal},
    },
    error::{CqlError, Result},
    syntax::{Literal, LiteralKind, QualifiedName, Term},
};
use std::sync::Arc;

/// A term with its type, as far as it has one of its own.
pub(super) struct Typed<'t> {
    pub(super) term: &'t Term,
    pub(super) parts: Vec<Typed<'t>>,
    kind: Option<CqlType>,
}

impl Given for Typed<'_> {
    fn fit(&self, wanted: &CqlType) -> Fit {
        match self.term {
            Term::Literal(literal) => literal_fit(literal, wanted),
            Term::Null | Term::Marker(_) => Fit::Weak,
            Term::Tuple(_) if self.parts.len() == 1 && !matches!(wanted, CqlType::Tuple(_)) => {
                self.parts[0].fit(wanted)
            }
            Term::List(_) | Term::Set(_) | Term::Map(_) | Term::Tuple(_) => {
                let parts: Vec<&dyn Given> = self.parts.iter().map(|part| part as &dyn Given).collect();
                let braces = matches!(self.term, Term::Set(_) | Term::Map(_));
                compound_fit(wanted, &parts, braces)
            }
            Term::Udt(_) => match wanted {
                CqlType::Udt { .. } => Fit::Weak,
                _ => Fit::No,
            },
            // What cannot be told yet is told when the term is made ready.
            Term::Hint { .. }
            | Term::Call { .. }
            | Term::Cast { .. }
            | Term::Operation { .. }
            | Term::Negation(_) => self.kind.as_ref().map_or(Fit::Weak, |kind| wanted.fit_of(kind)),
        }
    }

    fn kind(&self) -> Option<CqlType> {
        self.kind.clone()
    }

    fn shown(&self) -> String {
        shown(self.term)
    }

    fn elements(&self) -> Option<usize> {
        matches!(self.term, Term::List(_)).then_some(self.parts.len())
    }

    fn is_null(&self) -> bool {
        *self.term == Term::Null
    }
}

/// How well a literal suits a type: exactly where it is the type that is preferred for it.
pub(crate) fn literal_fit(literal: &Literal, wanted: &CqlType) -> Fit {
    if *wanted == CqlType::Native(preferred(literal)) {
        Fit::Exact
    } else if fits(literal.kind, wanted) {
        Fit::Weak
    } else {
        Fit::No
    }
}

/// The type that is preferred for a literal: the smallest of the usual ones that holds it.
pub(crate) fn preferred(literal: &Literal) -> Native {
    match literal.kind {
        LiteralKind::String if literal.text.is_ascii() => Native::Ascii,
        LiteralKind::String => Native::Text,
        LiteralKind::Integer => match literal.text.parse::<i64>() {
            Ok(number) if i32::try_from(number).is_ok() => Native::Int,
            Ok(_) => Native::Bigint,
            Err(_) => Native::Varint,
        },
        LiteralKind::Float => {
            let double: f64 = literal.text.parse().unwrap_or(f64::NAN);
            let exact = |text: &str| Decimal::parse(text).map(|decimal| decimal.to_bytes());
            let is_double = match (exact(&literal.text), exact(&double.to_string())) {
                (Some(written), Some(read)) => compare(&Native::Decimal.into(), &written, &read).is_eq(),
                _ => true,
            };
            if is_double {
                Native::Double
            } else {
                Native::Decimal
            }
        }
        LiteralKind::Boolean => Native::Boolean,
        LiteralKind::Duration => Native::Duration,
        LiteralKind::Uuid => Native::Uuid,
        LiteralKind::Hex => Native::Blob,
    }
}

/// How well parts in brackets, braces or parentheses suit a type.
pub(crate) fn compound_fit(wanted: &CqlType, parts: &[&dyn Given], braces: bool) -> Fit {
    let all = |kinds: &mut dyn Iterator<Item = &CqlType>| {
        let fits = parts.iter().zip(kinds).map(|(part, kind)| part.fit(kind));
        fits.min().unwrap_or(Fit::Weak)
    };
    match wanted {
        CqlType::List { of, .. } if !braces => all(&mut std::iter::repeat(&**of)),
        CqlType::Vector { of, dimensions } if !braces && parts.len() == usize::from(*dimensions) => {
            all(&mut std::iter::repeat(&**of))
        }
        CqlType::Set { of, .. } if braces => all(&mut std::iter::repeat(&**of)),
        CqlType::Map { key, value, .. } if braces => all(&mut [&**key, &**value].into_iter().cycle()),
        CqlType::Tuple(kinds) if !braces && parts.len() <= kinds.len() => all(&mut kinds.iter()),
        _ => Fit::No,
    }
}

impl Planner<'_> {
    /// A term with what can be told of its type without knowing what it is for.
    pub(super) fn typed<'t>(&self, term: &'t Term) -> Typed<'t> {
        let all = |terms: &'t [Term]| terms.iter().map(|term| self.typed(term)).collect();
        let parts: Vec<Typed<'t>> = match term {
            Term::List(terms) | Term::Set(terms) | Term::Tuple(terms) => all(terms),
            Term::Call { arguments, .. } => all(arguments),
            Term::Map(entries) => entries
                .iter()
                .flat_map(|(key, value)| [self.typed(key), self.typed(value)])
                .collect(),
            Term::Operation { left, right, .. } => vec![self.typed(left), self.typed(right)],
            Term::Cast { of, .. } | Term::Negation(of) => vec![self.typed(of)],
            Term::Literal(_) | Term::Null | Term::Marker(_) | Term::Udt(_) | Term::Hint { .. } => Vec::new(),
        };
        let kind = self.own_kind(term, &parts);
        Typed { term, parts, kind }
    }

    /// Whether a term cannot be of a type.
    pub(super) fn misfits(&self, term: &Term, kind: &CqlType) -> bool {
        match term {
            Term::Literal(literal) => !fits(literal.kind, kind),
            other => self.typed(other).fit(kind) == Fit::No,
        }
    }

    fn own_kind(&self, term: &Term, parts: &[Typed<'_>]) -> Option<CqlType> {
        let first = |from: usize| {
            let mut kinds = parts
                .iter()
                .skip(from)
                .step_by(from + 1)
                .map(|part| part.kind.clone());
            kinds.find_map(|kind| kind).map(Arc::new)
        };
        match term {
            Term::Literal(literal) => Some(preferred(literal).into()),
            Term::Hint { kind, .. } => self.kind(kind).ok(),
            Term::List(_) => Some(CqlType::List {
                of: first(0)?,
                frozen: true,
            }),
            Term::Set(_) => Some(CqlType::Set {
                of: first(0)?,
                frozen: true,
            }),
            Term::Map(_) => Some(CqlType::Map {
                key: parts
                    .iter()
                    .step_by(2)
                    .find_map(|part| part.kind.clone())
                    .map(Arc::new)?,
                value: first(1)?,
                frozen: true,
            }),
            Term::Tuple(_) if parts.len() == 1 => parts[0].kind.clone(),
            Term::Tuple(_) => {
                let kinds: Option<Vec<CqlType>> = parts.iter().map(|part| part.kind.clone()).collect();
                kinds.map(|kinds| CqlType::Tuple(kinds.into()))
            }
            Term::Null | Term::Marker(_) | Term::Udt(_) => None,
            Term::Call { .. } | Term::Cast { .. } | Term::Operation { .. } | Term::Negation(_) => {
                let function = self.function_of(term, parts, None).ok()??;
                Some(function.returns)
            }
        }
    }

    /// The function that a term calls; none where there is none of that name.
    pub(super) fn function_of(
        &self,
        term: &Term,
        parts: &[Typed<'_>],
        receiver: Option<&CqlType>,
    ) -> Result<Option<Function>> {
        let keys = self.partition_key();
        let wanted = Wanted {
            receiver,
            partition_key: keys.as_deref(),
            own: &[],
        };
        let given: Vec<&dyn Given> = parts.iter().map(|part| part as &dyn Given).collect();
        match (term, given.as_slice()) {
            (Term::Call { function, .. }, given) => self.called(function, given, &wanted),
            (Term::Cast { to, .. }, given) => resolve(&format!("cast_as_{}", to.name()), given, &wanted),
            (Term::Operation { operator, .. }, [left, right]) => {
                operation(*operator, [*left, *right], &wanted).map(Some)
            }
            (Term::Negation(_), [of]) => negation(*of, &wanted).map(Some),
            _ => Err(CqlError::Server("a term that calls nothing".to_owned())),
        }
    }

    /// The function of a name that may say its keyspace.
    pub(crate) fn called(
        &self,
        name: &QualifiedName,
        given: &[&dyn Given],
        wanted: &Wanted<'_>,
    ) -> Result<Option<Function>> {
        if name
            .keyspace
            .as_deref()
            .is_some_and(|keyspace| keyspace != "system")
        {
            return Ok(None);
        }
        resolve(&name.name, given, wanted)
    }

    /// Types of the partition key of the statement's table.
    pub(crate) fn partition_key(&self) -> Option<Vec<CqlType>> {
        let table = self.schema.table(&self.keyspace, &self.table)?;
        Some(table.partition_key().iter().map(|key| key.kind.clone()).collect())
    }
}
