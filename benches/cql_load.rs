//! The load of `cargo xtask bench cql`: the scylla driver, the same on both sides. Prints one JSON object.
//!
//! `cql-load fill ROWS`, then `cql-load CASE ROWS SECONDS WARM_SECONDS`. A load first runs for as long as it is told
//! without counting, so that a JVM is warm; then as fast as it is answered, which gives the rate; then at a fixed rate that
//! both sides manage, which gives the times of answers at the same load. Processor time is the server process's own
//! (`SERVER_PID`), read where counting begins and ends. `cql-load grow FROM ROWS` adds the rows from one number to another.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::value::Counter;
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
type Work = Pin<Box<dyn Future<Output = Result<u64>> + Send>>;

const VALUE_BYTES: usize = 192;
/// Rows of a partition of the table `wide`, which one `range` reads.
const WIDE_ROWS: i32 = 100;
const WIDE_PARTITIONS: i64 = 2_000;
const BATCH_STATEMENTS: usize = 10;
const COUNTERS: i64 = 10_000;
const SCAN_RANGES: u64 = 64;
/// Numbers that rows of indexed tables have.
const NUMBERS: u64 = 1_000;
/// Rows that `grow` sends at once.
const GROW_STATEMENTS: usize = 50;

/// What all requests of a load share.
struct Load {
    session: Session,
    statements: Vec<PreparedStatement>,
    rows: i64,
    next: AtomicU64,
}

impl Load {
    /// A number, which is another one each time, spread over all of them.
    fn number(&self) -> u64 {
        // SplitMix64: the same numbers on both sides.
        let mut x = self.next.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn key(&self) -> i64 {
        (self.number() % self.rows.unsigned_abs()) as i64
    }

    fn batch(&self) -> Batch {
        let mut batch = Batch::new(BatchType::Logged);
        for _ in 0..BATCH_STATEMENTS {
            batch.append_statement(self.statements[0].clone());
        }
        batch
    }
}

/// A load: how many requests are under way, what is prepared, and what one request does. A request answers how many rows
/// or operations it was.
struct Case {
    name: &'static str,
    under_way: usize,
    /// Rows or operations a second of the fixed rate: about half of what the original manages on two cores.
    paced: f64,
    statements: &'static [&'static str],
    work: fn(Arc<Load>) -> Work,
}

const INSERT: &str = "INSERT INTO bench.t (k, v) VALUES (?, ?)";

const CASES: &[Case] = &[
    Case {
        name: "insert",
        under_way: 256,
        paced: 10_000.0,
        statements: &[INSERT],
        work: |load| {
            Box::pin(async move {
                let key = load.key();
                load.session
                    .execute_unpaged(&load.statements[0], (key, value(key)))
                    .await?;
                Ok(1)
            })
        },
    },
    Case {
        name: "select",
        under_way: 256,
        paced: 3_000.0,
        statements: &["SELECT v FROM bench.t WHERE k = ?"],
        work: |load| {
            Box::pin(async move {
                let answer = load
                    .session
                    .execute_unpaged(&load.statements[0], (load.key(),))
                    .await?;
                let rows = answer.into_rows_result()?.rows_num();
                if rows != 1 {
                    return Err(format!("a key gave {rows} rows").into());
                }
                Ok(1)
            })
        },
    },
    Case {
        name: "range",
        under_way: 64,
        paced: 1_000.0,
        statements: &["SELECT c, v FROM bench.wide WHERE k = ?"],
        work: |load| {
            Box::pin(async move {
                let key = load.key() % WIDE_PARTITIONS;
                let answer = load.session.execute_unpaged(&load.statements[0], (key,)).await?;
                let rows = answer.into_rows_result()?.rows_num();
                if rows != WIDE_ROWS as usize {
                    return Err(format!("a partition gave {rows} rows").into());
                }
                Ok(1)
            })
        },
    },
    Case {
        name: "lwt",
        under_way: 32,
        paced: 1_200.0,
        statements: &["INSERT INTO bench.once (k, v) VALUES (?, ?) IF NOT EXISTS"],
        work: |load| {
            Box::pin(async move {
                let key = load.number() as i64;
                load.session
                    .execute_unpaged(&load.statements[0], (key, value(key)))
                    .await?;
                Ok(1)
            })
        },
    },
    Case {
        name: "batch",
        under_way: 32,
        paced: 1_200.0,
        statements: &[INSERT],
        work: |load| {
            Box::pin(async move {
                let values: Vec<_> = (0..BATCH_STATEMENTS)
                    .map(|_| load.key())
                    .map(|key| (key, value(key)))
                    .collect();
                load.session.batch(&load.batch(), values).await?;
                Ok(1)
            })
        },
    },
    Case {
        name: "counter",
        under_way: 256,
        paced: 5_000.0,
        statements: &["UPDATE bench.n SET n = n + ? WHERE k = ?"],
        work: |load| {
            Box::pin(async move {
                let key = load.key() % COUNTERS;
                load.session
                    .execute_unpaged(&load.statements[0], (Counter(1), key))
                    .await?;
                Ok(1)
            })
        },
    },
    Case {
        name: "index",
        under_way: 256,
        paced: 5_000.0,
        statements: &["INSERT INTO bench.indexed (k, v, i) VALUES (?, ?, ?)"],
        work: insert_numbered,
    },
    Case {
        name: "view",
        under_way: 256,
        paced: 2_000.0,
        statements: &["INSERT INTO bench.viewed (k, v, i) VALUES (?, ?, ?)"],
        work: insert_numbered,
    },
    Case {
        name: "scan",
        under_way: 4,
        paced: 60_000.0,
        statements: &["SELECT k, v FROM bench.t WHERE token(k) > ? AND token(k) <= ?"],
        work: |load| {
            Box::pin(async move {
                let at = load.next.fetch_add(1, Ordering::Relaxed) % SCAN_RANGES;
                let width = u64::MAX / SCAN_RANGES;
                let from = i64::MIN.wrapping_add_unsigned(at * width);
                let to = if at + 1 == SCAN_RANGES {
                    i64::MAX
                } else {
                    from.wrapping_add_unsigned(width)
                };
                let rows = load
                    .session
                    .execute_iter(load.statements[0].clone(), (from, to))
                    .await?
                    .rows_stream::<(i64, String)>()?;
                rows.try_fold(0, |count, _| async move { Ok(count + 1) })
                    .await
                    .map_err(Into::into)
            })
        },
    },
];

/// A row with a number that an index or a view is by.
fn insert_numbered(load: Arc<Load>) -> Work {
    Box::pin(async move {
        let key = load.key();
        let number = (load.number() % NUMBERS) as i32;
        load.session
            .execute_unpaged(&load.statements[0], (key, value(key), number))
            .await?;
        Ok(1)
    })
}

/// Text that compresses about as well as what people store.
fn value(key: i64) -> String {
    let mut text = String::with_capacity(VALUE_BYTES);
    let mut x = key.unsigned_abs();
    while text.len() < VALUE_BYTES {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("{:08x}padding ", x >> 32));
    }
    text.truncate(VALUE_BYTES);
    text
}

async fn open() -> Result<Session> {
    Ok(SessionBuilder::new()
        .known_node(std::env::var("CQL")?)
        .build()
        .await?)
}

/// Tables, and rows that loads read.
async fn fill(rows: i64) -> Result<Value> {
    let session = open().await?;
    for text in [
        "CREATE KEYSPACE bench WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE bench.t (k bigint PRIMARY KEY, v text)",
        "CREATE TABLE bench.wide (k bigint, c int, v text, PRIMARY KEY (k, c))",
        "CREATE TABLE bench.once (k bigint PRIMARY KEY, v text)",
        "CREATE TABLE bench.n (k bigint PRIMARY KEY, n counter)",
        "CREATE TABLE bench.indexed (k bigint PRIMARY KEY, v text, i int)",
        "CREATE INDEX ON bench.indexed (i)",
        "CREATE TABLE bench.viewed (k bigint PRIMARY KEY, v text, i int)",
        "CREATE MATERIALIZED VIEW bench.by_number AS SELECT * FROM bench.viewed \
         WHERE i IS NOT NULL AND k IS NOT NULL PRIMARY KEY (i, k)",
    ] {
        session.query_unpaged(text, &[]).await?;
    }
    let put = session.prepare(INSERT).await?;
    let session = &session;
    let all = (0..rows).map(|key| session.execute_unpaged(&put, (key, value(key))));
    futures::stream::iter(all)
        .buffer_unordered(256)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    let put = session
        .prepare("INSERT INTO bench.wide (k, c, v) VALUES (?, ?, ?)")
        .await?;
    let cells = (0..WIDE_PARTITIONS).flat_map(|key| (0..WIDE_ROWS).map(move |c| (key, c)));
    let all = cells.map(|(key, c)| session.execute_unpaged(&put, (key, c, value(key + i64::from(c)))));
    futures::stream::iter(all)
        .buffer_unordered(256)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    Ok(json!({ "rows": rows }))
}

/// What the server process has used so far, in seconds.
fn processor_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", std::env::var("SERVER_PID")?))?;
    let rest = stat.rsplit(')').next().ok_or("no end of the name")?;
    let ticks = |at: usize| -> Result<f64> {
        Ok(rest.split_whitespace().nth(at).ok_or("a short line")?.parse()?)
    };
    // User and system time, in hundredths of a second.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// When requests of a fixed rate are due.
struct Pace {
    began: Instant,
    per_second: f64,
    next: AtomicU64,
}

impl Pace {
    fn new(per_second: f64) -> Self {
        Pace {
            began: Instant::now(),
            per_second,
            next: AtomicU64::new(0),
        }
    }

    /// Waits until the next request is due, and answers from when on its time counts: where all that are under way are
    /// late, from when it was due, so that a server does not gain by holding requests up.
    async fn due(&self) -> Instant {
        let number = self.next.fetch_add(1, Ordering::Relaxed) as f64;
        let due = self.began + Duration::from_secs_f64(number / self.per_second);
        if due <= Instant::now() {
            return due;
        }
        tokio::time::sleep_until(due.into()).await;
        Instant::now()
    }
}

/// What was counted.
struct Counted {
    done: f64,
    /// In order.
    took_us: Vec<u32>,
    seconds: f64,
    /// Seconds of the server's processors.
    used: f64,
}

impl Counted {
    fn at_ms(&self, share: f64) -> Option<f64> {
        let at = (self.took_us.len() as f64 * share) as usize;
        self.took_us.get(at).map(|us| f64::from(*us) / 1e3)
    }
}

/// Runs a load, at a pace or as fast as it is answered, and counts after `warm` seconds.
async fn count(case: &Case, load: &Arc<Load>, pace: Option<Pace>, seconds: u64, warm: u64) -> Result<Counted> {
    let (counting, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let pace = Arc::new(pace);
    let mut workers = Vec::new();
    for _ in 0..case.under_way {
        let (load, counting, stop, pace) = (load.clone(), counting.clone(), stop.clone(), pace.clone());
        let work = case.work;
        workers.push(tokio::spawn(async move {
            let (mut done, mut took) = (0, Vec::new());
            while !stop.load(Ordering::Relaxed) {
                let began = match &*pace {
                    Some(pace) => pace.due().await,
                    None => Instant::now(),
                };
                let counted = counting.load(Ordering::Relaxed);
                let count = work(load.clone()).await?;
                if counted && !stop.load(Ordering::Relaxed) {
                    done += count;
                    took.push(began.elapsed().as_micros() as u32);
                }
            }
            Ok::<_, Box<dyn Error + Send + Sync>>((done, took))
        }));
    }
    tokio::time::sleep(Duration::from_secs(warm)).await;
    let (began, used) = (Instant::now(), processor_seconds()?);
    counting.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    stop.store(true, Ordering::Relaxed);
    let (seconds, used) = (began.elapsed().as_secs_f64(), processor_seconds()? - used);
    let (mut done, mut took_us) = (0, Vec::new());
    for worker in workers {
        let (count, some) = worker.await??;
        done += count;
        took_us.extend(some);
    }
    took_us.sort_unstable();
    Ok(Counted {
        done: done as f64,
        took_us,
        seconds,
        used,
    })
}

async fn run(case: &Case, rows: i64, seconds: u64, warm: u64) -> Result<Value> {
    let session = open().await?;
    let mut statements = Vec::new();
    for text in case.statements {
        statements.push(session.prepare(*text).await?);
    }
    let load = Arc::new(Load {
        session,
        statements,
        rows,
        // A server that ran before was asked other numbers.
        next: AtomicU64::new(u64::from(std::process::id()) << 32),
    });
    let fast = count(case, &load, None, seconds, warm).await?;
    let each = fast.done / (fast.took_us.len() as f64).max(1.0);
    let pace = Pace::new(case.paced / each.max(1.0));
    let paced = count(case, &load, Some(pace), seconds, 1).await?;
    Ok(json!({
        "rate": fast.done / fast.seconds, "work": fast.done / fast.used.max(0.01), "cores": fast.used / fast.seconds,
        "p50": paced.at_ms(0.5), "p99": paced.at_ms(0.99), "fast_p99": fast.at_ms(0.99),
    }))
}

/// Adds rows, many at once.
async fn grow(from: i64, rows: i64) -> Result<Value> {
    let session = open().await?;
    let put = session.prepare(INSERT).await?;
    let mut batch = Batch::new(BatchType::Unlogged);
    for _ in 0..GROW_STATEMENTS {
        batch.append_statement(put.clone());
    }
    let (session, batch) = (&session, &batch);
    let all = (from..rows).step_by(GROW_STATEMENTS).map(|first| {
        let keys = first..first + GROW_STATEMENTS as i64;
        let values: Vec<_> = keys.map(|key| (key, value(key))).collect();
        async move { session.batch(batch, values).await }
    });
    futures::stream::iter(all)
        .buffer_unordered(16)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    Ok(json!({ "rows": rows }))
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| -> Result<u64> { Ok(arguments.get(at).ok_or("a number is missing")?.parse()?) };
    let rows = number(1)? as i64;
    let said = match arguments[0].as_str() {
        "fill" => fill(rows).await?,
        "grow" => grow(rows, number(2)? as i64).await?,
        name => {
            let case = CASES.iter().find(|case| case.name == name).ok_or("no such load")?;
            run(case, rows, number(2)?, number(3)?).await?
        }
    };
    println!("{said}");
    Ok(())
}
