use super::Prepared;
use crate::{
    core::{
        schema::{Schema, Table},
        types::{CqlType, Native, literal, names::RawType},
    },
    engine::ColumnSpec,
    error::{CqlError, Result},
    syntax::{LiteralKind, Marker, Term},
};
use std::sync::Arc;

/// The place that a term is for: it says which type is wanted, and errors name it.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    pub(crate) name: Arc<str>,
    pub(crate) kind: CqlType,
}

impl Receiver {
    pub(crate) fn new(name: impl Into<Arc<str>>, kind: CqlType) -> Self {
        Receiver {
            name: name.into(),
            kind,
        }
    }

    fn native(name: &str, native: Native) -> Self {
        Receiver::new(name, CqlType::Native(native))
    }

    fn part(&self, what: &str, kind: &CqlType) -> Self {
        Receiver::new(format!("{what}({})", self.name), kind.clone())
    }
}

/// Prepares the terms of one statement, and learns what its bind markers are.
pub(crate) struct Planner<'a> {
    pub(crate) schema: &'a Schema,
    /// The keyspace and table that bind markers are said to belong to, and whose functions are found by their bare names.
    pub(crate) keyspace: Arc<str>,
    pub(crate) table: Arc<str>,
    markers: Vec<Option<ColumnSpec>>,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(schema: &'a Schema, keyspace: Arc<str>, table: Arc<str>, markers: usize) -> Self {
        Planner {
            schema,
            keyspace,
            table,
            markers: vec![None; markers],
        }
    }

    /// What each bind marker is.
    pub(crate) fn markers(self) -> Result<Vec<ColumnSpec>> {
        let unknown = || CqlError::invalid("A bind marker's type cannot be told");
        self.markers
            .into_iter()
            .map(|marker| marker.ok_or_else(unknown))
            .collect()
    }

    /// A bind marker for `receiver`.
    pub(crate) fn marker(&mut self, marker: &Marker, receiver: &Receiver) -> Prepared {
        let index = usize::from(marker.index);
        let name = marker.name.clone().unwrap_or_else(|| receiver.name.clone());
        if let Some(spec) = self.markers.get_mut(index) {
            *spec = Some(ColumnSpec {
                keyspace: self.keyspace.clone(),
                table: self.table.clone(),
                name,
                kind: receiver.kind.clone(),
            });
        }
        Prepared::Marker {
            index,
            kind: receiver.kind.clone(),
        }
    }

    /// `[limit]`, `[ttl]` and their like.
    pub(crate) fn attribute(&mut self, term: &Term, name: &str, native: Native) -> Result<Prepared> {
        self.term(term, &Receiver::native(name, native))
    }

    /// Any term for `receiver`.
    pub(crate) fn term(&mut self, term: &Term, receiver: &Receiver) -> Result<Prepared> {
        match term {
            Term::Null => Ok(Prepared::Constant(None)),
            Term::Literal(literal) => constant(literal.kind, &literal.text, receiver),
            Term::Marker(marker) => Ok(self.marker(marker, receiver)),
            Term::List(elements) => self.list(elements, receiver),
            Term::Set(elements) => self.set(elements, receiver),
            Term::Map(entries) => self.map(entries, receiver),
            Term::Udt(fields) => self.user_type(fields, receiver),
            Term::Tuple(fields) => self.tuple(fields, receiver),
            Term::Call { .. }
            | Term::Cast { .. }
            | Term::Hint { .. }
            | Term::Operation { .. }
            | Term::Negation(_) => self.computed(term, receiver),
        }
    }

    /// What `token(partition key)` is compared with.
    pub(crate) fn token_term(&mut self, table: &Table, term: &Term) -> Result<Prepared> {
        let Term::Call { function, arguments } = term else {
            let receiver = Receiver::native("partition key token", Native::Bigint);
            return self.term(term, &receiver);
        };
        let keys = table.partition_key();
        if function.name != "token" || arguments.len() != keys.len() {
            return Err(CqlError::invalid(format!(
                "Invalid number of arguments for function {function}, {} required but {} provided",
                keys.len(),
                arguments.len()
            )));
        }
        let mut parts = Vec::with_capacity(keys.len());
        for (argument, key) in arguments.iter().zip(keys) {
            parts.push(self.term(argument, &Receiver::new(key.name.clone(), key.kind.clone()))?);
        }
        Ok(Prepared::Token(parts))
    }

    /// The type that a name means.
    pub(crate) fn kind(&self, raw: &RawType) -> Result<CqlType> {
        let known = self.schema.keyspaces.get(&self.keyspace);
        let types = |name: &str| known.and_then(|keyspace| keyspace.types.get(name).cloned());
        Ok(raw.resolve(&self.keyspace, &types)?.freeze())
    }

    fn list(&mut self, elements: &[Term], receiver: &Receiver) -> Result<Prepared> {
        let of = match &receiver.kind {
            CqlType::List { of, .. } => of,
            CqlType::Vector { of, dimensions } => {
                if elements.len() != usize::from(*dimensions) {
                    return Err(CqlError::invalid(format!(
                        "Invalid vector literal for {} of type {}; expected {} elements, but given {}",
                        receiver.name,
                        receiver.kind,
                        dimensions,
                        elements.len()
                    )));
                }
                of
            }
            other => {
                return Err(CqlError::invalid(format!(
                    "Unexpected receiver type '{other}'; only list and vector are expected"
                )));
            }
        };
        let literal = if matches!(receiver.kind, CqlType::Vector { .. }) {
            "vector"
        } else {
            "list"
        };
        let element = receiver.part("value", of);
        let parts = self.elements(literal, elements, &element, receiver)?;
        compound(receiver, parts)
    }

    fn elements(
        &mut self,
        literal: &str,
        elements: &[Term],
        element: &Receiver,
        receiver: &Receiver,
    ) -> Result<Vec<Prepared>> {
        let refused = |term: &Term| {
            CqlError::invalid(format!(
                "Invalid {literal} literal for {}: value {} is not of type {}",
                receiver.name,
                shown(term),
                element.kind
            ))
        };
        let mut parts = Vec::with_capacity(elements.len());
        for term in elements {
            if self.misfits(term, &element.kind) {
                return Err(refused(term));
            }
            parts.push(self.term(term, element)?);
        }
        Ok(parts)
    }

    fn set(&mut self, elements: &[Term], receiver: &Receiver) -> Result<Prepared> {
        match &receiver.kind {
            CqlType::Set { of, .. } => {
                let element = receiver.part("value", of);
                let parts = self.elements("set", elements, &element, receiver)?;
                compound(receiver, parts)
            }
            CqlType::Map { .. } if elements.is_empty() => compound(receiver, Vec::new()),
            _ => Err(misfit("set", receiver)),
        }
    }

    fn map(&mut self, entries: &[(Term, Term)], receiver: &Receiver) -> Result<Prepared> {
        let CqlType::Map { key, value, .. } = &receiver.kind else {
            return Err(misfit("map", receiver));
        };
        let (key, value) = (receiver.part("key", key), receiver.part("value", value));
        let mut parts = Vec::with_capacity(entries.len() * 2);
        for (entry_key, entry_value) in entries {
            for (term, part, what) in [(entry_key, &key, "key"), (entry_value, &value, "value")] {
                if self.misfits(term, &part.kind) {
                    return Err(CqlError::invalid(format!(
                        "Invalid map literal for {}: {what} {} is not of type {}",
                        receiver.name,
                        shown(term),
                        part.kind
                    )));
                }
                parts.push(self.term(term, part)?);
            }
        }
        compound(receiver, parts)
    }

    fn user_type(&mut self, fields: &[(String, Term)], receiver: &Receiver) -> Result<Prepared> {
        let CqlType::Udt { of, .. } = &receiver.kind else {
            return Err(misfit("user type", receiver));
        };
        let known = |name: &str| of.fields.iter().any(|(field, _)| &**field == name);
        if let Some((name, _)) = fields.iter().find(|(name, _)| !known(name)) {
            return Err(CqlError::invalid(format!(
                "Unknown field '{name}' in value of user defined type {}",
                of.name
            )));
        }
        let mut parts = Vec::with_capacity(of.fields.len());
        for (name, kind) in &of.fields {
            let given = fields.iter().rfind(|(field, _)| **field == **name);
            parts.push(match given {
                Some((_, term)) if self.misfits(term, kind) => {
                    return Err(CqlError::invalid(format!(
                        "Invalid user type literal for {}: field {name} is not of type {kind}",
                        receiver.name
                    )));
                }
                Some((_, term)) => self.term(term, &field_of(receiver, name, kind))?,
                None => Prepared::Constant(None),
            });
        }
        compound(receiver, parts)
    }

    fn tuple(&mut self, fields: &[Term], receiver: &Receiver) -> Result<Prepared> {
        // One term in parentheses is that term.
        if let ([term], false) = (fields, matches!(receiver.kind, CqlType::Tuple(_))) {
            return self.term(term, receiver);
        }
        let most = match &receiver.kind {
            CqlType::Tuple(kinds) => kinds.len(),
            CqlType::Udt { of, .. } => of.fields.len(),
            _ => usize::MAX,
        };
        if fields.len() > most {
            return Err(CqlError::invalid(format!(
                "Invalid tuple literal for {}: too many elements. Type {} expects {most} but got {}",
                receiver.name,
                receiver.kind,
                fields.len()
            )));
        }
        let CqlType::Tuple(kinds) = &receiver.kind else {
            return Err(match &receiver.kind {
                CqlType::Udt { .. } => a_tuple_for_a_user_type(),
                _ => misfit("tuple type", receiver),
            });
        };
        let mut parts = Vec::with_capacity(fields.len());
        for (index, (term, kind)) in fields.iter().zip(kinds.iter()).enumerate() {
            if self.misfits(term, kind) {
                return Err(CqlError::invalid(format!(
                    "Invalid tuple literal for {}: component {index} is not of type {kind}",
                    receiver.name
                )));
            }
            parts.push(self.term(
                term,
                &Receiver::new(format!("{}[{index}]", receiver.name), kind.clone()),
            )?);
        }
        compound(receiver, parts)
    }
}

/// A constant for `receiver`.
fn constant(literal: LiteralKind, text: &str, receiver: &Receiver) -> Result<Prepared> {
    if !fits(literal, &receiver.kind) {
        return Err(CqlError::invalid(format!(
            "Invalid {} constant ({text}) for \"{}\" of type {}",
            kind_name(literal),
            receiver.name,
            receiver.kind
        )));
    }
    let value = literal::parse(&receiver.kind, text)?;
    Ok(Prepared::Constant(Some(value.into())))
}

/// Puts `parts` together at once where none of them has to be bound.
fn compound(receiver: &Receiver, parts: Vec<Prepared>) -> Result<Prepared> {
    let constant = parts.iter().all(Prepared::is_constant);
    let prepared = Prepared::Compound {
        kind: receiver.kind.clone(),
        parts,
    };
    if constant { prepared.folded() } else { Ok(prepared) }
}

fn field_of(receiver: &Receiver, name: &str, kind: &CqlType) -> Receiver {
    Receiver::new(format!("{}.{name}", receiver.name), kind.clone())
}

fn misfit(literal: &str, receiver: &Receiver) -> CqlError {
    CqlError::invalid(format!(
        "Invalid {literal} literal for {} of type {}",
        receiver.name, receiver.kind
    ))
}

/// The original takes it for a value of the type, and fails when it is to be stored.
fn a_tuple_for_a_user_type() -> CqlError {
    let (tuple, wanted) = (
        "org.apache.cassandra.cql3.Tuples$Value",
        "org.apache.cassandra.cql3.UserTypes$Value",
    );
    CqlError::Server(format!(
        "java.lang.ClassCastException: class {tuple} cannot be cast to class {wanted} ({tuple} and {wanted} are in unnamed \
         module of loader 'app')"
    ))
}

fn kind_name(literal: LiteralKind) -> &'static str {
    match literal {
        LiteralKind::String => "STRING",
        LiteralKind::Integer => "INTEGER",
        LiteralKind::Float => "FLOAT",
        LiteralKind::Boolean => "BOOLEAN",
        LiteralKind::Duration => "DURATION",
        LiteralKind::Uuid => "UUID",
        LiteralKind::Hex => "HEX",
    }
}

/// Whether constants of that kind are taken for a type.
pub(crate) fn fits(literal: LiteralKind, kind: &CqlType) -> bool {
    let native = match kind {
        CqlType::Native(native) => *native,
        CqlType::Custom(_) => return literal == LiteralKind::String,
        _ => return false,
    };
    match literal {
        LiteralKind::String => matches!(
            native,
            Native::Ascii | Native::Text | Native::Inet | Native::Date | Native::Time | Native::Timestamp
        ),
        LiteralKind::Integer => matches!(
            native,
            Native::Bigint
                | Native::Counter
                | Native::Date
                | Native::Decimal
                | Native::Double
                | Native::Duration
                | Native::Float
                | Native::Int
                | Native::Smallint
                | Native::Time
                | Native::Timestamp
                | Native::Tinyint
                | Native::Varint
        ),
        LiteralKind::Uuid => matches!(native, Native::Uuid | Native::Timeuuid),
        LiteralKind::Float => matches!(native, Native::Decimal | Native::Double | Native::Float),
        LiteralKind::Boolean => native == Native::Boolean,
        LiteralKind::Hex => native == Native::Blob,
        LiteralKind::Duration => native == Native::Duration,
    }
}

/// A term as errors show it.
pub(crate) fn shown(term: &Term) -> String {
    let all = |terms: &[Term]| terms.iter().map(shown).collect::<Vec<_>>().join(", ");
    match term {
        Term::Literal(literal) if literal.kind == LiteralKind::String => format!("'{}'", literal.text),
        Term::Literal(literal) => literal.text.to_string(),
        Term::Null => "NULL".to_owned(),
        Term::Marker(marker) => match &marker.name {
            Some(name) => format!(":{name}"),
            None => "?".to_owned(),
        },
        Term::List(terms) => format!("[{}]", all(terms)),
        Term::Set(terms) => format!("{{{}}}", all(terms)),
        Term::Tuple(terms) => format!("({})", all(terms)),
        Term::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", shown(key), shown(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Term::Udt(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", shown(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Term::Call { function, arguments } => format!("{function}({})", all(arguments)),
        Term::Cast { of, to } => format!("cast({} as {})", shown(of), CqlType::Native(*to)),
        Term::Hint { kind, of } => format!("({kind}){}", shown(of)),
        Term::Operation {
            operator,
            left,
            right,
        } => format!("{} {} {}", shown(left), operator.sign(), shown(right)),
        Term::Negation(of) => format!("-{}", shown(of)),
    }
}
