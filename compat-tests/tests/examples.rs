//! The examples, as a newcomer runs them but smaller, against one smack: what is in the tables at their end is what was sent.

use std::fs;

use anyhow::{Context, Result, ensure};
use compat_tests::{
    Broker, Subject,
    examples::{check_events, example, rows},
    spark,
};

/// How many events are posted.
const EVENTS: u64 = 600;

#[test]
fn events() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let smack = Broker::shared()?;
    let folder = tempfile::tempdir()?;
    let _alone = spark::alone()?;
    let shown = example("events", smack, folder.path())?
        .env("COUNT", EVENTS.to_string())
        .run()?;
    check_events(smack, EVENTS).with_context(|| shown.clone())?;
    ensure!(
        fs::read_dir(folder.path())?.next().is_none(),
        "files were left: {shown}"
    );
    let mut cleaning = example("events", smack, folder.path())?;
    cleaning = cleaning.args(["clean"]);
    cleaning.run()?;
    let left = rows(
        smack,
        "SELECT keyspace_name, table_name FROM system_schema.tables",
    )?;
    ensure!(left.iter().all(|row| row[0] != "events"), "{left:?}");
    Ok(())
}

/// Members come and go, in both protocols: each account's trades were followed in order, and what is suspicious flagged once.
#[test]
fn fraud() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let (accounts, trades) = (12, 60);
    let smack = Broker::shared()?;
    let folder = tempfile::tempdir()?;
    let mut suspicious = Vec::new();
    for account in 1..=accounts {
        let tens = (1..=trades / 10).filter(|ten| (account + ten) % 7 == 0);
        suspicious.extend(tens.map(|ten| vec![format!("account-{account}"), (10 * ten).to_string()]));
    }
    suspicious.sort();
    let _alone = spark::alone()?;
    for protocol in ["classic", "consumer"] {
        let shown = example("fraud", smack, folder.path())?
            .env("ACCOUNTS", accounts.to_string())
            .env("TRADES", trades.to_string())
            .env("PROTOCOL", protocol)
            .run()?;
        let mut flagged = rows(smack, "SELECT account, seq FROM fraud.flag")?;
        flagged.sort();
        ensure!(flagged == suspicious, "{flagged:?}: {shown}");
        let followed = rows(smack, "SELECT id, seq FROM fraud.account")?;
        let all = followed.iter().all(|row| row[1] == trades.to_string());
        ensure!(all && followed.len() == accounts, "{followed:?}: {shown}");
        for said in ["member-4 takes", "member-1 leaves"] {
            ensure!(shown.contains(said), "{protocol}: {shown}");
        }
    }
    Ok(())
}

/// Persistent actors add up readings, and know them still after a restart.
#[test]
fn meters() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let smack = Broker::shared()?;
    let folder = tempfile::tempdir()?;
    let _alone = spark::alone()?;
    let shown = example("meters", smack, folder.path())?
        .env("METERS", "8")
        .env("HOURS", "3")
        .run()?;
    // Two meters in each area: 4 * (50 + 10 * hour + meter) watt hours each.
    for line in [
        "0:00    0.416    0.424    0.432    0.440",
        "2:00    0.576    0.584    0.592    0.600",
    ] {
        ensure!(shown.contains(line), "{shown}");
    }
    let journals = rows(
        smack,
        "SELECT DISTINCT persistence_id, partition_nr FROM meters.messages",
    )?;
    ensure!(journals.len() == 8 + 4, "{journals:?}: {shown}");
    Ok(())
}
