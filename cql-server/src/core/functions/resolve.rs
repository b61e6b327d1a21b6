//! Which function a call means: by its name, its arguments, and the place that wants its result.

use super::number::NUMERIC;
use super::operators::{calculate, moved, promoted};
use super::{
    Function, Operator, aggregates, casts, collections, conversions, masking, math::Math, number::Number,
    time, vectors,
};
use crate::core::types::{CqlType, Native};
use crate::error::{CqlError, Result};

/// How well an argument suits a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    No,
    Weak,
    Exact,
}

/// An argument of a call.
pub(crate) trait Given {
    /// How well it suits a parameter of that type.
    fn fit(&self, kind: &CqlType) -> Fit;
    /// Its type, if it has one of its own; a bind marker has none.
    fn kind(&self) -> Option<CqlType>;
    /// As errors show it.
    fn shown(&self) -> String;
    /// How many elements it has, if it is a list or vector that is spelled out.
    fn elements(&self) -> Option<usize> {
        None
    }
    /// Whether it is null, which suits everything.
    fn is_null(&self) -> bool {
        false
    }
}

/// What surrounds a call.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    /// The type that the place of the call wants, if it does.
    pub(crate) receiver: Option<&'a CqlType>,
    /// Types of the partition key of the statement's table, for `token`.
    pub(crate) partition_key: Option<&'a [CqlType]>,
    /// Functions of users with the name of the call.
    pub(crate) own: &'a [Function],
}

impl CqlType {
    /// How well a value of `other` suits a place of this type.
    pub(crate) fn fit_of(&self, other: &CqlType) -> Fit {
        if self.same_as(other) {
            return Fit::Exact;
        }
        let weak = match (self, other) {
            (CqlType::Native(wanted), CqlType::Native(given)) => matches!(
                (wanted, given),
                (Native::Blob, _)
                    | (Native::Text, Native::Ascii)
                    | (Native::Bigint, Native::Timestamp)
                    | (Native::Timestamp, Native::Bigint)
                    | (Native::Varint, Native::Int | Native::Bigint | Native::Timestamp)
                    | (Native::Uuid, Native::Timeuuid)
                    | (Native::Date, Native::Int)
                    | (Native::Time, Native::Bigint)
            ),
            (CqlType::Native(Native::Blob), _) => true,
            (CqlType::List { of: wanted, .. }, CqlType::List { of: given, .. })
            | (CqlType::Set { of: wanted, .. }, CqlType::Set { of: given, .. }) => {
                wanted.fit_of(given) != Fit::No
            }
            (
                CqlType::Map {
                    key: wanted_key,
                    value: wanted,
                    ..
                },
                CqlType::Map {
                    key: given_key,
                    value: given,
                    ..
                },
            ) => wanted_key.fit_of(given_key) != Fit::No && wanted.fit_of(given) != Fit::No,
            (CqlType::Tuple(wanted), CqlType::Tuple(given)) => {
                wanted.len() >= given.len()
                    && wanted
                        .iter()
                        .zip(given.iter())
                        .all(|(a, b)| a.fit_of(b) != Fit::No)
            }
            _ => false,
        };
        if weak { Fit::Weak } else { Fit::No }
    }

    /// The same type, whether frozen or not.
    pub(crate) fn same_as(&self, other: &CqlType) -> bool {
        match (self, other) {
            (CqlType::List { of: a, .. }, CqlType::List { of: b, .. })
            | (CqlType::Set { of: a, .. }, CqlType::Set { of: b, .. }) => a.same_as(b),
            (
                CqlType::Map {
                    key: ka, value: va, ..
                },
                CqlType::Map {
                    key: kb, value: vb, ..
                },
            ) => ka.same_as(kb) && va.same_as(vb),
            (CqlType::Udt { of: a, .. }, CqlType::Udt { of: b, .. }) => {
                a.keyspace == b.keyspace && a.name == b.name
            }
            (CqlType::Tuple(a), CqlType::Tuple(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.same_as(b))
            }
            (CqlType::Vector { of: a, dimensions: m }, CqlType::Vector { of: b, dimensions: n }) => {
                m == n && a.same_as(b)
            }
            (a, b) => a == b,
        }
    }
}

fn refused<T>(message: String) -> Result<T> {
    Err(CqlError::Invalid(message))
}

/// The function that `name(given...)` means; `None` where there is none of that name. Names are in lower case.
pub(crate) fn resolve(name: &str, given: &[&dyn Given], wanted: &Wanted<'_>) -> Result<Option<Function>> {
    let mut candidates = candidates(name, given, wanted)?;
    candidates.extend_from_slice(wanted.own);
    match candidates.len() {
        0 => Ok(None),
        1 => {
            let only = candidates.remove(0);
            check(&only, given)?;
            Ok(Some(only))
        }
        _ if name.starts_with("cast_as_") => {
            best(&format!("system.{name}"), &candidates, given, wanted.receiver).map(Some)
        }
        _ => best(name, &candidates, given, wanted.receiver).map(Some),
    }
}

/// The function of an operator.
pub(crate) fn operation(operator: Operator, given: [&dyn Given; 2], wanted: &Wanted<'_>) -> Result<Function> {
    best(
        operator.function(),
        &operations(operator),
        &given,
        wanted.receiver,
    )
}

/// The function of a minus sign before an operand.
pub(crate) fn negation(given: &dyn Given, wanted: &Wanted<'_>) -> Result<Function> {
    best("_negate", &mathematics("_negate"), &[given], wanted.receiver)
}

/// The function of `CAST(given AS to)`; `None` where nothing has to be done.
pub(crate) fn cast(given: &dyn Given, to: Native) -> Result<Option<Function>> {
    if given.kind() == Some(CqlType::Native(to)) {
        return Ok(None);
    }
    let candidates = casts::to(to);
    best(
        &format!("system.cast_as_{}", to.name()),
        &candidates,
        &[given],
        None,
    )
    .map(Some)
}

fn candidates(name: &str, given: &[&dyn Given], wanted: &Wanted<'_>) -> Result<Vec<Function>> {
    if name == "token" {
        return match wanted.partition_key {
            Some(columns) => Ok(vec![conversions::token_of(columns)]),
            None => Ok(Vec::new()),
        };
    }
    let made = match name {
        "to_json" | "tojson" => {
            let kind = inferred(name, given, 0)?;
            Some(conversions::to_json(name, &kind))
        }
        "from_json" | "fromjson" => match wanted.receiver {
            Some(receiver) => Some(conversions::from_json(name, receiver)),
            None => {
                return refused(format!(
                    "{name}() cannot be used in the selection clause of a SELECT statement"
                ));
            }
        },
        _ => None,
    };
    if let Some(made) = made {
        return Ok(vec![made]);
    }
    if PARAMETRIC.contains(&name) {
        return parametric(name, given, wanted);
    }
    let first = given.first().and_then(|first| first.kind());
    let sources = [
        aggregates::candidates(name, first.as_ref()),
        time::candidates(name),
        mathematics(name),
    ];
    let mut found: Vec<Function> = sources.into_iter().flatten().collect();
    if found.is_empty() {
        found = conversions::blobs(name);
    }
    if found.is_empty()
        && let Some(to) = name.strip_prefix("cast_as_").and_then(Native::named)
    {
        found = casts::to(to);
    }
    Ok(found)
}

/// Functions whose types depend on those of their arguments: name, arguments at least and at most, and the original's
/// words for what they take.
const PARAMETRIC: [&str; 18] = [
    "collection_avg",
    "collection_count",
    "collection_max",
    "collection_min",
    "collection_sum",
    "map_keys",
    "map_values",
    "mask_default",
    "mask_hash",
    "mask_inner",
    "mask_null",
    "mask_outer",
    "mask_replace",
    "max",
    "min",
    "similarity_cosine",
    "similarity_dot_product",
    "similarity_euclidean",
];

fn signature(name: &str) -> (usize, usize, &'static str) {
    match name {
        "collection_count" => (1, 1, "collection"),
        "map_keys" | "map_values" => (1, 1, "map"),
        "mask_default" | "mask_null" | "max" | "min" => (1, 1, "any"),
        "mask_hash" => (1, 2, "any, [text]"),
        "mask_inner" | "mask_outer" => (3, 4, "[text|varchar|ascii], int, int, [text]"),
        "mask_replace" => (2, 2, "any, any"),
        "similarity_cosine" | "similarity_dot_product" | "similarity_euclidean" => {
            (2, 2, "vector<float, n>, vector<float, n>")
        }
        _ => (1, 1, "numeric_set_or_list"),
    }
}

fn parametric(name: &str, given: &[&dyn Given], wanted: &Wanted<'_>) -> Result<Vec<Function>> {
    let (least, most, parameters) = signature(name);
    if !(least..=most).contains(&given.len()) {
        return refused(format!(
            "Invalid number of arguments for function system.{name}({parameters})"
        ));
    }
    if name.starts_with("similarity_") {
        return similarity(name, given);
    }
    let kind = match (
        given.iter().find_map(|argument| argument.kind()),
        name,
        wanted.receiver,
    ) {
        (Some(kind), ..) => kind,
        // What is masked is what is wanted.
        (
            None,
            "mask_default" | "mask_hash" | "mask_inner" | "mask_null" | "mask_outer" | "mask_replace",
            Some(receiver),
        ) => receiver.clone(),
        _ => inferred(name, given, 0)?,
    };
    let wrong = || {
        CqlError::Invalid(format!(
            "Function system.{name} requires {} argument{} but found argument {} of type {kind}",
            requirement(name).0,
            requirement(name).1,
            given.first().map_or_else(String::new, |first| first.shown())
        ))
    };
    let found = match name {
        "max" | "min" => aggregates::candidates(name, Some(&kind)).pop(),
        _ if name.starts_with("mask_") => masking::function(name, &vec![kind.clone(); given.len()]),
        _ => collections::function(name, &kind),
    };
    Ok(vec![found.ok_or_else(wrong)?])
}

/// In the original's words: what the first argument has to be.
fn requirement(name: &str) -> (&'static str, &'static str) {
    match name {
        "collection_count" => ("a collection", ","),
        "collection_max" | "collection_min" => ("a set or list", ","),
        "map_keys" | "map_values" => ("a map", ","),
        "mask_inner" | "mask_outer" => ("an", " of type [text|varchar|ascii],"),
        _ => ("a numeric set/list", ","),
    }
}

/// The similarity of vectors of floats; where elements are spelled out, they make a vector.
fn similarity(name: &str, given: &[&dyn Given]) -> Result<Vec<Function>> {
    let float = || std::sync::Arc::new(CqlType::Native(Native::Float));
    let mut first: Option<CqlType> = None;
    let is_told = |argument: &&&dyn Given| argument.kind().is_some() || argument.elements().is_some();
    let has_told = given.iter().any(|argument| is_told(&argument));
    for (index, argument) in given.iter().enumerate() {
        // A bind marker is what the other is.
        if has_told && !is_told(&argument) {
            continue;
        }
        let spelled = argument
            .elements()
            .filter(|_| !matches!(argument.kind(), Some(CqlType::Vector { .. })));
        let kind = match spelled {
            Some(count) => CqlType::Vector {
                of: float(),
                dimensions: u16::try_from(count).unwrap_or(u16::MAX),
            },
            None => inferred(name, given, index)?,
        };
        match &kind {
            CqlType::Vector { of, .. } if *of == float() => {}
            _ => {
                return refused(format!(
                    "Function system.{name} requires a float vector argument, but found argument {} of type {kind}",
                    argument.shown()
                ));
            }
        }
        if first.as_ref().is_some_and(|first| *first != kind) {
            return refused("All arguments must have the same vector dimensions".to_owned());
        }
        first = Some(kind);
    }
    Ok(first
        .and_then(|kind| vectors::function(name, &kind))
        .into_iter()
        .collect())
}

fn inferred(name: &str, given: &[&dyn Given], index: usize) -> Result<CqlType> {
    let Some(argument) = given.get(index) else {
        return refused(format!(
            "Invalid number of arguments for function system.{name}(any)"
        ));
    };
    argument.kind().ok_or_else(|| {
        CqlError::Invalid(format!(
            "Cannot infer type of argument {} in call to function system.{name}: use type casts to disambiguate",
            argument.shown()
        ))
    })
}

fn mathematics(name: &str) -> Vec<Function> {
    let Some((_, math)) = Math::ALL.iter().find(|(known, _)| *known == name) else {
        return Vec::new();
    };
    let of = |native: Native| {
        let math = *math;
        Function::of_one(name, native, native, move |value| {
            let Some(number) = Number::of(native, value) else {
                return Ok(None);
            };
            Ok(Some(
                math.of(native, number).map_err(super::failed)?.to_bytes(native),
            ))
        })
    };
    NUMERIC.into_iter().map(of).collect()
}

fn operations(operator: Operator) -> Vec<Function> {
    let mut found = Vec::new();
    for left in NUMERIC {
        for right in NUMERIC {
            found.extend(promoted(left, right).map(|result| arithmetic(operator, left, right, result)));
        }
    }
    if operator == Operator::Add {
        let (text, ascii) = (Native::Text, Native::Ascii);
        let pairs = [
            (text, text, text),
            (ascii, ascii, ascii),
            (ascii, text, text),
            (text, ascii, text),
        ];
        found.extend(pairs.map(|(left, right, result)| concatenation(left, right, result)));
    }
    if matches!(operator, Operator::Add | Operator::Subtract) {
        found.extend([Native::Timestamp, Native::Date].map(|moment| movement(operator, moment)));
    }
    found
}

fn arithmetic(operator: Operator, left: Native, right: Native, result: Native) -> Function {
    operator_function(operator, left, right, result, move |a, b| {
        let (Some(a), Some(b)) = (Number::of(left, a), Number::of(right, b)) else {
            return Ok(None);
        };
        Ok(Some(calculate(operator, result, &a, &b)?.to_bytes(result)))
    })
}

fn concatenation(left: Native, right: Native, result: Native) -> Function {
    operator_function(Operator::Add, left, right, result, |a, b| {
        Ok(Some([a, b].concat()))
    })
}

fn movement(operator: Operator, moment: Native) -> Function {
    operator_function(operator, moment, Native::Duration, moment, move |value, by| {
        moved(moment, value, by, operator)
    })
}

fn operator_function(
    operator: Operator,
    left: Native,
    right: Native,
    result: Native,
    body: impl Fn(&[u8], &[u8]) -> std::result::Result<Option<Vec<u8>>, String> + Send + Sync + 'static,
) -> Function {
    let failure = move |why: String| CqlError::FunctionFailure {
        message: format!(
            "the operation '{} {} {}' failed: {why}",
            left.name(),
            operator.sign(),
            right.name()
        ),
        keyspace: "system".into(),
        function: operator.function().into(),
        argument_types: vec![left.name().into(), right.name().into()],
    };
    Function::scalar(
        operator.function(),
        vec![left.into(), right.into()],
        result,
        move |arguments, _| match arguments {
            [Some(left), Some(right)] => body(left, right).map_err(&failure),
            _ => Ok(None),
        },
    )
}

fn check(function: &Function, given: &[&dyn Given]) -> Result<()> {
    if function.arguments.len() != given.len() {
        return refused(format!(
            "Invalid number of arguments in call to function system.{}: {} required but {} provided",
            function.name,
            function.arguments.len(),
            given.len()
        ));
    }
    for (i, (kind, argument)) in function.arguments.iter().zip(given).enumerate() {
        if !argument.is_null() && argument.fit(kind) == Fit::No {
            return refused(format!(
                "Type error: {} cannot be passed as argument {i} of function system.{} of type {kind}",
                argument.shown(),
                function.name
            ));
        }
    }
    Ok(())
}

/// The first candidate that fits exactly, else the only one that fits at all.
fn best(
    name: &str,
    candidates: &[Function],
    given: &[&dyn Given],
    receiver: Option<&CqlType>,
) -> Result<Function> {
    let mut compatible = Vec::new();
    for candidate in candidates {
        if receiver.is_some_and(|receiver| receiver.fit_of(&candidate.returns) == Fit::No) {
            continue;
        }
        match fit(candidate, given) {
            Fit::Exact => return Ok(candidate.clone()),
            Fit::Weak => compatible.push(candidate),
            Fit::No => {}
        }
    }
    let shown = |functions: &[&Function]| {
        let mut shown: Vec<String> = functions.iter().map(ToString::to_string).collect();
        shown.sort();
        shown.join(", ")
    };
    let operator = Operator::ALL
        .iter()
        .find(|(.., function)| *function == name)
        .map(|(operator, ..)| operator.sign());
    let operands = || (given[0].shown(), given[1].shown());
    match (compatible.as_slice(), operator) {
        ([only], _) => Ok((*only).clone()),
        ([], Some(sign)) => {
            let (left, right) = operands();
            refused(format!(
                "the '{sign}' operation is not supported between {left} and {right}"
            ))
        }
        ([], None) => refused(format!(
            "Invalid call to function {name}, none of its type signatures match (known type signatures: {})",
            shown(&candidates.iter().collect::<Vec<_>>())
        )),
        (several, Some(sign)) => {
            let markers = given.iter().any(|argument| argument.kind().is_none());
            let of_receiver = several.iter().find(|function| {
                receiver.is_some_and(|receiver| function.arguments.iter().all(|kind| kind.same_as(receiver)))
            });
            if let (Some(found), false) = (of_receiver, markers) {
                return Ok((*found).clone());
            }
            let (left, right) = operands();
            refused(format!(
                "Ambiguous '{sign}' operation with args {left} and {right}: use type hint to disambiguate, example \
                 '(int) ?'"
            ))
        }
        (_, None) if name == "_negate" => {
            refused("Ambiguous negation: use type casts to disambiguate".into())
        }
        (several, None) => refused(format!(
            "Ambiguous call to function {name} (can be matched by following signatures: {}): use type casts to \
             disambiguate",
            shown(several)
        )),
    }
}

fn fit(function: &Function, given: &[&dyn Given]) -> Fit {
    if function.arguments.len() != given.len() {
        return Fit::No;
    }
    let fits = function.arguments.iter().zip(given).map(|(kind, argument)| {
        if argument.is_null() {
            Fit::Weak
        } else {
            argument.fit(kind)
        }
    });
    fits.min().unwrap_or(Fit::Exact)
}
