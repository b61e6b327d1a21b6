//! The corpus: statements with what the original answers, in files that a person reads and a machine replays.
//!
//! ```text
//! # A comment.
//! > SELECT k, v                 a statement
//! . FROM t                      its further lines
//! @ page 2                      how it runs: page N, timestamp N, consistency N, serial N
//! $ 0x00000001 null unset       values: the statement is prepared, then executed with them
//! ~ a warning
//! = k int | v text              the columns of the answer, or what else it is
//!   1 | 'a'                     a row
//! ! 2200 the text of an error
//! ```
//!
//! `# smack: ...` above a statement says why smack answers it otherwise, where it does.
//!
//! A file has a keyspace of its own, of the same name, empty at the start. Files of a folder with a `settings.yaml` run
//! on a server with these settings, as somebody who may do everything there without being a superuser. What follows a statement is recorded, never written.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::text;
use super::wire::{Answer, Bound, Column, Connection, Options, Outcome, Rows};

/// A file of the corpus.
#[derive(Debug)]
pub struct File {
    /// Its name, which is the name of its keyspace too.
    pub name: String,
    /// The statements in their order.
    pub items: Vec<Item>,
    tail: Vec<String>,
}

/// A statement with its answer.
#[derive(Debug)]
pub struct Item {
    /// Comments and empty lines above it.
    above: Vec<String>,
    /// Its text.
    pub statement: String,
    /// The lines that say how it runs.
    settings: Vec<String>,
    /// The lines of the answer.
    pub answer: Vec<String>,
}

impl File {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .context("a file without a name")?;
        let mut file = Self {
            name: name.to_owned(),
            items: Vec::new(),
            tail: Vec::new(),
        };
        for line in fs::read_to_string(path)?.lines() {
            let stray = || format!("{name}: a stray line: {line}");
            if let Some(text) = line.strip_prefix("> ") {
                file.items.push(Item {
                    above: std::mem::take(&mut file.tail),
                    statement: text.to_owned(),
                    settings: Vec::new(),
                    answer: Vec::new(),
                });
            } else if let Some(text) = line.strip_prefix(". ") {
                let item = file.items.last_mut().with_context(stray)?;
                item.statement = format!("{}\n{text}", item.statement);
            } else if line.is_empty() || line.starts_with('#') {
                file.tail.push(line.to_owned());
            } else {
                let item = file.items.last_mut().with_context(stray)?;
                let lines = match line.starts_with(['@', '$']) {
                    true => &mut item.settings,
                    false => &mut item.answer,
                };
                lines.push(line.to_owned());
            }
        }
        Ok(file)
    }

    /// Why smack answers some of its statements otherwise.
    pub fn reasons(&self) -> impl Iterator<Item = ((String, usize), String)> {
        (1..).zip(&self.items).filter_map(|(number, item)| {
            let lines = item.above.iter();
            let reason = lines
                .filter_map(|line| line.strip_prefix("# smack: "))
                .next_back()?;
            Some(((self.name.clone(), number), reason.to_owned()))
        })
    }

    /// The file's text with other answers.
    pub fn with_answers(&self, answers: &[Vec<String>]) -> String {
        let mut lines = Vec::new();
        for (item, answer) in self.items.iter().zip(answers) {
            lines.extend(item.above.iter().cloned());
            lines.push(format!("> {}", item.statement.replace('\n', "\n. ")));
            lines.extend(item.settings.iter().cloned());
            lines.extend(answer.iter().cloned());
        }
        lines.extend(self.tail.iter().cloned());
        lines.join("\n") + "\n"
    }

    /// Runs all statements and gives the answers, as lines.
    pub fn run(&self, address: &str, login: Option<&'static str>) -> Result<Vec<Vec<String>>> {
        let mut session = Session::open(address, &self.name, login)?;
        let answers = self.items.iter().map(|item| session.run(item)).collect();
        // Settings may forbid it.
        let _ = session.plain(&format!("DROP KEYSPACE IF EXISTS {}", self.name));
        Ok(answers)
    }
}

struct Session<'a> {
    address: &'a str,
    keyspace: &'a str,
    /// Who the client is: the password is the name.
    login: Option<&'static str>,
    connection: Connection,
}

impl<'a> Session<'a> {
    fn open(address: &'a str, keyspace: &'a str, login: Option<&'static str>) -> Result<Self> {
        let mut session = Self {
            address,
            keyspace,
            login: None,
            connection: match login {
                Some(_) => first_role(address)?,
                None => Connection::open(address, None)?,
            },
        };
        if let Some(name) = login {
            for text in [
                format!("CREATE ROLE IF NOT EXISTS {name} WITH PASSWORD = '{name}' AND LOGIN = true"),
                format!("GRANT ALL ON ALL KEYSPACES TO {name}"),
            ] {
                session.plain(&text)?;
            }
            session.login = login;
            session.connection = session.connect()?;
        }
        let _ = session.plain(&format!("DROP KEYSPACE IF EXISTS {keyspace}"));
        let create = |replication| format!("CREATE KEYSPACE {keyspace} WITH replication = {{{replication}}}");
        let simple = session.plain(&create("'class': 'SimpleStrategy', 'replication_factor': 1"));
        // Settings may forbid that one.
        simple.or_else(|_| session.plain(&create("'class': 'NetworkTopologyStrategy', 'datacenter1': 1")))?;
        session.plain(&format!("USE {keyspace}"))?;
        Ok(session)
    }

    fn connect(&self) -> Result<Connection> {
        Connection::open(self.address, self.login.map(|name| (name, name)))
    }

    fn plain(&mut self, statement: &str) -> Result<()> {
        match self.connection.query(statement, &Options::default())?.result {
            Outcome::Error(code, text, _) => bail!("{statement}: {code:04x} {text}"),
            _ => Ok(()),
        }
    }

    /// A broken connection is an answer too; the statements after it get a new one.
    fn run(&mut self, item: &Item) -> Vec<String> {
        self.try_run(item).unwrap_or_else(|error| {
            if let Ok(connection) = self.connect() {
                self.connection = connection;
                let _ = self.plain(&format!("USE {}", self.keyspace));
            }
            vec![format!("! broken: {}", text::one_line(&format!("{error:#}")))]
        })
    }

    fn try_run(&mut self, item: &Item) -> Result<Vec<String>> {
        let (mut options, bound) = settings(&item.settings)?;
        let mut lines = Vec::new();
        let mut prepared = None;
        if bound {
            let answer = self.connection.prepare(&item.statement)?;
            match answer.result {
                Outcome::Prepared(it) => {
                    lines.push(format!("= binds {}{}", header(&it.binds), key(&it.partition_key)));
                    prepared = Some(it.id);
                }
                _ => return Ok(show(answer)),
            }
        }
        loop {
            let answer = match &prepared {
                Some(id) => self.connection.execute(id, &options)?,
                None => self.connection.query(&item.statement, &options)?,
            };
            let next = match &answer.result {
                Outcome::Rows(rows) => rows.next.clone(),
                _ => None,
            };
            let page = show(answer);
            // Further pages repeat the columns.
            lines.extend(page.into_iter().skip(usize::from(options.state.is_some())));
            if next.is_none() {
                return Ok(lines);
            }
            lines.push("  ...".to_owned());
            options.state = next;
        }
    }
}

/// A connection of the first role, which the original makes some seconds after its start.
fn first_role(address: &str) -> Result<Connection> {
    const SECONDS_MAX: u32 = 60;
    for _ in 1..SECONDS_MAX {
        if let Ok(connection) = Connection::open(address, None) {
            return Ok(connection);
        }
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    Connection::open(address, None)
}

/// How a statement runs, and whether it is prepared.
fn settings(lines: &[String]) -> Result<(Options, bool)> {
    let mut options = Options::default();
    let mut bound = false;
    for line in lines {
        if let Some(values) = line.strip_prefix('$') {
            bound = true;
            for value in values.split_whitespace() {
                options.values.push(match value {
                    "null" => Bound::Null,
                    "unset" => Bound::Unset,
                    _ => Bound::Value(
                        value
                            .strip_prefix("0x")
                            .and_then(text::unhex)
                            .with_context(|| format!("no value: {value}"))?,
                    ),
                });
            }
        }
        for setting in line.strip_prefix('@').unwrap_or_default().split(',') {
            match setting.trim().split_once(' ') {
                Some(("page", number)) => options.page = Some(number.parse()?),
                Some(("timestamp", number)) => options.timestamp = Some(number.parse()?),
                Some(("consistency", number)) => options.consistency = Some(number.parse()?),
                Some(("serial", number)) => options.serial = Some(number.parse()?),
                None if setting.trim().is_empty() => {}
                _ => bail!("no setting: {setting}"),
            }
        }
    }
    Ok((options, bound))
}

fn key(positions: &[u16]) -> String {
    match positions {
        [] => String::new(),
        _ => format!(" / partition key {positions:?}"),
    }
}

fn header(columns: &[Column]) -> String {
    let columns: Vec<_> = columns
        .iter()
        .map(|column| format!("{} {}", text::one_line(&column.name), column.kind))
        .collect();
    columns.join(" | ")
}

fn show(answer: Answer) -> Vec<String> {
    let mut lines: Vec<_> = answer
        .warnings
        .iter()
        .map(|text| format!("~ {}", text::one_line(&timeless(&in_order(text)))))
        .collect();
    match answer.result {
        Outcome::Void => lines.push("= ok".to_owned()),
        Outcome::Rows(rows) => lines.extend(show_rows(&rows)),
        Outcome::Keyspace(name) => lines.push(format!("= keyspace {name}")),
        Outcome::SchemaChange(words) => lines.push(format!("= {}", words.join(" "))),
        Outcome::Prepared(_) => lines.push("= prepared".to_owned()),
        Outcome::Error(code, text, fields) => {
            let fields = if fields.is_empty() {
                String::new()
            } else {
                format!(" {fields:?}")
            };
            lines.push(format!(
                "! {code:04x} {}{fields}",
                text::one_line(&placeless(&timeless(&in_order(&text))))
            ));
        }
    }
    lines
}

fn show_rows(rows: &Rows) -> Vec<String> {
    let mut lines = vec![format!("= {}", header(&rows.columns))];
    for row in &rows.rows {
        let cells: Vec<_> = rows
            .columns
            .iter()
            .zip(row)
            .map(|(column, cell)| column.kind.show(cell.as_deref()))
            .collect();
        lines.extend(format!("  {}", cells.join(" | ")).lines().map(str::to_owned));
    }
    lines
}

/// Nodes listen to each other on a port that the run has chosen.
fn placeless(text: &str) -> String {
    match text.rsplit_once(" from /127.0.0.1:") {
        Some((before, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{before} from /NODE")
        }
        _ => text.to_owned(),
    }
}

/// Microseconds since 1970 are others in every run: thresholds of timestamps are told in them.
fn timeless(text: &str) -> String {
    const DIGITS_MIN: usize = 15;
    let mut out = String::new();
    for part in text.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
        match digits.len() >= DIGITS_MIN && digits.starts_with("17") {
            true => out += &part.replace(digits, "NOW"),
            false => out += part,
        }
    }
    out
}

/// The original lists the signatures of a function in the order of a hash that is another in every process.
fn in_order(text: &str) -> String {
    if let Some((before, rest)) = text.split_once("(disallowed values are: [")
        && let Some((list, behind)) = rest.split_once(']')
    {
        let mut words: Vec<_> = list.split(", ").collect();
        words.sort_unstable();
        return format!("{before}(disallowed values are: [{}]{behind}", words.join(", "));
    }
    const LISTS: [&str; 2] = [
        "known type signatures: ",
        "can be matched by following signatures: ",
    ];
    let listed = |name: &'static str| text.split_once(name).map(|(before, rest)| (name, before, rest));
    let Some((name, before, rest)) = LISTS.into_iter().find_map(listed) else {
        return text.to_owned();
    };
    let Some((list, behind)) = rest.rsplit_once(')') else {
        return text.to_owned();
    };
    let mut signatures: Vec<_> = list
        .split(", system.")
        .map(|one| one.trim_start_matches("system."))
        .collect();
    signatures.sort_unstable();
    format!("{before}{name}{}){behind}", signatures.join(", "))
}
