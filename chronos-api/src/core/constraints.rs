//! Where a job may run: what is asked of an agent's attributes.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// Bytes of a compiled expression at the most: clients choose them.
const EXPRESSION_BYTES_MAX: usize = 1 << 18;

/// What is asked of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Operator {
    Equals,
    Like,
    Unlike,
}

impl Operator {
    const ALL: [(Operator, &'static str); 3] = [
        (Operator::Equals, "EQUALS"),
        (Operator::Like, "LIKE"),
        (Operator::Unlike, "UNLIKE"),
    ];

    /// By its name in a job.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(operator, _)| *operator)
    }

    pub(crate) fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(operator, _)| *operator == self);
        found.map_or("", |(_, name)| name)
    }
}

/// A constraint as a client wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Constraint {
    pub(crate) attribute: String,
    pub(crate) operator: Operator,
    pub(crate) value: String,
}

/// An attribute of an agent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) value: Value,
}

/// What an attribute is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Scalar(f64),
    Set(Vec<String>),
    /// Ranges, of which nothing can be asked.
    Other,
}

/// A constraint that is ready to be asked.
#[derive(Debug)]
pub(super) struct Check {
    attribute: String,
    how: How,
}

#[derive(Debug)]
enum How {
    Equals(String),
    Like(Regex),
    Unlike(Regex),
}

impl Check {
    /// Answers why the expression is none, if it is none.
    pub(super) fn new(constraint: &Constraint) -> Result<Self, String> {
        let expression = || {
            // Java's expressions match the whole of a value.
            RegexBuilder::new(&format!("^(?:{})$", constraint.value))
                .size_limit(EXPRESSION_BYTES_MAX)
                .build()
                .map_err(|error| error.to_string())
        };
        let how = match constraint.operator {
            Operator::Equals => How::Equals(constraint.value.clone()),
            Operator::Like => How::Like(expression()?),
            Operator::Unlike => How::Unlike(expression()?),
        };
        let attribute = constraint.attribute.clone();
        Ok(Check { attribute, how })
    }

    /// Whether an agent with these attributes will do. The host's name is one, unless it has another of this name.
    pub(super) fn holds(&self, attributes: &[Attribute], host: &str) -> bool {
        let own = attributes.iter().find(|one| one.name == self.attribute);
        let host_name = Value::Text(host.to_owned());
        let value = match own {
            Some(own) => Some(&own.value),
            None => (self.attribute == "hostname").then_some(&host_name),
        };
        match &self.how {
            How::Equals(wanted) => value.is_some_and(|value| any(value, |one| one == wanted)),
            How::Like(expression) => value.is_some_and(|value| any(value, |one| expression.is_match(one))),
            // As in the original, who lacks the attribute is not taken either.
            How::Unlike(expression) => match value {
                None | Some(Value::Other) => false,
                Some(value) => !any(value, |one| expression.is_match(one)),
            },
        }
    }
}

fn any(value: &Value, holds: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Text(text) => holds(text),
        // As Java writes a number: `1.0`.
        Value::Scalar(number) => holds(&format!("{number:?}")),
        Value::Set(items) => items.iter().any(|one| holds(one)),
        Value::Other => false,
    }
}

#[cfg(test)]
mod tests;
