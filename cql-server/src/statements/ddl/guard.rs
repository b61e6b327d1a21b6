//! What guardrails say to statements that define something, before anything else is looked at.

use super::{AlterTable, CreateTable, Ddl, alter_table, alter_type, create_table::Definition, property};
use crate::{
    core::{
        guardrails::{Switch, Threshold, Watch, Words},
        schema::{Keyspace, Nature, Schema, Table, options::Given, replication},
        types::names::RawType,
    },
    error::Result,
    syntax::{Property, QualifiedName},
};
use std::borrow::Cow;

/// What the schema and the session say of names.
struct Names<'a> {
    schema: &'a Schema,
    keyspace: Option<&'a str>,
}

impl Names<'_> {
    fn client_keyspaces(&self) -> impl Iterator<Item = &Keyspace> {
        let all = self.schema.keyspaces.values().map(|keyspace| &**keyspace);
        all.filter(|keyspace| keyspace.nature == Nature::Client)
    }

    fn table(&self, name: &QualifiedName) -> Option<&Table> {
        let keyspace = name.keyspace.as_deref().or(self.keyspace)?;
        self.schema.table(keyspace, &name.name).map(|table| &**table)
    }

    fn views_of(&self, name: &QualifiedName) -> usize {
        let keyspace = name.keyspace.as_deref().or(self.keyspace);
        let keyspace = keyspace.and_then(|keyspace| self.schema.keyspaces.get(keyspace));
        keyspace.map_or(0, |keyspace| keyspace.views_of(&name.name).count())
    }
}

impl Ddl {
    /// Itself, without what is to be ignored, if guardrails let it pass.
    pub(crate) fn guarded(
        &self,
        schema: &Schema,
        keyspace: Option<&str>,
        site: &replication::Site,
        watch: &mut Watch<'_>,
    ) -> Result<Cow<'_, Ddl>> {
        let names = Names { schema, keyspace };
        match self {
            Ddl::CreateKeyspace(one) => {
                if names
                    .schema
                    .keyspaces
                    .get(one.name.as_str())
                    .is_none_or(|known| known.nature == Nature::Client)
                {
                    let count = names.client_keyspaces().count() + 1;
                    watch.count(Threshold::Keyspaces, number(count), &one.name)?;
                }
                strategy(&one.name, &one.properties, site, watch)?;
            }
            Ddl::AlterKeyspace(one) => strategy(&one.name, &one.properties, site, watch)?,
            Ddl::DropKeyspace(_) => watch.allow(Switch::DropKeyspace)?,
            Ddl::CreateTable(one) => {
                create_table(one, &names, watch)?;
                return Ok(self.without(watch.words(Words::PropertiesIgnored)));
            }
            Ddl::AlterTable(one) => {
                alter_table(one, &names, watch)?;
                return Ok(self.without(watch.words(Words::PropertiesIgnored)));
            }
            Ddl::DropTable(_) => watch.allow(Switch::DropTable)?,
            Ddl::CreateType(one) => {
                watch.count(Threshold::Fields, number(one.fields.len()), &one.name.name)?;
                for (name, kind) in &one.fields {
                    vectors(&format!("Field {name}"), kind, watch)?;
                }
            }
            Ddl::AlterType(one) => {
                if let alter_type::Alteration::Add { field, kind, .. } = &one.alteration {
                    let of = one.name.keyspace.as_deref().or(keyspace);
                    let known = of.and_then(|of| schema.keyspaces.get(of)?.types.get(one.name.name.as_str()));
                    if let Some(known) = known {
                        watch.count(Threshold::Fields, number(known.fields.len() + 1), &one.name.name)?;
                    }
                    vectors(&format!("Field {field}"), kind, watch)?;
                }
            }
            Ddl::CreateIndex(one) => {
                watch.allow(Switch::Indexes)?;
                if let Some(table) = names.table(&one.table) {
                    let what = match &one.name {
                        Some(name) => format!("{name} on table {}", table.name),
                        None => format!("on table {}", table.name),
                    };
                    watch.count(Threshold::Indexes, number(table.indexes.len() + 1), &what)?;
                }
            }
            Ddl::CreateView(one) => {
                let what = format!("{} on table {}", one.view.name, one.base.name);
                watch.count(Threshold::Views, number(names.views_of(&one.base) + 1), &what)?;
            }
            _ => {}
        }
        Ok(Cow::Borrowed(self))
    }

    /// Itself without properties of these names.
    fn without(&self, ignored: &[String]) -> Cow<'_, Ddl> {
        if ignored.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut without = self.clone();
        let properties = match &mut without {
            Ddl::CreateTable(CreateTable { with, .. }) => &mut with.properties,
            Ddl::AlterTable(AlterTable {
                alteration: alter_table::Alteration::Options(properties),
                ..
            }) => properties,
            _ => return Cow::Borrowed(self),
        };
        properties.retain(|property| !ignored.contains(&property.name));
        Cow::Owned(without)
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn strategy(
    keyspace: &str,
    properties: &[Property],
    site: &replication::Site,
    watch: &mut Watch<'_>,
) -> Result<()> {
    let Some(Given::Map(given)) = property(properties, "replication") else {
        return Ok(());
    };
    if given
        .iter()
        .any(|(name, value)| name == "class" && value.ends_with("SimpleStrategy"))
    {
        watch.allow(Switch::SimpleStrategy)?;
    }
    match replication::checked(keyspace, given, site) {
        Ok((kept, _)) => {
            let factor = replication::factor(&kept);
            watch.count_up(Threshold::ReplicasMin, factor.into(), keyspace)?;
            watch.count(Threshold::ReplicasMax, factor.into(), keyspace)
        }
        // Whoever executes it says why.
        Err(_) => Ok(()),
    }
}

fn create_table(one: &CreateTable, names: &Names<'_>, watch: &mut Watch<'_>) -> Result<()> {
    let name = one.table.name.as_str();
    table_properties(&one.with.properties, watch)?;
    watch.count(Threshold::Columns, number(one.columns.len()), name)?;
    let tables = names
        .client_keyspaces()
        .flat_map(|keyspace| keyspace.tables.values());
    let tables = tables.filter(|table| table.view.is_none()).count();
    watch.count(Threshold::Tables, number(tables + 1), name)?;
    if one.with.compact_storage {
        watch.allow(Switch::CompactTables)?;
    }
    columns(&one.columns, watch)?;
    time_windows(&one.with.properties, watch)
}

fn alter_table(one: &AlterTable, names: &Names<'_>, watch: &mut Watch<'_>) -> Result<()> {
    use alter_table::Alteration;
    match &one.alteration {
        Alteration::Add { columns: added, .. } => {
            watch.allow(Switch::AlterTable)?;
            if let Some(table) = names.table(&one.table) {
                let count = table.columns.len() + added.len();
                watch.count(Threshold::Columns, number(count), &one.table.name)?;
            }
            columns(added, watch)
        }
        Alteration::Drop { .. } | Alteration::Rename { .. } => watch.allow(Switch::AlterTable),
        Alteration::Options(properties) => table_properties(properties, watch),
        _ => Ok(()),
    }
}

fn table_properties(properties: &[Property], watch: &mut Watch<'_>) -> Result<()> {
    let names: Vec<&str> = properties.iter().map(|property| property.name.as_str()).collect();
    watch.disallow(Words::PropertiesDisallowed, &names)?;
    watch.ignore(Words::PropertiesIgnored, &names);
    watch.discourage(Words::PropertiesWarned, &names);
    if let Some(Given::Map(compression)) = property(properties, "compression")
        && compression
            .iter()
            .any(|(name, value)| name == "enabled" && value == "false")
    {
        watch.allow(Switch::Uncompressed)?;
    }
    Ok(())
}

fn columns(columns: &[Definition], watch: &mut Watch<'_>) -> Result<()> {
    columns
        .iter()
        .try_for_each(|column| vectors(&format!("Column {}", column.name), &column.kind, watch))
}

/// Looks at vectors in a type.
fn vectors(what: &str, kind: &RawType, watch: &mut Watch<'_>) -> Result<()> {
    match kind {
        RawType::Vector { of, dimensions } => {
            watch.allow_as(Switch::Vectors, what)?;
            watch.count(Threshold::Dimensions, *dimensions, what)?;
            vectors(what, of, watch)
        }
        RawType::List { of, .. } | RawType::Set { of, .. } => vectors(what, of, watch),
        RawType::Map { key, value, .. } => {
            vectors(what, key, watch)?;
            vectors(what, value, watch)
        }
        RawType::Tuple(of) => of.iter().try_for_each(|of| vectors(what, of, watch)),
        _ => Ok(()),
    }
}

/// Data in windows of time is meant to expire.
fn time_windows(properties: &[Property], watch: &mut Watch<'_>) -> Result<()> {
    let class = "TimeWindowCompactionStrategy";
    let windows = match property(properties, "compaction") {
        Some(Given::Map(given)) => given
            .iter()
            .any(|(name, value)| name == "class" && value.ends_with(class)),
        _ => false,
    };
    let expires = match property(properties, "default_time_to_live") {
        Some(Given::Text(seconds)) => seconds != "0",
        _ => false,
    };
    match windows && !expires {
        true => watch.allow(Switch::ZeroTtl),
        false => Ok(()),
    }
}
