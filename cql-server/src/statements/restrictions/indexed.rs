//! Which indexes find what is asked for, and by which of their terms.

use super::{Restriction, Test, bind::required};
use crate::{
    core::{
        indexes::Kept,
        schema::{Index, Table, TargetPart},
    },
    error::Result,
    state::indexes::Terms,
    statements::terms::{Prepared, Values},
    syntax::Comparison,
};

/// The index that finds rows by a restriction, if there is one.
pub(crate) fn answering<'t>(table: &'t Table, restriction: &Restriction) -> Option<&'t Index> {
    table
        .indexes
        .iter()
        .find(|index| answers(table, index, restriction))
}

fn answers(table: &Table, index: &Index, restriction: &Restriction) -> bool {
    let [column] = restriction.columns[..] else {
        return false;
    };
    let asked = match &restriction.test {
        Test::Equal(_) => matches!(index.target.part, TargetPart::Whole | TargetPart::Full),
        Test::Slice(_) => {
            index.is_sai() && index.target.part == TargetPart::Whole && index.analysis().is_none()
        }
        Test::Contains(_) => matches!(index.target.part, TargetPart::Whole | TargetPart::Values),
        Test::ContainsKey(_) => matches!(index.target.part, TargetPart::Whole | TargetPart::Keys),
        Test::Entry(..) => index.target.part == TargetPart::Entries,
        Test::In(_) => false,
    };
    asked && table.columns[column].name == index.target.column
}

/// A restriction that an index may be asked for.
#[derive(Debug, Clone)]
pub(crate) struct Driver {
    pub(crate) index: Kept,
    test: Test,
}

/// The entries that lead to every row a query wants, and to others.
#[derive(Debug, Clone)]
pub(crate) struct Lookup<'p> {
    pub(crate) index: &'p Kept,
    pub(crate) terms: Terms,
    /// The one term of all these entries, so that they lie in the order of the table's rows.
    pub(crate) one: Option<Vec<u8>>,
}

impl Driver {
    /// Every restriction among `restrictions` that an index with entries answers.
    pub(crate) fn all(table: &Table, restrictions: &[Restriction]) -> Vec<Driver> {
        let driver = |restriction: &Restriction| {
            let index = Kept::of(table, answering(table, restriction)?)?;
            let test = restriction.test.clone();
            Some(Driver { index, test })
        };
        restrictions.iter().filter_map(driver).collect()
    }

    /// Whether it asks for one term, whose entries lie in the order of the table's rows.
    pub(crate) fn is_of_one_term(&self) -> bool {
        !matches!(self.test, Test::Slice(_))
    }

    /// Its entries, with the markers bound.
    pub(crate) fn lookup(&self, table: &Table, values: &Values<'_>) -> Result<Lookup<'_>> {
        let index = &self.index;
        let name = &table.columns[index.column].name;
        let value = |term: &Prepared| required(term.evaluate(values)?, name);
        let term = |term: &Prepared| index.term(table, &value(term)?);
        let one = match &self.test {
            Test::Equal(wanted) | Test::Contains(wanted) | Test::ContainsKey(wanted) => Some(term(wanted)?),
            Test::Entry(key, wanted) => Some(index.entry(table, &value(key)?, &value(wanted)?)?),
            Test::Slice(_) | Test::In(_) => None,
        };
        if let Some(one) = one {
            let terms = Terms::between(index.number, Some((&one, false)), Some((&one, true)));
            return Ok(Lookup {
                index,
                terms,
                one: Some(one),
            });
        }
        let (mut from, mut to) = (None, None);
        if let Test::Slice(bounds) = &self.test {
            for (operator, bound) in bounds {
                match operator {
                    Comparison::Greater => from = Some((term(bound)?, true)),
                    Comparison::GreaterOrEqual => from = Some((term(bound)?, false)),
                    Comparison::LessOrEqual => to = Some((term(bound)?, true)),
                    _ => to = Some((term(bound)?, false)),
                }
            }
        }
        let from = from
            .as_ref()
            .map(|(term, behind): &(Vec<u8>, bool)| (&term[..], *behind));
        let to = to
            .as_ref()
            .map(|(term, behind): &(Vec<u8>, bool)| (&term[..], *behind));
        let terms = Terms::between(index.number, from, to);
        Ok(Lookup {
            index,
            terms,
            one: None,
        })
    }
}
