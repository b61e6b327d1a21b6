//! `docs/configuration.md` is made of what the program says of itself: its help, and the commented file with every default.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};
use compat_tests::{Program, Subject, broker};

const INTRODUCTION: &str = "\
<!-- Written by `RECORD=1 cargo test -p compat-tests --test reference`. Do not edit. -->
# Configuration

What `smack` is started with. Kafka's own keys (`server.properties`) are on [a page of their own](configuration-kafka.md), limits of
CQL's statements among the [guardrails](compat/cql-guardrails.md), by their names in `cassandra.yaml`. What the settings promise is told
in [durability](durability.md).

A setting is taken from its flag, else its environment variable, else `smack.toml`, else its default. Any port may be 0: a free one
is taken, printed, and written to `ports.json` in the data directory once all servers answer.
";
const FILE: &str = "
## smack.toml

`./smack.toml`, or the file of `--config`; `smack config default` prints it with every default. A key that is not known is refused.
Keys of `[cql]` and `[mesos]` have the names that they have in `cassandra.yaml` and among the original's flags.
";

/// What the program says when it is started so.
fn say(arguments: &[&str]) -> Result<String> {
    Program::new(broker::smack_binary()?).args(arguments).run()
}

/// A flag, as the help tells it.
#[derive(Default)]
struct Flag {
    name: String,
    what: String,
    environment: String,
    default: String,
    values: Vec<String>,
}

/// Every flag of a command's help. What a flag takes stands below its name, further in.
fn flags(help: &str) -> Vec<Flag> {
    let mut flags: Vec<Flag> = Vec::new();
    let lines = help.lines().map(str::trim_end);
    // The last one is -h.
    for line in lines.take_while(|line| !line.starts_with("  -")) {
        let text = line.trim_start();
        if line.starts_with("      --") {
            let name = text.to_owned();
            flags.push(Flag {
                name,
                ..Flag::default()
            });
        } else if !line.starts_with("        ") {
            continue;
        } else if let Some(flag) = flags.last_mut() {
            let marked = |mark: &str| text.strip_prefix(mark)?.strip_suffix(']');
            if let Some(environment) = marked("[env: ") {
                // What it is set to where this runs is nobody's business.
                environment
                    .split('=')
                    .next()
                    .unwrap_or_default()
                    .clone_into(&mut flag.environment);
            } else if let Some(default) = marked("[default: ") {
                default.clone_into(&mut flag.default);
            } else if let Some((word, meaning)) =
                text.strip_prefix("- ").and_then(|value| value.split_once(": "))
            {
                flag.values.push(format!("`{word}`: {}", meaning.trim()));
            } else if !text.is_empty() && text != "Possible values:" {
                let (what, default) = text.split_once(" [default: ").unwrap_or((text, ""));
                what.clone_into(&mut flag.what);
                default.trim_end_matches(']').clone_into(&mut flag.default);
            }
        }
    }
    flags
}

/// A setting of the commented file.
struct Setting {
    section: String,
    key: String,
    default: String,
    what: String,
}

/// Every setting of the file: prose stands before the settings it speaks of, or behind one on its line.
fn settings(file: &str) -> Vec<Setting> {
    let (mut found, mut section, mut prose): (Vec<Setting>, _, _) =
        (Vec::new(), String::new(), String::new());
    for line in file.lines() {
        let text = line.trim_start_matches("# ").trim();
        match (text.split_once(" = "), found.last_mut()) {
            _ if text.starts_with('[') => text.clone_into(&mut section),
            (Some((key, rest)), _) if is_key(key) => {
                let (default, behind) = rest.split_once("   # ").unwrap_or((rest, ""));
                let what = if behind.is_empty() {
                    prose.trim()
                } else {
                    behind.trim()
                };
                found.push(Setting {
                    section: section.clone(),
                    key: key.trim_matches('"').to_owned(),
                    default: default.trim().to_owned(),
                    what: what.to_owned(),
                });
            }
            // What stands behind a setting goes on below, far to the right.
            (_, Some(last)) if line.starts_with("#   ") => {
                last.what = format!("{} {}", last.what, text.trim_start_matches('#').trim());
            }
            _ if text.is_empty() => prose.clear(),
            _ => prose = format!("{prose} {text}"),
        }
    }
    found
}

fn is_key(text: &str) -> bool {
    let bare = text.trim_matches('"');
    !bare.is_empty() && bare.chars().all(|c| c.is_ascii_lowercase() || "_.".contains(c))
}

/// Text that does not end its cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

fn code(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!("`{}`", text.replace('|', "\\|")),
    }
}

fn document() -> Result<String> {
    let mut out = format!("{INTRODUCTION}\n## Commands\n\n| command | what |\n|---|---|\n");
    for line in say(&["--help"])?.lines().filter(|line| line.starts_with("  ")) {
        if let Some((name, what)) = line
            .trim()
            .split_once("  ")
            .filter(|(name, _)| !name.starts_with('-'))
        {
            writeln!(out, "| `smack {name}` | {} |", what.trim())?;
        }
    }
    for (command, title) in [
        ("up", "Flags of `up`, `kafka`, `cql`, `mesos` and `mesos-master`"),
        ("mesos-agent", "Flags of `mesos-agent`"),
    ] {
        write!(
            out,
            "\n## {title}\n\n| flag | environment | what | default |\n|---|---|---|---|\n"
        )?;
        for flag in flags(&say(&[command, "--help"])?) {
            let values = match flag.values.is_empty() {
                true => String::new(),
                false => format!(" ({})", flag.values.join("; ")),
            };
            let (name, environment, default) =
                (code(&flag.name), code(&flag.environment), code(&flag.default));
            writeln!(
                out,
                "| {name} | {environment} | {}{} | {default} |",
                cell(&flag.what),
                cell(&values)
            )?;
        }
    }
    out.push_str(FILE);
    let mut section = None;
    for setting in settings(&say(&["config", "default"])?) {
        if section.as_ref() != Some(&setting.section) {
            let title = if setting.section.is_empty() {
                "At the top".to_owned()
            } else {
                code(&setting.section)
            };
            write!(
                out,
                "\n### {title}\n\n| key | as in the file | what |\n|---|---|---|\n"
            )?;
            section = Some(setting.section.clone());
        }
        writeln!(
            out,
            "| {} | {} | {} |",
            code(&setting.key),
            code(&setting.default),
            cell(&setting.what)
        )?;
    }
    Ok(out)
}

#[test]
fn the_page_says_what_the_program_says() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let (path, said) = (broker::folder().join("../docs/configuration.md"), document()?);
    if std::env::var_os("RECORD").is_some() {
        fs::write(&path, &said)?;
    }
    ensure!(
        fs::read_to_string(&path)? == said,
        "docs/configuration.md is not what the program says: RECORD=1 writes it"
    );
    Ok(())
}

/// The parser names what it would have taken in place of a key that nobody has.
#[test]
fn every_key_that_the_file_takes_is_in_it() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let (folder, told) = (tempfile::tempdir()?, settings(&say(&["config", "default"])?));
    let file = folder.path().join("smack.toml");
    for section in ["", "[admin]", "[kafka]", "[mesos]"] {
        fs::write(&file, format!("{section}\nnobody_has_this = 1\n"))?;
        let program = Program::new(broker::smack_binary()?)
            .args(["up", "--config"])
            .args([&file]);
        let refused = program.say()?.err;
        let expected = refused
            .split_once("expected ")
            .with_context(|| refused.clone())?
            .1;
        let known = expected.split('`').skip(1).step_by(2);
        for key in
            known.filter(|key| !["admin", "cql", "kafka", "mesos", "config", "listeners"].contains(key))
        {
            let is_told = told.iter().any(|one| one.section == section && one.key == key);
            ensure!(is_told, "{section} {key} is not in the file of defaults");
        }
    }
    Ok(())
}
