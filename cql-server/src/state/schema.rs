//! The schema: one record for each keyspace, type, table and view, as JSON behind the version of its format.

#[cfg(test)]
mod tests;

use super::{Kind, SPACE};
use crate::{
    core::{
        schema::{
            Column, Dropped, Index, IndexKind, Keyspace, Nature, Options, Role, Schema, Table, Target, View,
        },
        types::{CqlType, UserType, names},
    },
    error::{CqlError, Result},
};
use bytes::Bytes;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, sync::Arc};
use storage::{Batch, KvRead, Page, Scan};
use uuid::{Builder, Uuid};

/// The version of all these records.
const FORMAT: u8 = 1;

/// What a record describes: the third byte of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Of {
    /// The number of the next table.
    NextNumber = b'#',
    Keyspace = b'k',
    Table = b't',
    Type = b'y',
}

#[derive(Serialize, Deserialize)]
struct KeyspaceRecord {
    replication: BTreeMap<String, String>,
    durable_writes: bool,
}

#[derive(Serialize, Deserialize)]
struct TypeRecord {
    /// Names, and types as CQL.
    fields: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct ColumnRecord {
    name: String,
    /// As CQL.
    kind: String,
    role: RoleRecord,
    id: u32,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RoleRecord {
    PartitionKey,
    Clustering,
    ClusteringDescending,
    Static,
    Regular,
}

#[derive(Serialize, Deserialize)]
struct DroppedRecord {
    column: ColumnRecord,
    at_us: i64,
}

#[derive(Serialize, Deserialize)]
struct IndexRecord {
    name: String,
    /// 0 in records of indexes that had no entries yet.
    #[serde(default)]
    number: u32,
    target: String,
    class: Option<String>,
    options: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct ViewRecord {
    base: String,
    base_id: String,
    includes_all: bool,
    restriction: String,
    #[serde(default)]
    strict_liveness: bool,
}

#[derive(Serialize, Deserialize)]
struct TableRecord {
    id: String,
    number: u32,
    columns: Vec<ColumnRecord>,
    next_column: u32,
    default_time_to_live: i32,
    options: Options,
    #[serde(default)]
    indexes: Vec<IndexRecord>,
    #[serde(default)]
    dropped: Vec<DroppedRecord>,
    #[serde(default)]
    view: Option<ViewRecord>,
}

fn key(of: Of, keyspace: &str, name: &str) -> Bytes {
    let mut key = vec![SPACE, Kind::Schema as u8, of as u8];
    key.extend_from_slice(keyspace.as_bytes());
    if !name.is_empty() {
        // Names hold no zero byte that could be taken for this one: they are letters, digits and underscores.
        key.push(0);
        key.extend_from_slice(name.as_bytes());
    }
    key.into()
}

fn encoded(record: &impl Serialize) -> Result<Bytes> {
    let mut value = vec![FORMAT];
    serde_json::to_writer(&mut value, record).map_err(|error| CqlError::Server(error.to_string()))?;
    Ok(value.into())
}

fn decoded<T: DeserializeOwned>(value: &[u8]) -> Result<T> {
    let damaged = |why: String| CqlError::Server(format!("A record of the schema cannot be read: {why}"));
    match value.split_first() {
        Some((&FORMAT, json)) => serde_json::from_slice(json).map_err(|error| damaged(error.to_string())),
        Some((format, _)) => Err(damaged(format!("its format {format} is not known"))),
        None => Err(damaged("it is empty".to_owned())),
    }
}

/// Every record of what clients have defined, by key.
fn records(schema: &Schema) -> Result<BTreeMap<Bytes, Bytes>> {
    let mut records = BTreeMap::new();
    for keyspace in schema
        .keyspaces
        .values()
        .filter(|keyspace| keyspace.nature == Nature::Client)
    {
        let record = KeyspaceRecord {
            replication: keyspace.replication.clone(),
            durable_writes: keyspace.durable_writes,
        };
        records.insert(key(Of::Keyspace, &keyspace.name, ""), encoded(&record)?);
        for user_type in keyspace.types.values() {
            let fields = user_type
                .fields
                .iter()
                .map(|(name, kind)| (name.to_string(), kind.to_string()));
            let record = TypeRecord {
                fields: fields.collect(),
            };
            records.insert(key(Of::Type, &keyspace.name, &user_type.name), encoded(&record)?);
        }
        for table in keyspace.tables.values() {
            records.insert(
                key(Of::Table, &keyspace.name, &table.name),
                encoded(&table_record(table))?,
            );
        }
    }
    Ok(records)
}

fn table_record(table: &Table) -> TableRecord {
    let index = |index: &Index| IndexRecord {
        name: index.name.clone(),
        number: index.number,
        target: index.target.to_string(),
        class: index.class.clone(),
        options: index.options.clone(),
    };
    let view = |view: &View| ViewRecord {
        base: view.base.to_string(),
        base_id: view.base_id.to_string(),
        includes_all: view.includes_all,
        restriction: view.restriction.clone(),
        strict_liveness: view.strict_liveness,
    };
    let dropped = |dropped: &Dropped| DroppedRecord {
        column: column_record(&dropped.column),
        at_us: dropped.at_us,
    };
    TableRecord {
        id: table.id.to_string(),
        number: table.number,
        columns: table.columns.iter().map(column_record).collect(),
        next_column: table.next_column,
        default_time_to_live: table.default_time_to_live,
        options: table.options.clone(),
        indexes: table.indexes.iter().map(index).collect(),
        dropped: table.dropped.iter().map(dropped).collect(),
        view: table.view.as_ref().map(view),
    }
}

fn column_record(column: &Column) -> ColumnRecord {
    let role = match column.role {
        Role::PartitionKey => RoleRecord::PartitionKey,
        Role::Clustering { descending: false } => RoleRecord::Clustering,
        Role::Clustering { descending: true } => RoleRecord::ClusteringDescending,
        Role::Static => RoleRecord::Static,
        Role::Regular => RoleRecord::Regular,
    };
    ColumnRecord {
        name: column.name.to_string(),
        kind: column.kind.to_string(),
        role,
        id: column.id,
    }
}

/// What has to be written so that `after` is stored where `before` was.
pub(crate) fn difference(before: &Schema, after: &Schema) -> Result<Batch> {
    let (old, new) = (records(before)?, records(after)?);
    let mut batch = Batch::default();
    for gone in old.keys().filter(|key| !new.contains_key(*key)) {
        batch.delete(gone.clone());
    }
    for (key, value) in new {
        if old.get(&key) != Some(&value) {
            batch.put(key, value);
        }
    }
    if before.next_number != after.next_number {
        batch.put(key(Of::NextNumber, "", ""), encoded(&after.next_number)?);
    }
    Ok(batch)
}

/// The version that clients compare: it follows from what is defined.
pub(crate) fn version(schema: &Schema) -> Result<Uuid> {
    let mut digest = Md5::new();
    for (key, value) in records(schema)? {
        digest.update(key);
        digest.update(value);
    }
    Ok(Builder::from_md5_bytes(digest.finalize().into()).into_uuid())
}

/// The schema that is stored.
pub(crate) async fn load(kv: &dyn KvRead) -> Result<Schema> {
    let mut stored = Stored::default();
    let mut scan = Some(Scan::prefix(&[SPACE, Kind::Schema as u8]));
    while let Some(next) = scan {
        let page = kv.scan(next, Page::default()).await?;
        for (key, value) in &page.items {
            stored.take(key, value)?;
        }
        scan = page.next;
    }
    stored.schema()
}

/// Records as they were read, before names of types are looked up.
#[derive(Default)]
struct Stored {
    next_number: Option<u32>,
    keyspaces: BTreeMap<String, KeyspaceRecord>,
    types: BTreeMap<(String, String), TypeRecord>,
    tables: BTreeMap<(String, String), TableRecord>,
}

impl Stored {
    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let Some((of, names)) = key.get(2..).and_then(|rest| rest.split_first()) else {
            return Ok(());
        };
        let names = String::from_utf8_lossy(names);
        let (keyspace, name) = names.split_once('\0').unwrap_or((&*names, ""));
        let both = (keyspace.to_owned(), name.to_owned());
        match *of {
            of if of == Of::NextNumber as u8 => self.next_number = Some(decoded(value)?),
            of if of == Of::Keyspace as u8 => {
                self.keyspaces.insert(both.0, decoded(value)?);
            }
            of if of == Of::Type as u8 => {
                self.types.insert(both, decoded(value)?);
            }
            of if of == Of::Table as u8 => {
                self.tables.insert(both, decoded(value)?);
            }
            other => {
                return Err(CqlError::Server(format!(
                    "A record of the schema is of the unknown kind {other}"
                )));
            }
        }
        Ok(())
    }

    fn schema(&self) -> Result<Schema> {
        let mut schema = Schema::default();
        schema.next_number = self.next_number.unwrap_or(schema.next_number);
        for (name, record) in &self.keyspaces {
            let mut keyspace = Keyspace {
                name: name.as_str().into(),
                nature: Nature::Client,
                replication: record.replication.clone(),
                durable_writes: record.durable_writes,
                ..Keyspace::default()
            };
            for (_, type_name) in self.types.keys().filter(|(owner, _)| owner == name) {
                if let Some(user_type) = self.user_type(name, type_name) {
                    keyspace.types.insert(type_name.as_str().into(), user_type);
                }
            }
            for ((_, table_name), record) in self.tables.iter().filter(|((owner, _), _)| owner == name) {
                let table = table(&keyspace, table_name, record)?;
                keyspace.tables.insert(table.name.clone(), Arc::new(table));
            }
            schema = schema.with_keyspace(keyspace);
        }
        Ok(schema)
    }

    /// The type of that name, with the types that it is made of. Types cannot contain themselves.
    fn user_type(&self, keyspace: &str, name: &str) -> Option<Arc<UserType>> {
        let record = self.types.get(&(keyspace.to_owned(), name.to_owned()))?;
        let lookup = |name: &str| self.user_type(keyspace, name);
        let field = |(name, kind): &(String, String)| {
            let kind = names::parse(kind).ok()?.resolve(keyspace, &lookup).ok()?;
            Some((Arc::from(name.as_str()), kind))
        };
        let fields = record
            .fields
            .iter()
            .map(field)
            .collect::<Option<Vec<(Arc<str>, CqlType)>>>()?;
        Some(Arc::new(UserType {
            keyspace: keyspace.into(),
            name: name.into(),
            fields,
        }))
    }
}

fn table(keyspace: &Keyspace, name: &str, record: &TableRecord) -> Result<Table> {
    let columns = record
        .columns
        .iter()
        .map(|record| column(keyspace, record))
        .collect::<Result<_>>()?;
    let id = uuid(&record.id)?;
    let mut table = Table::new(keyspace.name.clone(), name.into(), id, record.number, columns);
    let dropped = |dropped: &DroppedRecord| {
        Ok(Dropped {
            column: column(keyspace, &dropped.column)?,
            at_us: dropped.at_us,
        })
    };
    let index = |record: &IndexRecord| Index {
        name: record.name.clone(),
        number: record.number,
        kind: if record.class.is_some() {
            IndexKind::Custom
        } else {
            IndexKind::Composites
        },
        target: Target::parse(&record.target),
        class: record.class.clone(),
        options: record.options.clone(),
    };
    let view = |record: &ViewRecord| {
        Ok::<_, CqlError>(View {
            base: record.base.as_str().into(),
            base_id: uuid(&record.base_id)?,
            includes_all: record.includes_all,
            restriction: record.restriction.clone(),
            strict_liveness: record.strict_liveness,
        })
    };
    table.next_column = record.next_column;
    table.default_time_to_live = record.default_time_to_live;
    table.options = record.options.clone();
    table.indexes = record.indexes.iter().map(index).collect();
    table.dropped = record.dropped.iter().map(dropped).collect::<Result<_>>()?;
    table.view = record.view.as_ref().map(view).transpose()?;
    Ok(table)
}

fn column(keyspace: &Keyspace, record: &ColumnRecord) -> Result<Column> {
    let role = match record.role {
        RoleRecord::PartitionKey => Role::PartitionKey,
        RoleRecord::Clustering => Role::Clustering { descending: false },
        RoleRecord::ClusteringDescending => Role::Clustering { descending: true },
        RoleRecord::Static => Role::Static,
        RoleRecord::Regular => Role::Regular,
    };
    let kind = keyspace.resolve(&names::parse(&record.kind)?)?;
    Ok(Column {
        name: record.name.as_str().into(),
        kind,
        role,
        id: record.id,
    })
}

fn uuid(text: &str) -> Result<Uuid> {
    text.parse()
        .map_err(|_| CqlError::Server(format!("'{text}' in a record of the schema is no id")))
}
