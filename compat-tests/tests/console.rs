//! The console in a headless Chromium, at the width of a desk and of a phone, with data in all three servers. Its pictures
//! are kept in `console` of the target folder.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use compat_tests::cql::raw::{self, Reaction};
use compat_tests::cql::wire::opcode;
use compat_tests::{Broker, Program, Subject, broker};
use serde_json::Value;

/// Names that would be elements, were they not escaped.
const GROUP: &str = "group <img src=x onerror=alert(1)>";
const TASK: &str = "task <script>alert(2)</script>";
const RECORDS: usize = 100;
const READ: usize = 40;

/// A framework, which ends with the test.
struct Framework(Child);

impl Framework {
    /// Starts one and waits until its task runs.
    fn start(master: &str) -> Result<Self> {
        let mut child = Command::new("node")
            .arg(scenario("framework.mjs"))
            .args([master, TASK])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().context("no output")?;
        let own = Framework(child);
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        ensure!(line == "launched\n", "the framework said {line:?}");
        Ok(own)
    }
}

impl Drop for Framework {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn scenario(name: &str) -> PathBuf {
    broker::folder().join("scenarios/console").join(name)
}

/// Where pictures are kept.
fn pictures() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let target = test.ancestors().nth(3).context("a test is below its target")?;
    let folder = target.join("console");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A topic of which a group has read a part, a table with rows, a task that runs.
fn data(broker: &Broker) -> Result<Framework> {
    let address = broker.address();
    let lines: String = (0..RECORDS).map(|i| format!("record {i}\n")).collect();
    let produce = ["-q", "-b", address, "-P", "-t", "orders", "-p", "0"];
    Program::new("kcat").args(produce).input(lines).run()?;
    let count = READ.to_string();
    let consume = [
        "-q",
        "-b",
        address,
        "-X",
        "auto.offset.reset=earliest",
        "-c",
        &count,
    ];
    Program::new("kcat")
        .args(consume)
        .args(["-G", GROUP, "orders"])
        .run()?;
    let cql = broker.address_of("cql")?;
    for text in [
        "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE shop.events (id int PRIMARY KEY, what text)",
        "INSERT INTO shop.events (id, what) VALUES (1, 'seen')",
        "SELECT what FROM shop.events WHERE id = 1",
    ] {
        match raw::ask(&cql, opcode::QUERY, &raw::query(text))? {
            Reaction::Answered(opcode::RESULT, _) => {}
            other => anyhow::bail!("{text}: {other:?}"),
        }
    }
    Framework::start(&broker.address_of("mesos")?)
}

/// The row of a table that begins with `name`, as a section tells it.
fn row(broker: &Broker, section: &str, table: &str, name: &str) -> Result<Vec<Value>> {
    let url = format!(
        "http://{}/console/sections/{section}",
        broker.address_of("admin")?
    );
    let told: Value = serde_json::from_str(&Program::new("curl").args(["-sf", &url]).run()?)?;
    let mut tables = told["tables"].as_array().into_iter().flatten();
    let table = tables
        .find(|one| one["title"] == table)
        .context("no such table")?;
    let mut rows = table["rows"].as_array().into_iter().flatten();
    let found = rows.find(|row| row[0] == name).and_then(Value::as_array);
    found.cloned().with_context(|| format!("no row {name}: {table}"))
}

/// What the sections tell is what was done.
fn values(broker: &Broker) -> Result<()> {
    let topic = row(broker, "kafka", "Topics", "orders")?;
    ensure!(topic[1] == 3.0 && topic[2] == RECORDS as f64, "{topic:?}");
    let group = row(broker, "kafka", "Groups", GROUP)?;
    ensure!(
        group[4] == "orders" && group[5] == (RECORDS - READ) as f64,
        "{group:?}"
    );
    let table = row(broker, "cql", "Tables", "shop.events")?;
    ensure!(
        table[1] == 1.0 && table[6] == 1.0,
        "one read, one write: {table:?}"
    );
    ensure!(
        table[3].as_f64() > Some(0.0) && table[5].is_null(),
        "a read took time, no scan did: {table:?}"
    );
    let task = row(broker, "mesos", "Tasks", "task-1")?;
    ensure!(task[1] == TASK && task[3] == "running", "{task:?}");
    Ok(())
}

/// What is to be read on the page; what depends on the machine is left out.
fn expected() -> Vec<String> {
    let lag = (RECORDS - READ).to_string();
    let pieces = [
        "live",
        "Kafka",
        "CQL",
        "Mesos",
        "orders",
        GROUP,
        &lag,
        "Produce",
        "shop.events",
        "QUERY",
        TASK,
        "task-1",
        "framework <b>",
        "running",
        "stdout",
        "MiB",
        "B/s",
        "/s",
        "0.1 CPU of",
        // The framework declined what it was offered after its task.
        "refused 1 a while ago",
    ];
    pieces.map(str::to_owned).into()
}

#[test]
fn values_are_seen_at_every_width() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let broker = Broker::start(Subject::Smack, "")?;
    let _framework = data(&broker)?;
    values(&broker)?;
    let page = format!("http://{}/", broker.address_of("admin")?);
    let (pictures, expected) = (pictures()?, serde_json::to_string(&expected())?);
    let said = Program::new("node")
        .args([scenario("console.mjs")])
        .args([&page])
        .args([&pictures])
        .args([&expected])
        .seconds_max(200)
        .run()?;
    let said: Value = serde_json::from_str(&said)?;
    ensure!(
        said["complaints"] == Value::Array(Vec::new()),
        "the browser complains: {}",
        said["complaints"]
    );
    let seen = said["seen"].as_array().context("nothing was seen")?;
    ensure!(seen.len() == 2, "two widths are looked at");
    for one in seen {
        let name = one["name"].as_str().unwrap_or_default();
        ensure!(
            one["missing"] == Value::Array(Vec::new()),
            "{name} lacks {}: {}",
            one["missing"],
            one["text"]
        );
        ensure!(one["made"] == 0, "{name}: a name has become an element");
        ensure!(one["stays"] == true, "{name}: what had the focus was drawn anew");
        ensure!(one["overflows"] == false, "{name}: wider than its screen");
        let picture = pictures.join(format!("{name}.png"));
        ensure!(
            fs::metadata(&picture)?.len() > 10_000,
            "{} is empty",
            picture.display()
        );
    }
    ensure!(
        seen[0]["ground"] != seen[1]["ground"],
        "light and dark look the same"
    );
    sandbox(&seen[0])
}

/// The link of a task leads to what it wrote.
fn sandbox(seen: &Value) -> Result<()> {
    let links = seen["links"].as_array().context("no links")?;
    let mut links = links.iter().filter_map(Value::as_str);
    let stdout = links
        .find(|link| link.ends_with("stdout"))
        .context("no link to stdout")?;
    let wrote = Program::new("curl").args(["-sf", stdout]).run()?;
    ensure!(wrote == "hello\n", "stdout is {wrote:?}");
    Ok(())
}
