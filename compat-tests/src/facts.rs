//! What a scenario found out, compared with what the original answers.

use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::broker::{Subject, folder};

/// One way in which smack may answer differently.
#[derive(Debug, Deserialize)]
pub struct Difference {
    /// The client's folder under `facts/`; `*` for all.
    pub client: String,
    /// The scenario; `*` for all.
    pub scenario: String,
    /// A JSON pointer; it and all below it may differ. `*` stands for one step.
    pub at: String,
    /// Why this is right.
    pub reason: String,
}

#[derive(Debug, Deserialize)]
struct Differences {
    #[serde(default)]
    difference: Vec<Difference>,
}

/// Takes the last line of a program's output as its facts.
pub fn parse(output: &str) -> Result<Value> {
    let last = output.lines().last().context("the program said nothing")?;
    serde_json::from_str(last).with_context(|| format!("the last line is no JSON: {last}"))
}

/// Compares facts with the original's, or records them when `RECORD=1` and the subject is not smack.
pub fn compare(client: &str, scenario: &str, facts: &Value) -> Result<()> {
    let path = folder()
        .join("facts")
        .join(client)
        .join(format!("{scenario}.json"));
    if Subject::from_env() != Subject::Smack && std::env::var_os("RECORD").is_some() {
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(&path, format!("{}\n", serde_json::to_string_pretty(facts)?))?;
        return Ok(());
    }
    let text = fs::read_to_string(&path)
        .with_context(|| format!("no facts of the original at {}", path.display()))?;
    let original: Value = serde_json::from_str(&text)?;
    let mut found = Vec::new();
    walk("", &original, facts, &mut found);
    if Subject::from_env() != Subject::Original {
        let allowed = differences()?;
        found.retain(|(at, _)| !allowed.iter().any(|d| d.covers(client, scenario, at)));
    }
    if found.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = found.iter().map(|(at, what)| format!("  {at}: {what}")).collect();
    bail!(
        "{client} {scenario} differs from the original:\n{}",
        lines.join("\n")
    )
}

/// Every difference that is allowed.
pub fn differences() -> Result<Vec<Difference>> {
    let text = fs::read_to_string(folder().join("differences.toml"))?;
    let list: Differences = toml::from_str(&text).context("differences.toml")?;
    for d in &list.difference {
        anyhow::ensure!(
            !d.reason.trim().is_empty(),
            "a difference of {} {} has no reason",
            d.client,
            d.scenario
        );
    }
    Ok(list.difference)
}

impl Difference {
    fn covers(&self, client: &str, scenario: &str, at: &str) -> bool {
        let same = |pattern: &str, name: &str| pattern == "*" || pattern == name;
        let mut steps = at.split('/');
        same(&self.client, client)
            && same(&self.scenario, scenario)
            && self
                .at
                .split('/')
                .all(|wanted| steps.next().is_some_and(|step| same(wanted, step)))
    }
}

fn walk(at: &str, original: &Value, ours: &Value, found: &mut Vec<(String, String)>) {
    match (original, ours) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                match b.get(key) {
                    Some(other) => walk(&format!("{at}/{key}"), value, other, found),
                    None => found.push((
                        format!("{at}/{key}"),
                        format!("missing, the original has {value}"),
                    )),
                }
            }
            for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
                found.push((
                    format!("{at}/{key}"),
                    format!("{value}, which the original does not have"),
                ));
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (value, other)) in a.iter().zip(b).enumerate() {
                walk(&format!("{at}/{i}"), value, other, found);
            }
        }
        _ if original == ours => {}
        _ => found.push((
            at.to_owned(),
            format!("got {ours}, the original gives {original}"),
        )),
    }
}
