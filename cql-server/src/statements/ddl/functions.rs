//! User-defined functions and aggregates, which the original has switched off unless its configuration says otherwise:
//! none can be created, so none can be dropped.

use super::{Applied, Circumstances, keyspace_of};
use crate::{
    core::{
        schema::{Schema, system},
        types::names::RawType,
    },
    error::{CqlError, Result},
    syntax::{
        Keyword, Kind, Parsed, QualifiedName, Tokens, commas_until, function, has_word, if_exists,
        if_not_exists, kind, local_function, name, sign, string, term, type_name, word, words,
    },
};

/// Creates a function: refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreateFunction {
    pub(crate) name: QualifiedName,
}

/// Creates an aggregate: there is no function that it could call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreateAggregate {
    pub(crate) name: QualifiedName,
    pub(crate) arguments: Vec<RawType>,
    pub(crate) state_function: String,
    pub(crate) state: RawType,
}

/// Drops a function or an aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DropFunction {
    pub(crate) what: &'static str,
    pub(crate) name: QualifiedName,
    pub(crate) arguments: Option<Vec<RawType>>,
    pub(crate) if_exists: bool,
}

/// `[OR REPLACE] FUNCTION [IF NOT EXISTS] name (arguments) ... AS body`
pub(super) fn create_function(input: Tokens<'_>) -> Parsed<'_, CreateFunction> {
    let (input, ()) = word(Keyword::Function)(or_replace(input)?.0)?;
    let (input, _) = if_not_exists(input)?;
    let (input, name_of) = function(input)?;
    let (input, ()) = sign("(")(input)?;
    let argument = |input| {
        let (input, _) = name(input)?;
        type_name(input)
    };
    let (input, _) = commas_until(")", argument)(input)?;
    let (input, ()) = match input.peek() {
        Kind::Word(Keyword::Returns) => words([Keyword::Returns, Keyword::Null])(input)?,
        _ => word(Keyword::Called)(input)?,
    };
    let (input, ()) = words([Keyword::On, Keyword::Null, Keyword::Input, Keyword::Returns])(input)?;
    let (input, _) = type_name(input)?;
    let (input, ()) = word(Keyword::Language)(input)?;
    let (input, _) = kind(Kind::Identifier)(input)?;
    let (input, ()) = word(Keyword::As)(input)?;
    let (input, _) = string(input)?;
    Ok((input, CreateFunction { name: name_of }))
}

/// `[OR REPLACE] AGGREGATE [IF NOT EXISTS] name (types) SFUNC ... STYPE ...`
pub(super) fn create_aggregate(input: Tokens<'_>) -> Parsed<'_, CreateAggregate> {
    let (input, ()) = word(Keyword::Aggregate)(or_replace(input)?.0)?;
    let (input, _) = if_not_exists(input)?;
    let (input, name) = function(input)?;
    let (input, ()) = sign("(")(input)?;
    let (input, arguments) = commas_until(")", type_name)(input)?;
    let (input, ()) = word(Keyword::Sfunc)(input)?;
    let (input, state_function) = local_function(input)?;
    let (input, ()) = word(Keyword::Stype)(input)?;
    let (mut input, state) = type_name(input)?;
    if input.is(Keyword::Finalfunc) {
        input = local_function(input.skip())?.0;
    }
    if input.is(Keyword::Initcond) {
        input = term(input.skip())?.0;
    }
    Ok((
        input,
        CreateAggregate {
            name,
            arguments,
            state_function,
            state,
        },
    ))
}

fn or_replace(input: Tokens<'_>) -> Parsed<'_, bool> {
    let (input, replaces) = has_word(Keyword::Or)(input)?;
    if !replaces {
        return Ok((input, false));
    }
    word(Keyword::Replace)(input).map(|(input, ())| (input, true))
}

/// `[IF EXISTS] name [(types)]`
pub(super) fn drop<'a>(input: Tokens<'a>, what: &'static str) -> Parsed<'a, DropFunction> {
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = function(input)?;
    let (input, arguments) = if input.is_sign("(") {
        let (input, arguments) = commas_until(")", type_name)(input.skip())?;
        (input, Some(arguments))
    } else {
        (input, None)
    };
    Ok((
        input,
        DropFunction {
            what,
            name,
            arguments,
            if_exists,
        },
    ))
}

/// Refuses keyspaces of the system.
pub(super) fn refuse_system(keyspace: &str) -> Result<()> {
    if system::is_system(keyspace) {
        return Err(CqlError::invalid(format!(
            "System keyspace '{keyspace}' is not user-modifiable"
        )));
    }
    Ok(())
}

impl CreateFunction {
    pub(super) fn apply(&self) -> Result<Applied> {
        Err(CqlError::invalid(
            "User-defined functions are disabled in cassandra.yaml - set user_defined_functions_enabled=true to enable",
        ))
    }
}

impl CreateAggregate {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let owner = keyspace_of(&self.name, cx)?;
        refuse_system(owner)?;
        let keyspace = schema.keyspaces.get(owner);
        let keyspace = keyspace.ok_or_else(|| CqlError::Config(format!("Keyspace {owner} doesn't exist")))?;
        let mut types = Vec::with_capacity(self.arguments.len() + 1);
        for raw in self.arguments.iter().chain([&self.state]) {
            types.push(keyspace.resolve(raw)?.to_string());
        }
        types.rotate_right(1);
        Err(CqlError::invalid(format!(
            "State function {owner}.{}({}) doesn't exist",
            self.state_function,
            types.join(", ")
        )))
    }
}

impl DropFunction {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let owner = keyspace_of(&self.name, cx)?;
        refuse_system(owner)?;
        if self.if_exists {
            return Ok(Applied::nothing(schema));
        }
        let arguments = self.arguments.as_ref().map_or_else(String::new, |arguments| {
            let arguments: Vec<String> = arguments.iter().map(RawType::to_string).collect();
            format!("({})", arguments.join(", "))
        });
        Err(CqlError::invalid(format!(
            "{} '{owner}.{}{arguments}' doesn't exist",
            self.what, self.name.name
        )))
    }
}
