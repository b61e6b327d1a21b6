//! Terms that are computed from other terms: calls, casts, arithmetic, and hints of what a term is.

use super::{Planner, Prepared, Receiver, given::Typed, shown};
use crate::{
    core::functions::{Fit, Function},
    error::{CqlError, Result},
    syntax::Term,
};

impl Planner<'_> {
    /// Makes ready what is computed from other terms.
    pub(super) fn computed(&mut self, term: &Term, receiver: &Receiver) -> Result<Prepared> {
        let typed = self.typed(term);
        self.computed_of(&typed, receiver)
    }

    fn computed_of(&mut self, typed: &Typed<'_>, receiver: &Receiver) -> Result<Prepared> {
        let term = typed.term;
        if let Term::Hint { kind, of } = term {
            let kind = self.kind(kind)?;
            if receiver.kind.fit_of(&kind) == Fit::No {
                return Err(CqlError::invalid(format!(
                    "Cannot assign value {} to {} of type {}",
                    shown(term),
                    receiver.name,
                    receiver.kind
                )));
            }
            return self.term(of, &Receiver::new(shown(term), kind));
        }
        let function = self.function_of(term, &typed.parts, Some(&receiver.kind))?;
        let Some(function) = function else {
            return Err(CqlError::invalid(match term {
                Term::Call { function, .. } => format!("Unknown function {function} called"),
                other => format!("Unknown function {} called", shown(other)),
            }));
        };
        check(&function, term, receiver)?;
        let mut arguments = Vec::with_capacity(typed.parts.len());
        for (index, (part, kind)) in typed.parts.iter().zip(&function.arguments).enumerate() {
            let receiver = Receiver::new(format!("arg{index}(system.{})", function.name), kind.clone());
            arguments.push(match part.term {
                Term::Hint { .. }
                | Term::Call { .. }
                | Term::Cast { .. }
                | Term::Operation { .. }
                | Term::Negation(_) => self.computed_of(part, &receiver)?,
                other => self.term(other, &receiver)?,
            });
        }
        let constant = function.pure && arguments.iter().all(Prepared::is_constant);
        let call = Prepared::Call { function, arguments };
        if constant { call.folded() } else { Ok(call) }
    }
}

/// Whether a function's result may stand where it does.
fn check(function: &Function, term: &Term, receiver: &Receiver) -> Result<()> {
    if function.is_aggregate() {
        return Err(CqlError::invalid(
            "Aggregation function are not supported in the where clause",
        ));
    }
    if receiver.kind.fit_of(&function.returns) != Fit::No {
        return Ok(());
    }
    let (what, name) = match term {
        Term::Operation { operator, .. } => ("operation", operator.sign().to_string()),
        _ => ("function", format!("system.{}", function.name)),
    };
    Err(CqlError::invalid(format!(
        "Type error: cannot assign result of {what} {name} (type {}) to {} (type {})",
        function.returns, receiver.name, receiver.kind
    )))
}
