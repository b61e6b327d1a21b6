use crate::core::resources::scalar;
use mesos_proto::v1::{Attribute, Resource, value};
use std::{fs, thread};

/// Ports that are offered where nothing else is said, as the original does.
const PORTS: &str = "[31000-32000]";

/// What an agent offers: what is named in `text`, and what the machine has of the rest.
pub(crate) fn resources(text: &str) -> Result<Vec<Resource>, String> {
    let mut all = Vec::new();
    for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair
            .split_once(':')
            .ok_or_else(|| format!("Bad value for resources, missing or extra ':' in {pair}"))?;
        all.push(resource(name.trim(), value.trim())?);
    }
    for (name, value) in [
        ("cpus", cpus()),
        ("mem", memory_mb()),
        ("disk", DISK_MB),
        ("ports", 0.0),
    ] {
        if !all.iter().any(|one: &Resource| one.name == name) {
            all.push(match name {
                "ports" => resource(name, PORTS)?,
                _ => scalar(name, value),
            });
        }
    }
    Ok(all)
}

/// What frameworks may choose an agent by: numbers as such, anything else as text.
pub(crate) fn attributes(text: &str) -> Result<Vec<Attribute>, String> {
    let pairs = text.split(';').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair
                .split_once(':')
                .ok_or_else(|| format!("Invalid attribute key:value pair '{pair}'"))?;
            let (name, value) = (name.trim().to_owned(), value.trim());
            Ok(
                match value.parse::<f64>().ok().filter(|number| number.is_finite()) {
                    Some(number) => Attribute {
                        name,
                        r#type: value::Type::Scalar as i32,
                        scalar: Some(value::Scalar { value: number }),
                        ..Attribute::default()
                    },
                    None => Attribute {
                        name,
                        r#type: value::Type::Text as i32,
                        text: Some(value::Text {
                            value: value.to_owned(),
                        }),
                        ..Attribute::default()
                    },
                },
            )
        })
        .collect()
}

/// Megabytes of disk that are offered where nothing else is said; the original takes half of a large disk.
const DISK_MB: f64 = 10_240.0;

#[allow(clippy::cast_precision_loss, reason = "a machine has few processors")]
fn cpus() -> f64 {
    thread::available_parallelism().map_or(1.0, |count| count.get() as f64)
}

/// As the original: what there is less 1 GB, or half where there is little.
fn memory_mb() -> f64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kb = line.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    let mb = (kb.unwrap_or(0.0) / 1024.0).floor();
    if mb > 2048.0 {
        mb - 1024.0
    } else {
        (mb / 2.0).floor().max(32.0)
    }
}

fn resource(name: &str, text: &str) -> Result<Resource, String> {
    let bad = || format!("Bad value for resources: '{name}:{text}'");
    let inner = |open, close| text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
    if let Some(list) = inner('[', ']') {
        let range = |pair: &str| {
            let (begin, end) = pair.trim().split_once('-')?;
            Some(value::Range {
                begin: begin.trim().parse().ok()?,
                end: end.trim().parse().ok()?,
            })
        };
        let range: Option<Vec<_>> = list.split(',').map(range).collect();
        return Ok(Resource {
            name: name.to_owned(),
            r#type: value::Type::Ranges as i32,
            ranges: Some(value::Ranges {
                range: range.ok_or_else(bad)?,
            }),
            ..Resource::default()
        });
    }
    if let Some(list) = inner('{', '}') {
        let item = list.split(',').map(|item| item.trim().to_owned()).collect();
        return Ok(Resource {
            name: name.to_owned(),
            r#type: value::Type::Set as i32,
            set: Some(value::Set { item }),
            ..Resource::default()
        });
    }
    let number: f64 = text.parse().map_err(|_| bad())?;
    match number.is_finite() && number >= 0.0 {
        true => Ok(scalar(name, number)),
        false => Err(bad()),
    }
}
