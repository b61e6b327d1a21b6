//! DESCRIBE: the schema as CQL, and lists of what there is.

#[cfg(test)]
mod tests;

use crate::{
    core::{
        schema::{
            Keyspace, Nature, Schema, Table, describe,
            system::{Node, PARTITIONER},
        },
        types::names::quoted,
    },
    error::{CqlError, Result},
    syntax::{
        Keyword, Kind, Parsed, QualifiedName, Tokens, function, has_word, index, keyspace, table, user_type,
        word, words,
    },
};
use std::sync::Arc;

/// Shows what is defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Describe {
    pub(crate) what: What,
    pub(crate) with_internals: bool,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Cluster,
    Schema {
        full: bool,
    },
    Keyspaces,
    Keyspace {
        name: Option<String>,
        only: bool,
    },
    Tables,
    Table(QualifiedName),
    Index(QualifiedName),
    View(QualifiedName),
    Types,
    Type(QualifiedName),
    Functions,
    Function(QualifiedName),
    Aggregates,
    Aggregate(QualifiedName),
    /// Whatever has that name.
    Named(QualifiedName),
}

/// What DESCRIBE gives: names of columns, and rows of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// `DESCRIBE ... [WITH INTERNALS]`
pub(super) fn describe_statement(input: Tokens<'_>) -> Parsed<'_, Describe> {
    let (input, what) = what(input.skip())?;
    if !input.is(Keyword::With) {
        return Ok((
            input,
            Describe {
                what,
                with_internals: false,
            },
        ));
    }
    let (input, ()) = words([Keyword::With, Keyword::Internals])(input)?;
    Ok((
        input,
        Describe {
            what,
            with_internals: true,
        },
    ))
}

fn what(input: Tokens<'_>) -> Parsed<'_, What> {
    let Kind::Word(keyword) = input.peek() else {
        return named(input, table, What::Named);
    };
    let rest = input.skip();
    match keyword {
        Keyword::Cluster => Ok((rest, What::Cluster)),
        Keyword::Full => {
            let (rest, ()) = word(Keyword::Schema)(rest)?;
            Ok((rest, What::Schema { full: true }))
        }
        Keyword::Schema => Ok((rest, What::Schema { full: false })),
        Keyword::Keyspaces => Ok((rest, What::Keyspaces)),
        Keyword::Only | Keyword::Keyspace => {
            let (input, only) = has_word(Keyword::Only)(input)?;
            let (input, ()) = word(Keyword::Keyspace)(input)?;
            if !input.name_at(0) {
                return Ok((input, What::Keyspace { name: None, only }));
            }
            let (input, name) = keyspace(input)?;
            Ok((
                input,
                What::Keyspace {
                    name: Some(name),
                    only,
                },
            ))
        }
        Keyword::Tables => Ok((rest, What::Tables)),
        Keyword::Types => Ok((rest, What::Types)),
        Keyword::Functions => Ok((rest, What::Functions)),
        Keyword::Aggregates => Ok((rest, What::Aggregates)),
        Keyword::ColumnFamily => named(rest, table, What::Table),
        Keyword::Index => named(rest, index, What::Index),
        Keyword::Type if rest.name_at(0) => named(rest, user_type, What::Type),
        Keyword::Function if rest.name_at(0) => named(rest, function, What::Function),
        Keyword::Aggregate if rest.name_at(0) => named(rest, function, What::Aggregate),
        Keyword::Materialized => {
            let (rest, ()) = word(Keyword::View)(rest)?;
            named(rest, table, What::View)
        }
        _ => named(input, table, What::Named),
    }
}

fn named<'a>(
    input: Tokens<'a>,
    name: impl Fn(Tokens<'a>) -> Parsed<'a, QualifiedName>,
    make: impl Fn(QualifiedName) -> What,
) -> Parsed<'a, What> {
    let (input, name) = name(input)?;
    Ok((input, make(name)))
}

/// Names in the order in which they are shown: whatever their case.
fn in_order<'n>(names: impl Iterator<Item = &'n Arc<str>>) -> Vec<&'n Arc<str>> {
    let mut names: Vec<_> = names.collect();
    names.sort_by_cached_key(|name| name.to_lowercase());
    names
}

/// Shows one thing after the other.
struct Show<'a> {
    schema: &'a Schema,
    /// The session's.
    keyspace: Option<&'a str>,
    internals: bool,
    rows: Vec<Vec<String>>,
}

impl Describe {
    /// What it shows to a session whose keyspace is `keyspace`.
    pub(crate) fn rows(&self, schema: &Schema, node: &Node, keyspace: Option<&str>) -> Result<Described> {
        let mut show = Show {
            schema,
            keyspace,
            internals: self.with_internals,
            rows: Vec::new(),
        };
        let lists = ["keyspace_name", "type", "name"];
        let statements = ["keyspace_name", "type", "name", "create_statement"];
        let columns = match &self.what {
            What::Cluster => {
                let partitioner = PARTITIONER.rsplit('.').next().unwrap_or_default();
                show.rows.push(
                    [&node.cluster_name, partitioner, "DynamicEndpointSnitch"]
                        .map(str::to_owned)
                        .to_vec(),
                );
                vec!["cluster", "partitioner", "snitch"]
            }
            What::Keyspaces | What::Tables | What::Types | What::Functions | What::Aggregates => {
                show.list(&self.what);
                lists.to_vec()
            }
            other => {
                show.statements(other)?;
                statements.to_vec()
            }
        };
        Ok(Described {
            columns,
            rows: show.rows,
        })
    }
}

impl<'a> Show<'a> {
    fn push(&mut self, keyspace: &str, kind: &str, name: &str, statement: Option<String>) {
        let mut row = vec![
            quoted(keyspace).into_owned(),
            kind.to_owned(),
            quoted(name).into_owned(),
        ];
        row.extend(statement);
        self.rows.push(row);
    }

    /// The keyspaces that lists are about: the session's, or all.
    fn listed(&self) -> Vec<&'a Arc<Keyspace>> {
        let of_session = |keyspace: &&Arc<Keyspace>| self.keyspace.is_none_or(|name| *keyspace.name == *name);
        let names = in_order(self.schema.keyspaces.keys());
        let all = names
            .into_iter()
            .filter_map(|name| self.schema.keyspaces.get(name));
        all.filter(of_session).collect()
    }

    fn list(&mut self, what: &What) {
        if *what == What::Keyspaces {
            let schema = self.schema;
            in_order(schema.keyspaces.keys())
                .iter()
                .for_each(|name| self.push(name, "keyspace", name, None));
            return;
        }
        for keyspace in self.listed() {
            match what {
                What::Tables => {
                    let is_table = |name: &&Arc<str>| keyspace.tables[*name].view.is_none();
                    for name in in_order(keyspace.tables.keys()).into_iter().filter(is_table) {
                        self.push(&keyspace.name, "table", name, None);
                    }
                }
                What::Types => {
                    for name in in_order(keyspace.types.keys()) {
                        self.push(&keyspace.name, "type", name, None);
                    }
                }
                _ => {}
            }
        }
    }

    fn statements(&mut self, what: &What) -> Result<()> {
        match what {
            What::Schema { full } => {
                let schema = self.schema;
                for keyspace in in_order(schema.keyspaces.keys())
                    .into_iter()
                    .filter_map(|name| schema.keyspaces.get(name))
                    .filter(|k| *full || k.nature == Nature::Client)
                {
                    self.keyspace(keyspace, false);
                }
            }
            What::Keyspace { name, only } => {
                let name = name
                    .as_deref()
                    .or(self.keyspace)
                    .ok_or_else(|| CqlError::invalid("No keyspace specified and no current keyspace"))?;
                let keyspace = self.schema.keyspaces.get(name);
                let keyspace =
                    keyspace.ok_or_else(|| CqlError::invalid(format!("'{name}' not found in keyspaces")))?;
                self.keyspace(keyspace, *only);
            }
            What::Table(name) => self.found(name, Self::table, |keyspace, name| {
                format!("Table '{name}' not found in keyspace '{keyspace}'")
            })?,
            What::View(name) => self.found(name, Self::view, |keyspace, name| {
                format!("Materialized view '{name}' not found in '{keyspace}'")
            })?,
            What::Index(name) => self.found(name, Self::index, |keyspace, name| {
                format!("Table for existing index '{name}' not found in '{keyspace}'")
            })?,
            What::Type(name) => self.found(name, Self::user_type, |keyspace, name| {
                format!("User defined type '{name}' not found in '{keyspace}'")
            })?,
            What::Function(name) => self.found(
                name,
                |_, _, _| false,
                |keyspace, name| format!("User defined function '{name}' not found in '{keyspace}'"),
            )?,
            What::Aggregate(name) => self.found(
                name,
                |_, _, _| false,
                |keyspace, name| format!("User defined aggregate '{name}' not found in '{keyspace}'"),
            )?,
            What::Named(name) => self.anything(name)?,
            _ => {}
        }
        Ok(())
    }

    /// Shows what `show` finds, or says that there is no such thing.
    fn found(
        &mut self,
        name: &QualifiedName,
        show: impl Fn(&mut Self, &'a Keyspace, &str) -> bool,
        missing: impl Fn(&str, &str) -> String,
    ) -> Result<()> {
        let owner = name
            .keyspace
            .as_deref()
            .or(self.keyspace)
            .ok_or_else(|| CqlError::invalid("No keyspace specified and no current keyspace"))?;
        let keyspace = self.schema.keyspaces.get(owner);
        let keyspace =
            keyspace.ok_or_else(|| CqlError::invalid(format!("'{owner}' not found in keyspaces")))?;
        if show(self, keyspace, &name.name) {
            return Ok(());
        }
        Err(CqlError::invalid(missing(owner, &name.name)))
    }

    fn anything(&mut self, name: &QualifiedName) -> Result<()> {
        if name.keyspace.is_none()
            && let Some(keyspace) = self.schema.keyspaces.get(name.name.as_str())
        {
            self.keyspace(keyspace, false);
            return Ok(());
        }
        if name.keyspace.is_none() && self.keyspace.is_none() {
            return Err(CqlError::invalid(format!(
                "'{}' not found in keyspaces",
                name.name
            )));
        }
        let show = |show: &mut Self, keyspace: &'a Keyspace, name: &str| {
            show.table(keyspace, name) || show.view(keyspace, name) || show.index(keyspace, name)
        };
        self.found(name, show, |keyspace, name| {
            format!("'{name}' not found in keyspace '{keyspace}'")
        })
    }

    fn keyspace(&mut self, keyspace: &'a Keyspace, only: bool) {
        self.push(
            &keyspace.name,
            "keyspace",
            &keyspace.name,
            Some(describe::keyspace(keyspace)),
        );
        if only {
            return;
        }
        for user_type in describe::types_in_order(keyspace) {
            self.push(
                &keyspace.name,
                "type",
                &user_type.name,
                Some(describe::user_type(user_type)),
            );
        }
        for name in in_order(keyspace.tables.keys()) {
            self.table(keyspace, name);
        }
    }

    /// A table with its indexes and views.
    fn table(&mut self, keyspace: &'a Keyspace, name: &str) -> bool {
        let Some(table) = keyspace.tables.get(name).filter(|table| table.view.is_none()) else {
            return false;
        };
        let statement = describe::table(table, keyspace.nature, self.internals);
        self.push(&keyspace.name, "table", name, Some(statement));
        for index in &table.indexes {
            self.push(
                &keyspace.name,
                "index",
                &index.name,
                Some(describe::index(table, index)),
            );
        }
        for view in keyspace.views_of(name) {
            self.show_view(keyspace, view);
        }
        true
    }

    fn show_view(&mut self, keyspace: &Keyspace, view: &Table) {
        let statement = describe::table(view, keyspace.nature, self.internals);
        self.push(&keyspace.name, "materialized_view", &view.name, Some(statement));
    }

    fn view(&mut self, keyspace: &'a Keyspace, name: &str) -> bool {
        match keyspace.tables.get(name).filter(|table| table.view.is_some()) {
            Some(view) => {
                self.show_view(keyspace, view);
                true
            }
            None => false,
        }
    }

    fn index(&mut self, keyspace: &'a Keyspace, name: &str) -> bool {
        match keyspace.index(name) {
            Some((table, index)) => {
                self.push(&keyspace.name, "index", name, Some(describe::index(table, index)));
                true
            }
            None => false,
        }
    }

    fn user_type(&mut self, keyspace: &'a Keyspace, name: &str) -> bool {
        match keyspace.types.get(name) {
            Some(user_type) => {
                self.push(&keyspace.name, "type", name, Some(describe::user_type(user_type)));
                true
            }
            None => false,
        }
    }
}
