//! The table, as it is printed and kept.

use super::{
    Figures,
    cases::{Aim, Case},
};
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::fs;

/// What a comparison is told in: `docs/NAME.md` for people, `docs/NAME.json` with every single figure.
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) head: &'static str,
    pub(crate) cases: &'static [Case],
}

/// Says what happens, on standard error, so that the table can be piped.
#[expect(clippy::print_stderr, reason = "a chore talks to the person who runs it")]
pub(crate) fn progress(line: &str) {
    eprintln!("{line}");
}

/// Tells a figure, and adds it to the others.
pub(crate) fn add(figures: &mut Figures, case: &'static str, figure: f64) {
    progress(&format!("  {case}: {figure:.2}"));
    figures.entry(case).or_default().push(figure);
}

/// What a load says in its last line.
pub(crate) fn said(out: &str) -> Result<Value> {
    let said = out.lines().last().context("the load said nothing")?;
    Ok(serde_json::from_str(said)?)
}

/// Prints the table and keeps it, with what earlier runs measured of other cases. `how` says how a case was measured.
#[expect(clippy::print_stdout, reason = "a chore talks to the person who runs it")]
pub(crate) fn keep(
    page: &Page,
    original: &Figures,
    smack: &Figures,
    how: impl Fn(&str) -> String,
) -> Result<()> {
    let docs = compat_tests::broker::folder().join("../docs");
    let kept = docs.join(format!("{}.json", page.name));
    let mut known: Map<String, Value> = match fs::read_to_string(&kept) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => Map::new(),
    };
    known.retain(|name, _| page.cases.iter().any(|case| case.name == name));
    for (case, figures) in smack {
        // What the original takes too long for is told of smack alone.
        let original = original.get(case).map_or(&[][..], Vec::as_slice);
        let measured = json!({ "original": original, "smack": figures, "how": how(case) });
        known.insert((*case).to_owned(), measured);
    }
    let table = table(page.cases, &known)?;
    println!("{table}");
    fs::write(
        docs.join(format!("{}.md", page.name)),
        format!("{}{table}", page.head),
    )?;
    fs::write(kept, format!("{:#}\n", Value::Object(known)))?;
    Ok(())
}

/// The machine's cores, which client and server share.
pub(crate) fn cores() -> Result<usize> {
    Ok(std::thread::available_parallelism()?.get())
}

fn table(cases: &[Case], known: &Map<String, Value>) -> Result<String> {
    let mut rows: Vec<(bool, String)> = Vec::new();
    for case in cases {
        if let Some(measured) = known.get(case.name) {
            rows.push(row(case, measured)?);
        }
    }
    rows.sort_by_key(|(met, _)| *met);
    let mut table = String::from(
        "| case | original | smack | times better | aim | | how |\n|---|---|---|---|---|---|---|\n",
    );
    table.extend(rows.into_iter().map(|(_, row)| row));
    Ok(table)
}

/// A line of the table, and whether its aim is met.
fn row(case: &Case, measured: &Value) -> Result<(bool, String)> {
    let smack = median(&measured["smack"]).with_context(|| format!("{}: no figures", case.name))?;
    let original = median(&measured["original"]);
    let times = original.map(|original| match case.more_is_better {
        true => smack / original,
        false => original / smack,
    });
    let (aim, met) = match case.aim {
        Aim::Times(aim) => (
            format!("at least {aim} times"),
            times.is_some_and(|times| times >= aim),
        ),
        Aim::Under(aim) => (format!("under {aim}"), smack < aim),
        Aim::AtLeast(aim) => (format!("at least {aim}"), smack >= aim),
        Aim::None => (String::new(), true),
    };
    let verdict = match (aim.is_empty(), met) {
        (true, _) => "",
        (false, true) => "met",
        (false, false) => "**falls short**",
    };
    let mut row = String::new();
    let how = measured["how"].as_str().unwrap_or_default();
    let (original, smack) = (original.map_or_else(String::new, figure), figure(smack));
    let times = times.map_or_else(String::new, |times| format!("{times:.1}"));
    writeln!(
        row,
        "| {} | {original} | {smack} | {times} | {aim} | {verdict} | {how} |",
        case.name
    )?;
    Ok((met, row))
}

fn figure(figure: f64) -> String {
    match figure {
        ..10.0 => format!("{figure:.2}"),
        ..100.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

fn median(figures: &Value) -> Option<f64> {
    let mut sorted: Vec<f64> = figures.as_array()?.iter().filter_map(Value::as_f64).collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    Some((sorted[last / 2] + sorted[last.div_ceil(2)]) / 2.0)
}
