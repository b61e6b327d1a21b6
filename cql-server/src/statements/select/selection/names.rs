//! Names of the columns of a result.

use super::super::{Selector, TimeOf};
use crate::{
    core::types::{CqlType, names::quoted},
    statements::terms::shown,
    syntax::{QualifiedName, Term},
};

impl TimeOf {
    /// What statements call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            TimeOf::WriteTime => "writetime",
            TimeOf::MaxWriteTime => "maxwritetime",
            TimeOf::Ttl => "ttl",
        }
    }
}

/// Whether a call counts rows: of every literal the original does.
pub(super) fn is_row_count(function: &QualifiedName, arguments: &[Selector]) -> bool {
    let literal = matches!(arguments, [Selector::Term(Term::Literal(_))]);
    literal && function.name == "count" && function.keyspace.as_deref().is_none_or(|own| own == "system")
}

/// What the original calls the column of a selector without an alias.
pub(crate) fn name(selector: &Selector) -> String {
    let all = |selectors: &[Selector]| selectors.iter().map(name).collect::<Vec<_>>().join(", ");
    match selector {
        Selector::Column(name) => name.clone(),
        Selector::Term(term) => shown(term),
        Selector::CountRows => "count".to_owned(),
        Selector::Call { function, arguments } if is_row_count(function, arguments) => "count".to_owned(),
        Selector::Call { function, arguments } => {
            let keyspace = function.keyspace.as_deref().unwrap_or("system");
            format!("{keyspace}.{}({})", function.name, all(arguments))
        }
        Selector::Time { kind, of } => {
            format!("{}({})", kind.name(), name(of))
        }
        Selector::Cast { of, to } => format!("cast({} as {})", name(of), CqlType::Native(*to)),
        Selector::Hint { kind, of } => format!("({kind}){}", name(of)),
        Selector::Operation {
            operator,
            left,
            right,
        } => {
            format!("{} {} {}", name(left), operator.sign(), name(right))
        }
        Selector::Negation(of) => format!("-{}", name(of)),
        Selector::Field { of, field } => format!("{}.{}", name(of), quoted(field)),
        Selector::Element { of, key } => format!("{}[{}]", name(of), shown(key)),
        Selector::Slice { of, from, to } => {
            let end = |term: &Option<Term>| term.as_ref().map(shown).unwrap_or_default();
            format!("{}[{}..{}]", name(of), end(from), end(to))
        }
        Selector::List(all_of) => format!("[{}]", all(all_of)),
        Selector::Set(all_of) => format!("{{{}}}", all(all_of)),
        Selector::Tuple(all_of) => format!("({})", all(all_of)),
        Selector::MapOrUdt(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", name(key), name(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
