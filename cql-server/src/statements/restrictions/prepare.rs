use super::{
    Options, Purpose, Restriction, Restrictions, Test,
    place::{place_clustering, place_partition},
};
use crate::{
    core::{
        schema::{Column, Role, Table},
        types::{CqlType, Native, names::quoted},
    },
    error::{CqlError, Result},
    statements::terms::{Planner, Prepared, Receiver, shown},
    syntax::{Comparison, InValues, Relation, Term},
};
use std::sync::Arc;

/// Makes WHERE ready. `is_indexed`: whether an index answers a restriction; the caller picks one of them then.
pub(crate) fn prepare(
    planner: &mut Planner<'_>,
    table: &Table,
    relations: &[Relation],
    purpose: Purpose,
    only_statics: bool,
) -> Result<Restrictions> {
    let mut out = Restrictions::default();
    let mut all: Vec<Restriction> = Vec::new();
    for relation in relations {
        match relation {
            Relation::Token {
                columns,
                operator,
                term,
            } => {
                out.token.push((
                    *operator,
                    token(planner, table, columns, *operator, term, purpose)?,
                ));
            }
            other => {
                let refused = match other {
                    Relation::Contains { .. } => Some("CONTAINS"),
                    Relation::ContainsKey { .. } => Some("CONTAINS KEY"),
                    _ => None,
                };
                if let (Some(operator), false) = (refused, matches!(purpose, Purpose::Select { .. })) {
                    return Err(CqlError::invalid(format!(
                        "Cannot use {} with {operator}",
                        purpose.name()
                    )));
                }
                let added = restriction(planner, table, other)?;
                add(&mut all, table, added)?;
            }
        }
    }
    all.sort_by_key(|restriction| restriction.columns[0]);
    let keys = table.partition_key().len();
    let clusterings = keys + table.clustering().len();
    let (partition, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.columns[0] < keys);
    let (clustering, regular): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|one| one.columns[0] < clusterings);
    place_partition(&mut out, table, partition, purpose)?;
    place_clustering(&mut out, table, clustering, purpose, only_statics)?;
    if !regular.is_empty() && !matches!(purpose, Purpose::Select { .. }) {
        let names: Vec<&str> = regular
            .iter()
            .map(|one| &*table.columns[one.columns[0]].name)
            .collect();
        return Err(CqlError::invalid(format!(
            "Non PRIMARY KEY columns found in where clause: {} ",
            names.join(", ")
        )));
    }
    out.filters.extend(regular);
    Ok(out)
}

/// One relation but those on tokens.
fn restriction(planner: &mut Planner<'_>, table: &Table, relation: &Relation) -> Result<Restriction> {
    let (column, test) = match relation {
        Relation::Column {
            column,
            operator,
            term,
        } => compared(planner, table, column, *operator, term)?,
        Relation::In { column, values } => {
            let (at, found) = existing(table, column)?;
            refuse_collection(found, "IN")?;
            (
                at,
                Test::In(options(planner, values, &receiver(found), &found.name)?),
            )
        }
        Relation::Contains { column, term } => contains(planner, table, column, term, false)?,
        Relation::ContainsKey { column, term } => contains(planner, table, column, term, true)?,
        Relation::Element {
            column,
            key,
            operator,
            term,
        } => entry(planner, table, column, key, *operator, term)?,
        Relation::Like { column, term } => {
            let (_, found) = existing(table, column)?;
            planner.term(term, &receiver(found))?;
            let shown = crate::statements::terms::shown(term);
            return Err(CqlError::invalid(format!(
                "LIKE restriction is only supported on properly indexed columns. {column} LIKE {shown} is not valid."
            )));
        }
        Relation::IsNotNull { column } => {
            existing(table, column)?;
            return Err(CqlError::invalid(format!(
                "Unsupported restriction: {column} IS NOT NULL"
            )));
        }
        Relation::Tuple {
            columns,
            operator,
            term,
        } => return tuple(planner, table, columns, *operator, term),
        Relation::TupleIn { columns, values } => return tuple_in(planner, table, columns, values),
        Relation::Expression { index, .. } => {
            return Err(CqlError::invalid(format!("Invalid index name: {index}")));
        }
        Relation::Token { .. } => {
            return Err(CqlError::Server("token relations are placed before".to_owned()));
        }
    };
    Ok(Restriction {
        columns: vec![column],
        test,
        is_tuple: false,
    })
}

/// `column = term` and its like.
fn compared(
    planner: &mut Planner<'_>,
    table: &Table,
    column: &str,
    operator: Comparison,
    term: &Term,
) -> Result<(usize, Test)> {
    let (at, found) = existing(table, column)?;
    refuse_collection(found, operator.sign())?;
    let receiver = receiver(found);
    let test = match operator {
        Comparison::Equal => Test::Equal(planner.term(term, &receiver)?),
        Comparison::NotEqual => {
            let shown = crate::statements::terms::shown(term);
            return Err(CqlError::invalid(format!(
                "Unsupported \"!=\" relation: {column} != {shown}"
            )));
        }
        _ => {
            refuse_duration(found)?;
            Test::Slice(vec![(operator, planner.term(term, &receiver)?)])
        }
    };
    Ok((at, test))
}

/// `column[key] = term`
fn entry(
    planner: &mut Planner<'_>,
    table: &Table,
    column: &str,
    key: &Term,
    operator: Comparison,
    term: &Term,
) -> Result<(usize, Test)> {
    let (at, found) = existing(table, column)?;
    if matches!(found.kind, CqlType::List { .. }) {
        return Err(CqlError::invalid(
            "Indexes on list entries (l[index] = value) are not currently supported.",
        ));
    }
    let CqlType::Map { key: of, value, .. } = &found.kind else {
        return Err(CqlError::invalid(format!(
            "Column {} cannot be used as a map",
            found.name
        )));
    };
    if operator != Comparison::Equal {
        return Err(CqlError::invalid(
            "Only EQ relations are supported on map entries",
        ));
    }
    let part = |what: &str, kind: &CqlType| Receiver::new(format!("{what}({})", found.name), kind.clone());
    let key = planner.term(key, &part("key", of))?;
    Ok((at, Test::Entry(key, planner.term(term, &part("value", value))?)))
}

/// The column of that name.
pub(crate) fn existing<'t>(table: &'t Table, name: &str) -> Result<(usize, &'t Column)> {
    let at = table.position(name);
    let found = at.and_then(|at| Some((at, table.columns.get(at)?)));
    found.ok_or_else(|| {
        CqlError::invalid(format!(
            "Undefined column name {} in table {}.{}",
            quoted(name),
            quoted(&table.keyspace),
            quoted(&table.name)
        ))
    })
}

fn receiver(column: &Column) -> Receiver {
    Receiver::new(column.name.clone(), column.kind.clone())
}

fn refuse_collection(column: &Column, sign: &str) -> Result<()> {
    if column.kind.is_multi_cell() {
        let what = if matches!(column.kind, CqlType::Udt { .. }) {
            "UDT"
        } else {
            "Collection"
        };
        return Err(CqlError::invalid(if what == "UDT" {
            format!(
                "Non-frozen UDT column '{}' ({}) cannot be restricted by any relation",
                column.name, column.kind
            )
        } else {
            format!(
                "Collection column '{}' ({}) cannot be restricted by a '{sign}' relation",
                column.name, column.kind
            )
        }));
    }
    Ok(())
}

fn refuse_duration(column: &Column) -> Result<()> {
    if column.kind == CqlType::Native(Native::Duration) {
        return Err(CqlError::invalid(
            "Slice restrictions are not supported on duration columns",
        ));
    }
    Ok(())
}

fn options(
    planner: &mut Planner<'_>,
    values: &InValues,
    receiver: &Receiver,
    column: &str,
) -> Result<Options> {
    Ok(match values {
        InValues::List(terms) => Options::List(
            terms
                .iter()
                .map(|term| planner.term(term, receiver))
                .collect::<Result<_>>()?,
        ),
        InValues::Marker(marker) => {
            let list = CqlType::List {
                of: Arc::new(receiver.kind.clone()),
                frozen: true,
            };
            Options::Whole(planner.marker(marker, &Receiver::new(format!("in({column})"), list)))
        }
    })
}

fn contains(
    planner: &mut Planner<'_>,
    table: &Table,
    column: &str,
    term: &Term,
    key: bool,
) -> Result<(usize, Test)> {
    let (at, found) = existing(table, column)?;
    let (element, what) = match (&found.kind, key) {
        (CqlType::List { of, .. } | CqlType::Set { of, .. }, false) => (of, "value"),
        (CqlType::Map { value, .. }, false) => (value, "value"),
        (CqlType::Map { key, .. }, true) => (key, "key"),
        (_, false) => {
            return Err(CqlError::invalid(format!(
                "Cannot use CONTAINS on non-collection column {}",
                found.name
            )));
        }
        (_, true) => {
            return Err(CqlError::invalid(format!(
                "Cannot use CONTAINS KEY on non-map column {}",
                found.name
            )));
        }
    };
    let receiver = Receiver::new(format!("{what}({})", found.name), (**element).clone());
    let term = planner.term(term, &receiver)?;
    Ok((
        at,
        if key {
            Test::ContainsKey(term)
        } else {
            Test::Contains(term)
        },
    ))
}

/// The clustering columns of a relation on several columns: they follow each other.
fn several(table: &Table, names: &[String], shown: &dyn Fn() -> String) -> Result<(Vec<usize>, Receiver)> {
    let mut columns: Vec<usize> = Vec::new();
    let mut kinds = Vec::new();
    for name in names {
        let (at, column) = existing(table, name)?;
        if !matches!(column.role, Role::Clustering { .. }) {
            return Err(CqlError::invalid(format!(
                "Multi-column relations can only be applied to clustering columns but was applied to: {name}"
            )));
        }
        if columns.contains(&at) {
            return Err(CqlError::invalid(format!(
                "Column \"{name}\" appeared twice in a relation: {}",
                shown()
            )));
        }
        if columns.last().is_some_and(|last| last + 1 != at) {
            return Err(CqlError::invalid(format!(
                "Clustering columns must appear in the PRIMARY KEY order in multi-column relations: {}",
                shown()
            )));
        }
        columns.push(at);
        kinds.push(column.kind.clone());
    }
    Ok((
        columns,
        Receiver::new(format!("({})", names.join(",")), CqlType::Tuple(kinds.into())),
    ))
}

fn tuple(
    planner: &mut Planner<'_>,
    table: &Table,
    names: &[String],
    operator: Comparison,
    term: &Term,
) -> Result<Restriction> {
    let relation = || format!("({}) {} {}", names.join(", "), operator.sign(), shown(term));
    let (columns, receiver) = several(table, names, &relation)?;
    let value = tuple_term(planner, &receiver, columns.len(), term)?;
    let test = match operator {
        Comparison::Equal => Test::Equal(value),
        Comparison::NotEqual => {
            return Err(CqlError::invalid(format!(
                "Unsupported \"!=\" relation: ({}) != ...",
                names.join(", ")
            )));
        }
        _ => Test::Slice(vec![(operator, value)]),
    };
    Ok(Restriction {
        columns,
        test,
        is_tuple: true,
    })
}

fn tuple_term(
    planner: &mut Planner<'_>,
    receiver: &Receiver,
    columns: usize,
    term: &Term,
) -> Result<Prepared> {
    if let Term::Tuple(fields) = term
        && fields.len() != columns
    {
        return Err(CqlError::invalid(format!(
            "Expected {columns} elements in value tuple, but got {}: {}",
            fields.len(),
            shown(term)
        )));
    }
    if let (Term::Tuple(fields), CqlType::Tuple(kinds)) = (term, &receiver.kind)
        && let ([field], [kind]) = (&fields[..], &kinds[..])
    {
        // A tuple of one: the grammar cannot tell it from parentheses.
        let part = planner.term(field, &Receiver::new(receiver.name.clone(), kind.clone()))?;
        return Ok(Prepared::Compound {
            kind: receiver.kind.clone(),
            parts: vec![part],
        });
    }
    planner.term(term, receiver)
}

fn tuple_in(
    planner: &mut Planner<'_>,
    table: &Table,
    names: &[String],
    values: &InValues,
) -> Result<Restriction> {
    let relation = || match values {
        InValues::List(terms) => {
            let terms: Vec<String> = terms.iter().map(shown).collect();
            format!("({}) IN ({})", names.join(", "), terms.join(", "))
        }
        InValues::Marker(_) => format!("({}) IN ?", names.join(", ")),
    };
    let (columns, receiver) = several(table, names, &relation)?;
    let test = match values {
        InValues::List(terms) => {
            let terms = terms
                .iter()
                .map(|term| tuple_term(planner, &receiver, columns.len(), term));
            Test::In(Options::List(terms.collect::<Result<_>>()?))
        }
        InValues::Marker(_) => Test::In(options(planner, values, &receiver, &names.join(","))?),
    };
    Ok(Restriction {
        columns,
        test,
        is_tuple: true,
    })
}

/// Adds a restriction to those of the same column, if they go together.
fn add(all: &mut Vec<Restriction>, table: &Table, added: Restriction) -> Result<()> {
    let name = |restriction: &Restriction| {
        let names: Vec<&str> = restriction
            .columns
            .iter()
            .map(|at| &*table.columns[*at].name)
            .collect();
        names.join(", ")
    };
    let shares = |other: &Restriction| other.columns.iter().any(|at| added.columns.contains(at));
    let Some(known) = all.iter_mut().find(|known| shares(known)) else {
        all.push(added);
        return Ok(());
    };
    let invalid = |text: String| Err(CqlError::Invalid(text));
    let shape = added.clone_shape();
    match (&mut known.test, added.test) {
        (
            Test::Contains(_) | Test::ContainsKey(_) | Test::Entry(..),
            test @ (Test::Contains(_) | Test::ContainsKey(_) | Test::Entry(..)),
        ) => {
            all.push(Restriction { test, ..shape });
            Ok(())
        }
        (Test::Equal(_), _) => invalid(format!(
            "{} cannot be restricted by more than one relation if it includes an Equal",
            name(known)
        )),
        (Test::In(_), _) => invalid(format!(
            "{} cannot be restricted by more than one relation if it includes a IN",
            name(known)
        )),
        (Test::Slice(known_bounds), Test::Slice(bounds)) if known.is_tuple == added.is_tuple => {
            let is_lower =
                |operator: Comparison| matches!(operator, Comparison::Greater | Comparison::GreaterOrEqual);
            for bound in bounds {
                if known_bounds
                    .iter()
                    .any(|other| is_lower(other.0) == is_lower(bound.0))
                {
                    let end = if is_lower(bound.0) { "start" } else { "end" };
                    let name = table.columns[known.columns[0]].name.clone();
                    return invalid(format!(
                        "More than one restriction was found for the {end} bound on {name}"
                    ));
                }
                known_bounds.push(bound);
            }
            if shape.columns.len() > known.columns.len() {
                known.columns = shape.columns;
            }
            Ok(())
        }
        (Test::Slice(_), Test::Slice(_)) => invalid(format!(
            "Column \"{}\" cannot be restricted by two inequalities not starting with the same column",
            name(known)
        )),
        _ => invalid(format!(
            "Column \"{}\" cannot be restricted by both an equality and an inequality relation",
            name(known)
        )),
    }
}

impl Restriction {
    fn clone_shape(&self) -> Restriction {
        Restriction {
            columns: self.columns.clone(),
            test: Test::Slice(Vec::new()),
            is_tuple: self.is_tuple,
        }
    }
}

fn token(
    planner: &mut Planner<'_>,
    table: &Table,
    columns: &[String],
    operator: Comparison,
    term: &Term,
    purpose: Purpose,
) -> Result<Prepared> {
    for name in columns {
        existing(table, name)?;
    }
    let keys = table.partition_key();
    if !columns
        .iter()
        .map(String::as_str)
        .eq(keys.iter().map(|key| &*key.name))
    {
        let names: Vec<&str> = keys.iter().map(|key| &*key.name).collect();
        let all_keys = columns.iter().all(|name| names.contains(&name.as_str()));
        return Err(CqlError::invalid(if all_keys && columns.len() == keys.len() {
            format!(
                "The token function arguments must be in the partition key order: {}",
                names.join(", ")
            )
        } else {
            "The token() function must be applied to all partition key components or none of them".to_owned()
        }));
    }
    if !matches!(purpose, Purpose::Select { .. }) {
        return Err(CqlError::invalid(format!(
            "The token function cannot be used in WHERE clauses for {} statements",
            purpose.name()
        )));
    }
    if operator == Comparison::NotEqual {
        return Err(CqlError::invalid("Unsupported \"!=\" relation: token() != ..."));
    }
    planner.token_term(table, term)
}
