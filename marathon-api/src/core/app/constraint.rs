//! Where the instances of an app may be, as seen from those that are.

use regex::Regex;
use std::collections::BTreeMap;

/// What holds for every instance.
#[derive(Debug, Clone)]
pub(crate) struct Constraint {
    field: String,
    operator: Operator,
}

#[derive(Debug, Clone)]
enum Operator {
    Unique,
    Cluster(Option<String>),
    /// Evenly over the values of the field, of which there are so many at the least.
    GroupBy(usize),
    Like(Regex),
    Unlike(Regex),
    MaxPer(usize),
    Is(String),
}

impl Constraint {
    /// Reads `[field, operator, value]`. Texts are the original's.
    pub(crate) fn parse(parts: &[String]) -> Result<Self, String> {
        let (field, operator, value) = match parts {
            [field, operator] => (field, operator, None),
            [field, operator, value] => (field, operator, Some(value)),
            _ => return Err("Each constraint must have either 2 or 3 fields".to_owned()),
        };
        let number = |error: &str| match value {
            None => Ok(0),
            Some(value) => value.parse::<usize>().map_err(|_| error.to_owned()),
        };
        let expression = || {
            let value = value.ok_or_else(|| "A regular expression value must be provided".to_owned())?;
            // As a whole, as the original's does.
            Regex::new(&format!("^(?:{value})$"))
                .map_err(|_| format!("'{value}' is not a valid regular expression"))
        };
        let operator = match operator.as_str() {
            "UNIQUE" if value.is_some() => return Err("Value specified but not used".to_owned()),
            "UNIQUE" => Operator::Unique,
            "CLUSTER" => Operator::Cluster(value.cloned().filter(|value| !value.is_empty())),
            "GROUP_BY" => Operator::GroupBy(number("Value was specified but is not a number")?),
            "LIKE" => Operator::Like(expression()?),
            "UNLIKE" => Operator::Unlike(expression()?),
            "MAX_PER" if value.is_none() => {
                return Err("Value was not specified or is not a number".to_owned());
            }
            "MAX_PER" => Operator::MaxPer(number("Value was not specified or is not a number")?),
            "IS" => match value {
                Some(value) => Operator::Is(value.clone()),
                None => return Err("Missing value".to_owned()),
            },
            _ => {
                return Err(
                    "Constraint operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, \
                            LIKE, MAX_PER or UNLIKE"
                        .to_owned(),
                );
            }
        };
        Ok(Constraint {
            field: field.clone(),
            operator,
        })
    }

    /// Whether an instance may be where `place` is, with the others where they are.
    pub(crate) fn is_met(&self, place: &Place, others: &[&Place]) -> bool {
        let Some(here) = place.value(&self.field) else {
            // What has no such attribute cannot be like it.
            return matches!(self.operator, Operator::Unlike(_));
        };
        let mut there = others.iter().map(|other| other.value(&self.field));
        match &self.operator {
            Operator::Unique => there.all(|value| value != Some(here)),
            Operator::Cluster(wanted) => {
                wanted.as_deref().is_none_or(|wanted| wanted == here)
                    && there.all(|value| value == Some(here))
            }
            Operator::GroupBy(least) => {
                let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
                for value in there.flatten() {
                    *groups.entry(value).or_default() += 1;
                }
                let smallest = groups.values().min().copied().unwrap_or(0);
                match groups.get(here) {
                    None => true,
                    Some(own) => groups.len() >= *least && *own == smallest,
                }
            }
            Operator::Like(expression) => expression.is_match(here),
            Operator::Unlike(expression) => !expression.is_match(here),
            Operator::MaxPer(most) => there.filter(|value| *value == Some(here)).count() < *most,
            Operator::Is(wanted) => wanted == here,
        }
    }
}

/// Where an agent is, as far as constraints can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Place {
    pub(crate) host: String,
    #[serde(default)]
    pub(crate) region: Option<String>,
    #[serde(default)]
    pub(crate) zone: Option<String>,
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Place {
    fn value(&self, field: &str) -> Option<&str> {
        match field {
            "hostname" | "@hostname" => Some(&self.host),
            "@region" => self.region.as_deref(),
            "@zone" => self.zone.as_deref(),
            _ => self.attributes.get(field).map(String::as_str),
        }
    }
}
