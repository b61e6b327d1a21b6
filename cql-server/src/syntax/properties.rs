//! Properties: what stands after WITH in statements that define something.

use super::{
    input::{Parsed, Tokens, ands, commas_until, sign},
    names::name,
    terms::{Term, literal, map_entry},
    token::{Class, Kind},
};
use crate::core::repeated;
use std::collections::HashSet;

/// One property as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) value: PropertyValue,
}

/// Constants are kept as text, whatever their kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PropertyValue {
    Text(String),
    Map(Vec<(String, String)>),
}

/// Properties with AND between.
pub(crate) fn properties(input: Tokens<'_>) -> Parsed<'_, Vec<Property>> {
    let (input, all) = ands(property)(input)?;
    unique(input, &all)?;
    Ok((input, all))
}

/// Refuses what is said twice.
pub(crate) fn unique<'a>(
    input: Tokens<'a>,
    properties: &[Property],
) -> Result<(), nom::Err<super::Mismatch>> {
    match repeated(properties.iter().map(|one| one.name.as_str())) {
        Some(name) => Err(input.refused(format!("Multiple definitions for property '{name}'"))),
        None => Ok(()),
    }
}

/// `name = constant`, `name = word` or `name = {...}`.
pub(crate) fn property(input: Tokens<'_>) -> Parsed<'_, Property> {
    let start = input;
    let (input, name) = name(input)?;
    if !input.is_sign("=") {
        return Err(input.no_alternative_since(start));
    }
    let input = input.skip();
    if input.is_sign("{") {
        let (input, entries) = map(input)?;
        return Ok((
            input,
            Property {
                name,
                value: PropertyValue::Map(entries),
            },
        ));
    }
    if let Kind::Word(keyword) = input.peek()
        && keyword.class() != Class::Reserved
    {
        let value = PropertyValue::Text(input.text().to_lowercase());
        return Ok((input.skip(), Property { name, value }));
    }
    match literal(input) {
        Ok((input, literal)) => {
            let value = PropertyValue::Text(literal.text.to_string());
            Ok((input, Property { name, value }))
        }
        Err(_) => Err(input.no_alternative_since(start)),
    }
}

/// A map of constants.
pub(crate) fn map(input: Tokens<'_>) -> Parsed<'_, Vec<(String, String)>> {
    let start = input;
    let (input, entries) = commas_until("}", map_entry)(sign("{")(input)?.0)?;
    let mut keys = HashSet::with_capacity(entries.len());
    let mut found: Vec<(String, String)> = Vec::with_capacity(entries.len());
    for entry in entries {
        let (Term::Literal(key), Term::Literal(value)) = entry else {
            return Err(start.refused("Invalid property value: only constants are supported (bind variables are not supported in DDL queries)"));
        };
        if !keys.insert(key.text.to_string()) {
            return Err(start.refused(format!("Multiple definition for property {}", key.text)));
        }
        found.push((key.text.to_string(), value.text.to_string()));
    }
    Ok((input, found))
}
