//! Replays the corpus of CQL statements.
//!
//! `RECORD=1 SUBJECT=original` writes the original's answers into the files. `CORPUS=name` takes only files whose name contains it,
//! `SHOW=1` prints every answer that differs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use compat_tests::cql::corpus::File;
use compat_tests::{Subject, broker};

#[test]
fn corpus() -> Result<()> {
    let Subject::Running(address) = Subject::from_env() else {
        return Ok(());
    };
    let recording = std::env::var_os("RECORD").is_some();
    let (mut agree, mut total) = (0, 0);
    for path in files()? {
        let file = File::read(&path)?;
        let answers = file.run(&address)?;
        if recording {
            fs::write(&path, file.with_answers(&answers))?;
        }
        let mut agreeing = 0;
        for (number, (item, answer)) in file.items.iter().zip(&answers).enumerate() {
            if item.answer == *answer {
                agreeing += 1;
            } else if std::env::var_os("SHOW").is_some() {
                println!(
                    "{} {}: {}\n--- expected\n{}\n--- answered\n{}\n",
                    file.name,
                    number + 1,
                    item.statement,
                    item.answer.join("\n"),
                    answer.join("\n")
                );
            }
        }
        println!("{}: {agreeing} of {}", file.name, file.items.len());
        agree += agreeing;
        total += file.items.len();
    }
    println!("{agree} of {total} statements agree");
    ensure!(recording || agree == total, "{} statements differ", total - agree);
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
