//! The examples: how they are started, and what must be in the tables when they end.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, ensure};

use crate::{Broker, Program, broker, clients};

/// An example against a smack, its temporary files in a folder of the caller's.
pub fn example(name: &str, smack: &Broker, folder: &Path) -> Result<Program> {
    let script = broker::folder().with_file_name("examples").join("run");
    Ok(Program::new(script)
        .args([name])
        .env("KAFKA", smack.address())
        .env("CASSANDRA", smack.address_of("cql")?)
        .env("MESOS", smack.address_of("mesos")?)
        .env("MESOS_NATIVE_JAVA_LIBRARY", broker::libmesos()?)
        .env("TMPDIR", folder)
        .seconds_max(400))
}

/// The rows of a table as cqlsh shows them, column by column.
pub fn rows(smack: &Broker, query: &str) -> Result<Vec<Vec<String>>> {
    let cassandra = smack.address_of("cql")?;
    let (host, port) = cassandra.split_once(':').context("no port")?;
    let shown = Program::new(clients::install(&["cql-python"])?.join("bin/python"))
        .args(["-W", "ignore", "-m", "cqlshlib"])
        .args([host, port, "-e", &format!("PAGING OFF; {query}")])
        .run()?;
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect();
    // The first line with bars has the columns' names.
    Ok(shown
        .lines()
        .filter(|line| line.contains('|'))
        .skip(1)
        .map(cells)
        .collect())
}

/// How many of so many events were views and clicks, by campaign.
fn posted(events: u64) -> BTreeMap<u64, (u64, u64)> {
    let mut posted = BTreeMap::new();
    for i in 0..events {
        let (views, clicks): &mut (u64, u64) = posted.entry(1 + i % 5).or_default();
        *if i % 3 == 0 { clicks } else { views } += 1;
    }
    posted
}

/// Every event was stored once, counted once, and is in the report.
pub fn check_events(smack: &Broker, events: u64) -> Result<()> {
    let campaign = |id: &str| u64::from_str_radix(&id.replace('-', ""), 16);
    let stored = rows(smack, "SELECT count(*), max(ts) FROM events.event")?;
    ensure!(stored[0][0] == events.to_string(), "stored: {stored:?}");

    let mut counted: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for row in rows(smack, "SELECT campaign, type, n FROM events.activity")? {
        let (views, clicks) = counted.entry(campaign(&row[0])?).or_default();
        *if row[1] == "click" { clicks } else { views } += row[2].parse::<u64>()?;
    }
    ensure!(counted == posted(events), "counted: {counted:?}");

    let mut reported = BTreeMap::new();
    for row in rows(smack, "SELECT id, views, clicks FROM events.campaign_report")? {
        let id = campaign(&row[0])?;
        let added = (
            row[1].parse::<u64>()? - 1000 * id,
            row[2].parse::<u64>()? - 10 * id,
        );
        reported.insert(id, added);
    }
    ensure!(reported == posted(events), "reported: {reported:?}");
    Ok(())
}
