//! Random writes and slices, against a plain model of what the original would answer.

use super::Node;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A write with its timestamp.
#[derive(Debug, Clone)]
pub(super) enum Write {
    Insert { a: i32, b: i32, v: Option<i32> },
    Update { a: i32, b: i32, v: Option<i32> },
    InsertFor { a: i32, b: i32, v: i32, ttl: u32 },
    DeleteRow { a: i32, b: i32 },
    DeleteBelow { a: i32 },
    DeletePartition,
    SetStatic { s: i32 },
}

pub(super) fn write() -> impl Strategy<Value = (i64, Write)> {
    let (a, b, v) = (0..3, 0..3, 0..4);
    let value = || proptest::option::weighted(0.8, 0..4);
    let write = prop_oneof![
        4 => (a.clone(), b.clone(), value()).prop_map(|(a, b, v)| Write::Insert { a, b, v }),
        4 => (a.clone(), b.clone(), value()).prop_map(|(a, b, v)| Write::Update { a, b, v }),
        2 => (a.clone(), b.clone(), v.clone(), 1..20u32).prop_map(|(a, b, v, ttl)| Write::InsertFor { a, b, v, ttl }),
        2 => (a.clone(), b).prop_map(|(a, b)| Write::DeleteRow { a, b }),
        1 => a.prop_map(|a| Write::DeleteBelow { a }),
        1 => Just(Write::DeletePartition),
        1 => v.prop_map(|s| Write::SetStatic { s }),
    ];
    (1..12i64, write)
}

/// What was written to one cell: its timestamp, whether it ends, when it ends, the value.
type Cell = (i64, bool, i64, Option<i32>);

/// The partition; or a row; or the rows whose `a` is below.
type Deleted = Option<(i32, Option<i32>)>;

const NEVER: i64 = i64::MAX;

/// Keeps every write, and answers from all of them at once.
#[derive(Default)]
struct Model {
    cells: BTreeMap<(i32, i32), Vec<Cell>>,
    rows: BTreeMap<(i32, i32), Vec<(i64, i64)>>,
    statics: Vec<(i64, i32)>,
    deleted: Vec<(i64, Deleted)>,
}

impl Model {
    fn write(&mut self, timestamp: i64, write: &Write, now: i64) {
        match *write {
            Write::Insert { a, b, v } => {
                self.rows.entry((a, b)).or_default().push((timestamp, NEVER));
                self.cell((a, b), (timestamp, v.is_none(), NEVER, v));
            }
            Write::Update { a, b, v } => self.cell((a, b), (timestamp, v.is_none(), NEVER, v)),
            Write::InsertFor { a, b, v, ttl } => {
                let end = now + i64::from(ttl);
                self.rows.entry((a, b)).or_default().push((timestamp, end));
                self.cell((a, b), (timestamp, true, end, Some(v)));
            }
            Write::DeleteRow { a, b } => self.deleted.push((timestamp, Some((a, Some(b))))),
            Write::DeleteBelow { a } => self.deleted.push((timestamp, Some((a, None)))),
            Write::DeletePartition => self.deleted.push((timestamp, None)),
            Write::SetStatic { s } => self.statics.push((timestamp, s)),
        }
    }

    fn cell(&mut self, at: (i32, i32), cell: Cell) {
        self.cells.entry(at).or_default().push(cell);
    }

    fn deleted(&self, (a, b): (i32, i32)) -> i64 {
        let covers = |what: &Deleted| match what {
            None => true,
            Some((row, Some(column))) => (*row, *column) == (a, b),
            Some((below, None)) => a < *below,
        };
        self.deleted
            .iter()
            .filter(|(_, what)| covers(what))
            .map(|(time, _)| *time)
            .max()
            .unwrap_or(i64::MIN)
    }

    /// Live rows in clustering order: `a` upwards, `b` downwards.
    fn rows(&self, now: i64) -> Vec<(i32, i32, Option<i32>)> {
        let mut out = Vec::new();
        for a in 0..3 {
            for b in (0..3).rev() {
                let deleted = self.deleted((a, b));
                let newest = |cell: &&Cell| {
                    let (time, ends, end, value) = **cell;
                    // At one time tombstones win, then what expires, the longer one first, then the larger value.
                    (time, value.is_none(), ends, if ends { end } else { 0 }, value)
                };
                let cell = self.cells.get(&(a, b)).into_iter().flatten().max_by_key(newest);
                let value = cell
                    .filter(|(time, _, end, _)| *time > deleted && now < *end)
                    .and_then(|(_, _, _, value)| *value);
                let marks = self.rows.get(&(a, b)).into_iter().flatten();
                let mark = marks.max_by_key(|(time, end)| (*time, *end != NEVER, *end));
                let marked = mark.is_some_and(|(time, end)| *time > deleted && now < *end);
                if marked || value.is_some() {
                    out.push((a, b, value));
                }
            }
        }
        out
    }

    fn static_value(&self) -> Option<i32> {
        let deleted = self
            .deleted
            .iter()
            .filter(|(_, what)| what.is_none())
            .map(|(time, _)| *time)
            .max();
        let newest = self.statics.iter().max_by_key(|(time, s)| (*time, s.to_string()));
        newest
            .filter(|(time, _)| deleted.is_none_or(|deleted| *time > deleted))
            .map(|(_, s)| *s)
    }
}

pub(super) fn text(timestamp: i64, write: &Write) -> String {
    let value = |v: &Option<i32>| v.map_or("null".to_owned(), |v| v.to_string());
    match write {
        Write::Insert { a, b, v } => {
            format!(
                "INSERT INTO wide (k, a, b, v) VALUES (1, {a}, {b}, {}) USING TIMESTAMP {timestamp}",
                value(v)
            )
        }
        Write::Update { a, b, v } => {
            format!(
                "UPDATE wide USING TIMESTAMP {timestamp} SET v = {} WHERE k = 1 AND a = {a} AND b = {b}",
                value(v)
            )
        }
        Write::InsertFor { a, b, v, ttl } => format!(
            "INSERT INTO wide (k, a, b, v) VALUES (1, {a}, {b}, {v}) USING TIMESTAMP {timestamp} AND TTL {ttl}"
        ),
        Write::DeleteRow { a, b } => {
            format!("DELETE FROM wide USING TIMESTAMP {timestamp} WHERE k = 1 AND a = {a} AND b = {b}")
        }
        Write::DeleteBelow { a } => {
            format!("DELETE FROM wide USING TIMESTAMP {timestamp} WHERE k = 1 AND a < {a}")
        }
        Write::DeletePartition => format!("DELETE FROM wide USING TIMESTAMP {timestamp} WHERE k = 1"),
        Write::SetStatic { s } => {
            format!("UPDATE wide USING TIMESTAMP {timestamp} SET s = '{s}' WHERE k = 1")
        }
    }
}

fn line((a, b, v): &(i32, i32, Option<i32>)) -> String {
    format!("{a} {b} {}", v.map_or("null".to_owned(), |v| v.to_string()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_answers_as_the_model(writes in proptest::collection::vec((write(), 0..4u64), 1..24), waited in 0..20u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let node = Node::new();
            let mut model = Model::default();
            let mut now = 1_700_000_000;
            for ((timestamp, write), pause) in &writes {
                let answer = node.rows(&text(*timestamp, write)).await;
                assert!(answer.is_empty(), "{answer:?}");
                model.write(*timestamp, write, now);
                node.wait(*pause);
                now += *pause as i64;
            }
            node.wait(waited);
            now += waited as i64;
            let rows = model.rows(now);
            let all: Vec<String> = rows.iter().map(line).collect();
            let found = node.rows("SELECT a, b, v FROM wide WHERE k = 1").await;
            match model.static_value() {
                Some(_) if all.is_empty() => assert_eq!(found, ["null null null"]),
                _ => assert_eq!(found, all),
            }
            let mut backwards = node.rows("SELECT a, b, v FROM wide WHERE k = 1 AND a >= 0 ORDER BY a DESC").await;
            backwards.reverse();
            assert_eq!(backwards, all);
            let slice: Vec<String> = rows.iter().filter(|row| row.0 == 1 && row.1 < 2).map(line).collect();
            assert_eq!(node.rows("SELECT a, b, v FROM wide WHERE k = 1 AND a = 1 AND b < 2").await, slice);
            let scanned = node.rows("SELECT a, b, v FROM wide WHERE a >= 0 ALLOW FILTERING").await;
            assert_eq!(scanned, all);
            let s = model.static_value().map_or(vec![], |s| vec![format!("1 {s}")]);
            let shown = node.rows("SELECT DISTINCT k, s FROM wide WHERE k = 1").await;
            if !all.is_empty() || !s.is_empty() {
                assert_eq!(shown, if s.is_empty() { vec!["1 null".to_owned()] } else { s });
            }
        });
    }
}
