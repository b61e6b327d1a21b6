//! `docs/clients.md` is true: its lines are run as they stand there, against one start of smack, or are printed by that start.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use compat_tests::{Broker, Program, Subject, broker, clients};
use tempfile::TempDir;

/// Kafka's own tools are scripts around these classes.
const TOOLS: [(&str, &str); 3] = [
    ("kafka-topics.sh", "org.apache.kafka.tools.TopicCommand"),
    (
        "kafka-console-producer.sh",
        "org.apache.kafka.tools.ConsoleProducer",
    ),
    (
        "kafka-console-consumer.sh",
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
    ),
];
/// The addresses of the page, and whose they are.
const PORTS: [(&str, &str); 4] = [
    ("9092", "kafka"),
    ("9042", "cql"),
    ("5050", "mesos"),
    ("9644", "admin"),
];

/// What stands between two fences: the language, what else the fence says, and the lines.
struct Block {
    language: String,
    said: String,
    text: String,
}

/// Every block of a page.
fn blocks(page: &str) -> Vec<Block> {
    let parts = page.split("```").skip(1).step_by(2);
    let block = |part: &str| {
        let (info, text) = part.split_once('\n').unwrap_or((part, ""));
        let (language, said) = info.split_once(' ').unwrap_or((info, ""));
        Block {
            language: language.to_owned(),
            said: said.to_owned(),
            text: text.to_owned(),
        }
    };
    parts.map(block).collect()
}

/// Makes a program of a command, which gets its arguments.
fn program(path: &Path, command: &str) -> Result<()> {
    fs::write(path, format!("#!/bin/sh\nexec {command} \"$@\"\n"))?;
    fs::set_permissions(path, Permissions::from_mode(0o755))?;
    Ok(())
}

/// The programs that the page speaks of, and the packages of its languages.
struct Tools {
    bin: TempDir,
}

impl Tools {
    fn new() -> Result<Self> {
        let bin = tempfile::tempdir()?;
        let jars = clients::install(&["kafka"])?;
        for (name, class) in TOOLS {
            let java = "java -Xmx256m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=error";
            let jars = jars.display();
            program(&bin.path().join(name), &format!("{java} -cp '{jars}/*' {class}"))?;
        }
        // The folder was moved since its scripts were written, which name their Python by where it was.
        let python = clients::install(&["cql-python"])?.join("bin");
        let python = python.display();
        program(
            &bin.path().join("cqlsh"),
            &format!("'{python}/python' '{python}/cqlsh'"),
        )?;
        Ok(Self { bin })
    }

    /// What runs the lines of a language.
    fn program(&self, block: &Block, text: &str) -> Result<Program> {
        let is_cql = text.contains("cassandra");
        let path = format!(
            "{}:{}",
            self.bin.path().display(),
            std::env::var("PATH").unwrap_or_default()
        );
        Ok(match block.language.as_str() {
            "sh" => Program::new("bash")
                .args(["-euo", "pipefail", "-c", text])
                .env("PATH", path),
            "python" => {
                let set = if is_cql { "cql-python" } else { "python" };
                Program::new(clients::install(&[set])?.join("bin/python")).args(["-c", text])
            }
            "js" => {
                let packages = clients::install(&[if is_cql { "cql-node" } else { "node" }])?;
                let modules = self.bin.path().join("node_modules");
                let _ = fs::remove_file(&modules);
                symlink(packages.join("node_modules"), modules)?;
                let file = self.bin.path().join("page.mjs");
                fs::write(&file, text)?;
                Program::new("node")
                    .args([file])
                    .env("KAFKAJS_NO_PARTITIONER_WARNING", "1")
            }
            other => bail!("nothing runs {other}"),
        })
    }
}

/// With the ports of this start in place of the defaults.
fn at_home(text: &str, broker: &Broker) -> Result<String> {
    // In two steps: the port of one may have the default of another in it.
    let mut text = text.to_owned();
    for (port, server) in PORTS {
        text = text.replace(port, &format!("<{server}>"));
    }
    for (_, server) in PORTS {
        let address = broker.address_of(server)?;
        let own = address.rsplit_once(':').context("an address has a port")?.1;
        text = text.replace(&format!("<{server}>"), own);
    }
    Ok(text)
}

/// Whether a test holds what the lines are made of: programs, flags and names of variables.
fn is_tested(text: &str, file: &Path) -> Result<()> {
    let test = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    for line in text.lines() {
        let line = line.trim_start_matches("export ");
        let words = line.split([' ', '=']).enumerate();
        for (_, word) in words.filter(|(at, word)| *at == 0 || word.starts_with("--")) {
            ensure!(test.contains(word), "{} knows no {word}", file.display());
        }
    }
    Ok(())
}

#[test]
fn lines_to_paste() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let tests = broker::folder();
    let page = fs::read_to_string(tests.join("../docs/clients.md"))?;
    let tools = Tools::new()?;
    let broker = Broker::start(Subject::Smack, "")?;
    let printed = fs::read_to_string(broker.data().join("out.log"))?;
    let (mut ran, mut were_printed) = (0, 0);
    for block in blocks(&page) {
        let text = at_home(&block.text, &broker)?;
        if let Some(test) = block.said.strip_prefix("tested by ") {
            is_tested(&block.text, &tests.join(test))?;
        } else if block.said == "printed" || block.language == "properties" {
            for line in text.lines() {
                ensure!(printed.contains(line), "the start does not print {line}");
                were_printed += 1;
            }
        } else {
            let program = tools.program(&block, &text)?;
            program.seconds_max(120).run()?;
            ran += 1;
        }
    }
    ensure!(
        ran >= 10 && were_printed >= 3,
        "{ran} ran, {were_printed} printed: where are the others?"
    );
    Ok(())
}

/// A link to a page or to a heading leads somewhere.
#[test]
fn links_lead_somewhere() -> Result<()> {
    let root = broker::folder().join("..");
    let mut pages: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md"]
        .map(|page| root.join(page))
        .into();
    for folder in ["docs", "docs/compat", "docs/adr"] {
        let files = fs::read_dir(root.join(folder))?.filter_map(|file| Some(file.ok()?.path()));
        pages.extend(files.filter(|file| file.extension().is_some_and(|kind| kind == "md")));
    }
    let mut links = 0;
    for page in pages {
        let text = fs::read_to_string(&page)?;
        let from = page.parent().context("a page is in a folder")?;
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                page.clone()
            } else {
                from.join(path)
            };
            ensure!(
                target.exists(),
                "{} leads to {link}, which is not there",
                page.display()
            );
            if !heading.is_empty() {
                let there = fs::read_to_string(&target)?;
                let known = there.lines().filter_map(|line| line.strip_prefix('#'));
                let is_it = |title: &str| anchor(title.trim_start_matches('#').trim()) == heading;
                ensure!(
                    known.into_iter().any(is_it),
                    "{} leads to {link}: no such heading",
                    page.display()
                );
            }
            links += 1;
        }
    }
    ensure!(links > 30, "only {links} links were found");
    Ok(())
}

/// The name by which a heading is linked to.
fn anchor(title: &str) -> String {
    let kept = title.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}
