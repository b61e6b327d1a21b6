//! Replays the corpus of CQL statements, every file in a keyspace of its own.
//!
//! `RECORD=1 SUBJECT=original` writes the original's answers into the files; `RECORD=1` alone writes the list of what smack answers
//! otherwise. `CORPUS=name` takes only files whose name contains it, `SHOW=1` prints every answer that differs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, anyhow, ensure};
use compat_tests::cql::corpus::File;
use compat_tests::cql::gaps::{self, Count, Numbers};
use compat_tests::{Broker, Subject, broker};

#[test]
fn corpus() -> Result<()> {
    let subject = Subject::from_env();
    let server = Broker::shared_cql();
    if subject != Subject::Smack {
        server.as_ref().map_err(|error| anyhow!("{error:?}"))?;
    }
    let recording = std::env::var_os("RECORD").is_some();
    let (mut differ, mut counts) = (Numbers::new(), Vec::new());
    for path in files()? {
        let file = File::read(&path)?;
        // A server that is not there, or breaks off, answers nothing as the original does.
        let answers = match &server {
            Ok(server) => file.run(server.address()),
            Err(error) => Err(anyhow!("{error:?}")),
        };
        let answers = answers.unwrap_or_else(|error| vec![vec![format!("! {error}")]; file.items.len()]);
        if recording && subject != Subject::Smack {
            fs::write(&path, file.with_answers(&answers))?;
            continue;
        }
        let numbers = differ.entry(file.name.clone()).or_default();
        for (index, (item, answer)) in file.items.iter().zip(&answers).enumerate() {
            if item.answer != *answer {
                numbers.insert(index + 1);
                if std::env::var_os("SHOW").is_some() {
                    println!("{} {}: {}", file.name, index + 1, item.statement);
                    println!("--- expected\n{}", item.answer.join("\n"));
                    println!("--- answered\n{}\n", answer.join("\n"));
                }
            }
        }
        let agree = file.items.len() - numbers.len();
        println!("{}: {agree} of {} agree", file.name, file.items.len());
        counts.push(Count {
            file: file.name,
            statements: file.items.len(),
            agree,
        });
    }
    match subject {
        Subject::Smack if recording => gaps::write(&differ, &counts),
        Subject::Smack => as_listed(&differ, &counts),
        _ => as_listed_in(&differ, &Numbers::new(), &counts),
    }
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

fn files() -> Result<Vec<PathBuf>> {
    let wanted = std::env::var("CORPUS").unwrap_or_default();
    let mut files = Vec::new();
    for entry in fs::read_dir(broker::folder().join("corpus"))? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.extension().is_some_and(|it| it == "cql") && name.contains(&wanted) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
