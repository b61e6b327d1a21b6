//! Restrictions as the original tells them back, where it names the query that read too much.

use super::{Restriction, Test};
use crate::{
    core::{
        schema::Table,
        types::{CqlType, show},
    },
    statements::terms::{Prepared, Values},
};
use bytes::Bytes;

impl Restriction {
    /// With the values of its markers.
    pub(crate) fn told(&self, table: &Table, values: &Values<'_>) -> String {
        let names: Vec<&str> = self.columns.iter().map(|at| &*table.columns[*at].name).collect();
        let name = match (&names[..], self.is_tuple) {
            ([name], false) => (*name).to_owned(),
            (names, _) => format!("({})", names.join(", ")),
        };
        let parts = |parts: Vec<Bytes>| {
            let kinds = self.columns.iter().map(|at| &table.columns[*at].kind);
            let shown: Vec<String> = kinds
                .zip(&parts)
                .map(|(kind, part)| show::cql(kind, part))
                .collect();
            match (&shown[..], self.is_tuple) {
                ([one], false) => one.clone(),
                (all, _) => format!("({})", all.join(", ")),
            }
        };
        // What cannot be evaluated was refused before anything was read.
        let value = |term: &Prepared| term.bytes(values).ok().flatten().unwrap_or_default();
        let given = |term: &Prepared| parts(self.parts(table, value(term)).unwrap_or_default());
        let kind = &table.columns[self.columns[0]].kind;
        let element = |term: &Prepared, of: &CqlType| show::cql(of, &value(term));
        match (&self.test, kind) {
            (Test::Equal(term), _) => format!("{name} = {}", given(term)),
            (Test::In(_), _) => {
                let options = self.options(table, values).unwrap_or_default();
                let options: Vec<String> = options.into_iter().map(parts).collect();
                format!("{name} IN ({})", options.join(", "))
            }
            (Test::Slice(bounds), _) => {
                let mut bounds: Vec<_> = bounds.iter().collect();
                // From below first.
                bounds.sort_by_key(|(operator, _)| operator.sign().starts_with('<'));
                let bound = |(operator, term): &&(crate::syntax::Comparison, Prepared)| {
                    format!("{name} {} {}", operator.sign(), given(term))
                };
                bounds.iter().map(bound).collect::<Vec<_>>().join(" AND ")
            }
            (
                Test::Contains(term),
                CqlType::List { of, .. } | CqlType::Set { of, .. } | CqlType::Map { value: of, .. },
            ) => format!("{name} CONTAINS {}", element(term, of)),
            (Test::ContainsKey(term), CqlType::Map { key, .. }) => {
                format!("{name} CONTAINS KEY {}", element(term, key))
            }
            (
                Test::Entry(key, term),
                CqlType::Map {
                    key: of, value: held, ..
                },
            ) => {
                format!("{name}[{}] = {}", element(key, of), element(term, held))
            }
            _ => name,
        }
    }
}
