//! The engine over the in-memory store. Knows: statements and what they answer. Never: sockets.

mod bounds;
mod collecting;
mod console;
mod indexes;
mod model;
mod selects;
mod views;
mod writes;

use super::{Engine, Outcome, Parameters, Rows, Session, Statements, Value};
use crate::core::{
    rows::merge,
    schema::{Column, Keyspace, Role, Schema, Table},
    types::{CqlType, Native},
};
use bytes::Bytes;
use server_kit::{ManualClock, Random};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use storage::{Durability, Page, Scan, memory::Store};
use uuid::Uuid;

/// An engine with its clock.
pub(super) struct Node {
    pub(super) engine: Engine,
    clock: Arc<ManualClock>,
}

pub(super) fn native(native: Native) -> CqlType {
    CqlType::Native(native)
}

fn table(number: u32, name: &str, columns: &[(&str, CqlType, Role)]) -> Arc<Table> {
    let column = |(id, (name, kind, role)): (usize, &(&str, CqlType, Role))| Column {
        name: Arc::from(*name),
        kind: kind.clone(),
        role: *role,
        id: id as u32,
    };
    let columns = columns.iter().enumerate().map(column).collect();
    Arc::new(Table::new("ks".into(), name.into(), Uuid::nil(), number, columns))
}

fn schema() -> Schema {
    let int = || native(Native::Int);
    let text = || native(Native::Text);
    let up = Role::Clustering { descending: false };
    let down = Role::Clustering { descending: true };
    let list = CqlType::List {
        of: Arc::new(int()),
        frozen: false,
    };
    let set = CqlType::Set {
        of: Arc::new(int()),
        frozen: false,
    };
    let map = CqlType::Map {
        key: Arc::new(text()),
        value: Arc::new(int()),
        frozen: false,
    };
    let tables = [
        table(
            1,
            "plain",
            &[
                ("k", int(), Role::PartitionKey),
                ("v", text(), Role::Regular),
                ("n", int(), Role::Regular),
            ],
        ),
        table(
            2,
            "wide",
            &[
                ("k", int(), Role::PartitionKey),
                ("a", int(), up),
                ("b", int(), down),
                ("v", int(), Role::Regular),
                ("s", text(), Role::Static),
            ],
        ),
        table(
            3,
            "many",
            &[
                ("k", int(), Role::PartitionKey),
                ("l", list, Role::Regular),
                ("s", set, Role::Regular),
                ("m", map, Role::Regular),
            ],
        ),
        table(
            5,
            "priced",
            &[
                ("k", int(), Role::PartitionKey),
                ("n", native(Native::Decimal), up),
            ],
        ),
        table(
            4,
            "counts",
            &[
                ("k", int(), Role::PartitionKey),
                ("c", native(Native::Counter), Role::Regular),
            ],
        ),
    ];
    let tables: BTreeMap<_, _> = tables
        .into_iter()
        .map(|table| (table.name.clone(), table))
        .collect();
    let keyspace = Keyspace {
        name: "ks".into(),
        tables,
        ..Keyspace::default()
    };
    let mut schema = Schema::default();
    schema.keyspaces.insert("ks".into(), Arc::new(keyspace));
    schema
}

impl Node {
    pub(super) fn new() -> Self {
        let fold = |_: &[u8], existing: Option<&[u8]>, operands: &[&[u8]]| merge(existing, operands);
        let kv = Store::new(Some(Arc::new(fold))).open().kv;
        let clock = ManualClock::new(1_700_000_000_000);
        let engine = Engine::new(
            kv,
            schema(),
            clock.clone(),
            Random::from_seed(1),
            Durability::Written,
        );
        Node { engine, clock }
    }

    pub(super) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(super) async fn ask(&self, text: &str, parameters: Parameters) -> crate::error::Result<Option<Rows>> {
        let prepared = self.engine.prepared(text, Some(&"ks".into()))?;
        let answer = self.engine.run_plan(&prepared, parameters).await?;
        Ok(match answer.outcome {
            Outcome::Rows(rows) => Some(rows),
            _ => None,
        })
    }

    /// Forgets what may be forgotten of a table.
    pub(super) async fn collect(&self, table: &str) {
        let schema = self.engine.schema.load_full();
        let table = &schema.keyspaces["ks"].tables[table];
        self.engine.collect(table).await.unwrap();
    }

    /// How many entries the first index of a column has.
    pub(super) async fn entries(&self, table: &str, column: &str) -> usize {
        let schema = self.engine.schema.load_full();
        let indexes = &schema.keyspaces["ks"].tables[table].indexes;
        let index = indexes
            .iter()
            .find(|index| *index.target.column == *column)
            .unwrap();
        self.stored(crate::state::indexes::entries(index.number)).await
    }

    /// How many keys a scan finds.
    pub(super) async fn stored(&self, scan: Scan) -> usize {
        let page = Page {
            items_max: usize::MAX,
            bytes_max: usize::MAX,
        };
        self.engine.kv.scan(scan, page).await.unwrap().items.len()
    }

    /// Executes statements as a client sends them.
    pub(super) async fn define(&self, texts: &[&str]) {
        let session = Session::new(std::net::SocketAddr::from(([127, 0, 0, 1], 1)));
        session.set_keyspace("ks".into());
        for text in texts {
            let answer = self.engine.query(text, Parameters::default(), &session).await;
            answer.unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }

    /// The rows of a query, each as text.
    pub(super) async fn rows(&self, text: &str) -> Vec<String> {
        match self.ask(text, Parameters::default()).await {
            Ok(Some(rows)) => shown(&rows),
            Ok(None) => Vec::new(),
            Err(error) => vec![format!("error: {error}")],
        }
    }

    pub(super) async fn bound(&self, text: &str, values: Vec<Value>) -> Vec<String> {
        let parameters = Parameters {
            values,
            ..Parameters::default()
        };
        match self.ask(text, parameters).await {
            Ok(rows) => rows.as_ref().map(shown).unwrap_or_default(),
            Err(error) => vec![format!("error: {error}")],
        }
    }
}

pub(super) fn int(value: i32) -> Value {
    Value::Set(Bytes::copy_from_slice(&value.to_be_bytes()))
}

/// Rows as text: values of four and eight bytes as numbers, what is printable as such.
pub(super) fn shown(rows: &Rows) -> Vec<String> {
    let mut content = &rows.content[..];
    let mut out = Vec::new();
    for _ in 0..rows.count {
        let mut row = Vec::new();
        for column in rows.columns.iter() {
            let (length, rest) = content.split_first_chunk::<4>().unwrap();
            content = rest;
            let length = i32::from_be_bytes(*length);
            if length < 0 {
                row.push("null".to_owned());
                continue;
            }
            let (value, rest) = content.split_at(length as usize);
            content = rest;
            row.push(one(&column.kind, value));
        }
        out.push(row.join(" "));
    }
    out
}

fn one(kind: &CqlType, value: &[u8]) -> String {
    use crate::core::types::elements;
    match kind {
        CqlType::Native(Native::Int) => i32::from_be_bytes(value.try_into().unwrap()).to_string(),
        CqlType::Native(Native::Bigint | Native::Counter) => {
            i64::from_be_bytes(value.try_into().unwrap()).to_string()
        }
        CqlType::Native(Native::Boolean) => (value == [1]).to_string(),
        CqlType::Native(_) => String::from_utf8_lossy(value).into_owned(),
        CqlType::List { of, .. } | CqlType::Set { of, .. } => {
            let all: Vec<String> = elements::elements(value)
                .map(|element| one(of, element))
                .collect();
            format!("[{}]", all.join(","))
        }
        CqlType::Map {
            key: of, value: held, ..
        } => {
            let all =
                elements::entries(value).map(|(key, value)| format!("{}={}", one(of, key), one(held, value)));
            format!("[{}]", all.collect::<Vec<_>>().join(","))
        }
        _ => format!("{value:?}"),
    }
}
