//! What packages smack says the same as `smack up`: its ports, its flags and its variables. Containers are not started here.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use compat_tests::{Program, broker};

/// What `smack up` says of itself.
fn help() -> Result<String> {
    Program::new(broker::smack_binary()?).args(["up", "--help"]).run()
}

/// The default of every port, as the program tells it.
fn ports(help: &str) -> Result<BTreeSet<u16>> {
    let told = help.split("-port <PORT>").skip(1);
    told.map(|text| {
        let (_, rest) = text.split_once("[default: ").context("a port has a default")?;
        let (port, _) = rest.split_once(']').context("a default ends")?;
        Ok(port.parse()?)
    })
    .collect()
}

/// A file of the project.
fn read(name: &str) -> Result<String> {
    fs::read_to_string(broker::folder().join("..").join(name)).with_context(|| name.to_owned())
}

/// What follows each `key` to the end of its line.
fn after<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines()
        .filter_map(move |line| Some(line.split_once(key)?.1.trim()))
}

#[test]
fn ports_are_those_of_the_program() -> Result<()> {
    let expected = ports(&help()?)?;
    ensure!(expected.len() == 5, "ports: {expected:?}");
    let exposed = read("Dockerfile")?;
    let exposed = after(&exposed, "EXPOSE ").flat_map(str::split_whitespace);
    let exposed: BTreeSet<u16> = exposed.map(str::parse).collect::<Result<_, _>>()?;
    ensure!(exposed == expected, "the Dockerfile has {exposed:?}");
    let compose = read("docker-compose.yml")?;
    let mapped = after(&compose, "- \"127.0.0.1:").map(|pair| pair.trim_end_matches('"'));
    let mut published = BTreeSet::new();
    for pair in mapped {
        let (outside, inside) = pair.split_once(':').context("a port on either side")?;
        ensure!(outside == inside, "{pair}: clients are told the port inside");
        published.insert(inside.parse()?);
    }
    ensure!(published == expected, "docker-compose.yml has {published:?}");
    Ok(())
}

#[test]
fn variables_are_known_to_the_program() -> Result<()> {
    let help = help()?;
    let mut known = 0;
    for file in ["Dockerfile", "packaging/smack.service", "docker-compose.yml"] {
        let text = read(file)?;
        for name in text.split(|c: char| !(c.is_ascii_uppercase() || c == '_')) {
            if name.starts_with("SMACK_") {
                ensure!(
                    help.contains(&format!("[env: {name}=")),
                    "{file}: nobody knows {name}"
                );
                known += 1;
            }
        }
    }
    ensure!(known >= 3, "only {known} variables were found");
    Ok(())
}

#[test]
fn the_container_runs_as_nobody_in_particular_and_tells_its_health() -> Result<()> {
    let text = read("Dockerfile")?;
    let user = after(&text, "USER ").next().context("no USER")?;
    ensure!(
        user != "root" && text.contains(&format!(" {user}\n")),
        "who is {user}?"
    );
    ensure!(
        text.matches("\nFROM ").count() == 2,
        "one stage builds, another runs"
    );
    ensure!(
        after(&text, "HEALTHCHECK ").any(|check| check.contains("/readyz")),
        "nobody asks how it is"
    );
    Ok(())
}

/// As far as this machine has what can read it.
#[test]
fn the_compose_file_is_yaml() -> Result<()> {
    let parse = "import sys, yaml; print(sorted(yaml.safe_load(sys.stdin)['services']['smack']))";
    let said = Program::new("python3")
        .args(["-c", parse])
        .input(read("docker-compose.yml")?)
        .say()?;
    if said.err.contains("No module named 'yaml'") {
        println!("not tested: Python has no yaml here");
        return Ok(());
    }
    ensure!(said.code == Some(0) && said.out.contains("'ports'"), "{said:?}");
    Ok(())
}

/// What systemd says of a unit itself, and not of those of this machine that it asks for; nothing where there is no systemd.
fn complaints(unit: &str) -> Result<Option<String>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("smack.service");
    fs::write(&file, unit)?;
    let said = Program::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args([&file])
        .say();
    let of_unit = |text: &str| {
        text.lines()
            .filter(|line| line.contains("smack.service"))
            .collect()
    };
    Ok(said.ok().map(|said| of_unit(&said.err)))
}

#[test]
fn systemd_takes_the_unit() -> Result<()> {
    let binary = broker::smack_binary()?.display().to_string();
    let text = read("packaging/smack.service")?;
    ensure!(
        text.contains("ExecStart=/usr/local/bin/smack up\n"),
        "it starts something else"
    );
    let unit = text.replace("/usr/local/bin/smack", &binary);
    let Some(said) = complaints(&unit)? else {
        println!("not tested: there is no systemd here");
        return Ok(());
    };
    ensure!(said.is_empty(), "{said}");
    let broken = complaints(&unit.replace(&binary, "/nowhere/smack"))?;
    ensure!(
        broken.is_some_and(|said| said.contains("/nowhere")),
        "systemd takes anything"
    );
    Ok(())
}
