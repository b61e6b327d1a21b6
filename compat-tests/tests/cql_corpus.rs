//! Replays the corpus of CQL statements, every file in a keyspace of its own.
//!
//! `RECORD=1 SUBJECT=original` writes the original's answers into the files; `RECORD=1` alone writes the list of what smack answers
//! otherwise. `CORPUS=name,...` takes only files whose name contains one of these, `SHOW=1` prints every answer that differs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, ensure};
use compat_tests::cql::corpus::File;
use compat_tests::cql::gaps::{self, Count, Numbers, Reasons};
use compat_tests::{Broker, Subject, broker};

#[test]
fn corpus() -> Result<()> {
    let subject = Subject::from_env();
    let recording = std::env::var_os("RECORD").is_some();
    let (mut differ, mut reasons, mut counts) = (Numbers::new(), Reasons::new(), Vec::new());
    for folder in folders()? {
        let server = folder.server(&subject);
        if subject != Subject::Smack {
            server.as_ref().map_err(|error| anyhow!("{error:?}"))?;
        }
        for path in &folder.files {
            let file = File::read(path)?;
            // A server that is not there, or breaks off, answers nothing as the original does.
            let answers = match &server {
                Ok(server) => file.run(server.address(), folder.login()),
                Err(error) => Err(anyhow!("{error:?}")),
            };
            let answers = answers.unwrap_or_else(|error| vec![vec![format!("! {error}")]; file.items.len()]);
            if recording && subject != Subject::Smack {
                fs::write(path, file.with_answers(&answers))?;
                continue;
            }
            let numbers = compare(&file, &answers);
            reasons.extend(file.reasons());
            counts.push(Count {
                file: file.name.clone(),
                statements: file.items.len(),
                agree: file.items.len() - numbers.len(),
            });
            differ.insert(file.name, numbers);
        }
    }
    match subject {
        Subject::Smack if recording => gaps::write(&differ, &reasons, &counts),
        Subject::Smack => as_listed(&differ, &counts),
        _ => as_listed_in(&differ, &Numbers::new(), &counts),
    }
}

/// The numbers of the statements that were answered otherwise.
#[expect(clippy::print_stdout, reason = "what differs is for who runs the test")]
fn compare(file: &File, answers: &[Vec<String>]) -> BTreeSet<usize> {
    let mut numbers = BTreeSet::new();
    for (index, (item, answer)) in file.items.iter().zip(answers).enumerate() {
        if item.answer != *answer {
            numbers.insert(index + 1);
            if std::env::var_os("SHOW").is_some() {
                println!("{} {}: {}", file.name, index + 1, item.statement);
                println!("--- expected\n{}", item.answer.join("\n"));
                println!("--- answered\n{}\n", answer.join("\n"));
            }
        }
    }
    println!(
        "{}: {} of {} agree",
        file.name,
        file.items.len() - numbers.len(),
        file.items.len()
    );
    numbers
}

/// Exactly what `gaps.txt` lists differs.
fn as_listed(differ: &Numbers, counts: &[Count]) -> Result<()> {
    as_listed_in(differ, &gaps::read()?, counts)
}

fn as_listed_in(differ: &Numbers, listed: &Numbers, counts: &[Count]) -> Result<()> {
    let mut complaints = Vec::new();
    for Count { file, .. } in counts {
        let (differ, listed) = (differ.get(file), listed.get(file));
        let known = |number| listed.is_some_and(|listed| listed.contains(number));
        let new: Vec<_> = differ
            .into_iter()
            .flatten()
            .filter(|number| !known(*number))
            .collect();
        if !new.is_empty() {
            complaints.push(format!(
                "{file}: {new:?} differ from the original; SHOW=1 CORPUS={file} shows how"
            ));
        }
        let still = |number| differ.is_some_and(|differ| differ.contains(number));
        let gone: Vec<_> = listed
            .into_iter()
            .flatten()
            .filter(|number| !still(*number))
            .collect();
        if !gone.is_empty() {
            complaints.push(format!(
                "{file}: {gone:?} agree now; RECORD=1 takes them off the list"
            ));
        }
    }
    ensure!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

/// Files that run on one server.
struct Folder {
    files: Vec<PathBuf>,
    /// What the server is set to do, in the words of `cassandra.yaml`.
    settings: String,
}

impl Folder {
    fn server(&self, subject: &Subject) -> Result<Broker> {
        Broker::start_cql_with(subject.clone(), &self.settings)
    }

    fn login(&self) -> Option<&'static str> {
        (!self.settings.is_empty()).then_some("ordinary")
    }
}

/// The corpus and its folders, as far as they hold files that are wanted.
fn folders() -> Result<Vec<Folder>> {
    let root = broker::folder().join("corpus");
    let mut paths = vec![root.clone()];
    for entry in fs::read_dir(root)? {
        paths.extend(Some(entry?.path()).filter(|path| path.is_dir()));
    }
    paths.sort();
    let mut folders = Vec::new();
    for path in paths {
        let settings = path.join("settings.yaml");
        let folder = Folder {
            files: files(&path)?,
            settings: if settings.exists() {
                fs::read_to_string(settings)?
            } else {
                String::new()
            },
        };
        folders.extend(Some(folder).filter(|folder| !folder.files.is_empty()));
    }
    Ok(folders)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let wanted = std::env::var("CORPUS").unwrap_or_default();
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.extension().is_some_and(|it| it == "cql")
            && wanted.split(',').any(|wanted| name.contains(wanted))
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
