//! Roles as `system_auth` keeps them, where clients read them too.

use super::super::{Engine, Outcome, Parameters, Value};
use crate::{
    core::{
        roles::{Grants, Permission, Permissions, Role, Roles},
        types::elements::{self, Cursor},
    },
    error::Result,
    statements::batch::BatchKind,
};
use bytes::Bytes;
use std::collections::BTreeMap;

fn text(value: &str) -> Value {
    Value::Set(Bytes::copy_from_slice(value.as_bytes()))
}

fn boolean(value: bool) -> Value {
    Value::Set(Bytes::copy_from_slice(&[u8::from(value)]))
}

/// A set; what is empty is null.
fn texts<'a>(values: impl Iterator<Item = &'a str>) -> Value {
    let values: Vec<&str> = values.collect();
    match values.is_empty() {
        true => Value::Null,
        false => Value::Set(elements::collection(values).into()),
    }
}

fn text_of(cell: Option<&[u8]>) -> String {
    String::from_utf8_lossy(cell.unwrap_or_default()).into_owned()
}

fn is_true(cell: Option<&[u8]>) -> bool {
    cell == Some(&[1])
}

fn texts_of(cell: Option<&[u8]>) -> impl Iterator<Item = String> {
    elements::elements(cell.unwrap_or_default()).map(|one| text_of(Some(one)))
}

/// Statements that take effect together.
#[derive(Default)]
struct Changes(Vec<(&'static str, Vec<Value>)>);

impl Changes {
    fn add<const N: usize>(&mut self, statement: &'static str, values: [Value; N]) {
        self.0.push((statement, values.into()));
    }

    fn role(&mut self, name: &str, before: &Role, after: &Role) {
        self.add(
            "INSERT INTO system_auth.roles (role, can_login, is_superuser, member_of, salted_hash) \
             VALUES (?, ?, ?, ?, ?)",
            [
                text(name),
                boolean(after.can_login),
                boolean(after.is_superuser),
                texts(after.member_of.iter().map(String::as_str)),
                after.hash.as_deref().map_or(Value::Null, text),
            ],
        );
        self.members(name, before, after);
    }

    fn members(&mut self, name: &str, before: &Role, after: &Role) {
        for role in before.member_of.difference(&after.member_of) {
            self.add(
                "DELETE FROM system_auth.role_members WHERE role = ? AND member = ?",
                [text(role), text(name)],
            );
        }
        for role in after.member_of.difference(&before.member_of) {
            self.add(
                "INSERT INTO system_auth.role_members (role, member) VALUES (?, ?)",
                [text(role), text(name)],
            );
        }
    }

    fn grants(&mut self, role: &str, before: &Grants, after: &Grants) {
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            self.add(
                "DELETE FROM system_auth.role_permissions WHERE role = ? AND resource = ?",
                [text(role), text(name)],
            );
            self.add(
                "DELETE FROM system_auth.resource_role_permissons_index WHERE resource = ? AND role = ?",
                [text(name), text(role)],
            );
        }
        for (name, permissions) in after {
            if before.get(name) != Some(permissions) {
                // Elements of a set lie in their order.
                let mut names: Vec<&str> = permissions.iter().map(Permission::name).collect();
                names.sort_unstable();
                self.add(
                    "INSERT INTO system_auth.role_permissions (role, resource, permissions) VALUES (?, ?, ?)",
                    [text(role), text(name), texts(names.into_iter())],
                );
                self.add(
                    "INSERT INTO system_auth.resource_role_permissons_index (resource, role) VALUES (?, ?)",
                    [text(name), text(role)],
                );
            }
        }
    }

    fn identities(&mut self, before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
        for identity in before.keys().filter(|identity| !after.contains_key(*identity)) {
            self.add(
                "DELETE FROM system_auth.identity_to_role WHERE identity = ?",
                [text(identity)],
            );
        }
        for (identity, role) in after {
            if before.get(identity) != Some(role) {
                self.add(
                    "INSERT INTO system_auth.identity_to_role (identity, role) VALUES (?, ?)",
                    [text(identity), text(role)],
                );
            }
        }
    }
}

/// What makes `after` of `before`.
fn difference(before: &Roles, after: &Roles) -> Changes {
    let mut changes = Changes::default();
    let (nobody, nothing) = (Role::default(), Grants::default());
    for (name, role) in &before.by_name {
        if !after.has(name) {
            changes.add("DELETE FROM system_auth.roles WHERE role = ?", [text(name)]);
            changes.members(name, role, &nobody);
        }
    }
    for (name, role) in &after.by_name {
        let known = before.by_name.get(name);
        if known != Some(role) {
            changes.role(name, known.unwrap_or(&nobody), role);
        }
    }
    let names = before.grants.keys().chain(after.grants.keys());
    for role in names.collect::<std::collections::BTreeSet<_>>() {
        let of = |roles: &Roles| roles.grants.get(role).cloned();
        changes.grants(
            role,
            &of(before).unwrap_or_else(|| nothing.clone()),
            &of(after).unwrap_or_else(|| nothing.clone()),
        );
    }
    changes.identities(&before.identities, &after.identities);
    changes
}

impl Engine {
    /// Stores what makes `after` of `before`, all at once.
    pub(super) async fn store_roles(&self, before: &Roles, after: &Roles) -> Result<()> {
        let mut statements = Vec::new();
        for (text, values) in difference(before, after).0 {
            statements.push((self.prepared(text, None)?, values));
        }
        let parameters = Parameters::default();
        self.batch_of(BatchKind::Logged, &statements, &parameters)
            .await
            .map(drop)
    }

    /// The roles as they are stored.
    pub(super) async fn stored_roles(&self) -> Result<Roles> {
        let mut roles = Roles::default();
        let all = "SELECT role, can_login, is_superuser, member_of, salted_hash FROM system_auth.roles";
        self.each(all, |row| {
            let role = Role {
                can_login: is_true(row[1]),
                is_superuser: is_true(row[2]),
                member_of: texts_of(row[3]).collect(),
                hash: row[4].map(|hash| text_of(Some(hash))),
            };
            roles.by_name.insert(text_of(row[0]), role);
        })
        .await?;
        let grants = "SELECT role, resource, permissions FROM system_auth.role_permissions";
        self.each(grants, |row| {
            let named = texts_of(row[2]).filter_map(|name| Permission::named(&name));
            let permissions = Permissions::of(&named.collect::<Vec<_>>());
            let own = roles.grants.entry(text_of(row[0])).or_default();
            own.insert(text_of(row[1]), permissions);
        })
        .await?;
        let identities = "SELECT identity, role FROM system_auth.identity_to_role";
        self.each(identities, |row| {
            roles.identities.insert(text_of(row[0]), text_of(row[1]));
        })
        .await?;
        Ok(roles)
    }

    /// Every row that a statement gives.
    async fn each(&self, statement: &str, mut row: impl FnMut(&[Option<&[u8]>])) -> Result<()> {
        let prepared = self.prepared(statement, None)?;
        let answer = self.run_plan(&prepared, Parameters::default()).await?;
        if let Outcome::Rows(rows) = answer.outcome {
            let mut cursor = Cursor::new(&rows.content);
            for _ in 0..rows.count {
                let cells = rows.columns.iter().map(|_| cursor.value().flatten());
                row(&cells.collect::<Vec<_>>());
            }
        }
        Ok(())
    }
}
