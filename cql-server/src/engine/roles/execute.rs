//! Executes statements about roles.

use super::super::{Answer, ColumnSpec, Engine, Outcome, SchemaChange, Session, node::void};
use crate::{
    core::{
        roles::Resource,
        types::{CqlType, Native, elements},
    },
    error::{CqlError, Result},
    statements::roles::{Actor, RoleOption, RoleStatement, Told, grant_all, revoke_all},
    wire::rows::RowsWriter,
};
use std::sync::Arc;

/// What is told of where a role may connect: everywhere.
const ANYWHERE: &[u8] = b"ALL";

fn text() -> CqlType {
    CqlType::Native(Native::Text)
}

fn boolean() -> CqlType {
    CqlType::Native(Native::Boolean)
}

/// The columns of LIST ROLES.
fn role_columns() -> Vec<(&'static str, CqlType)> {
    let options = CqlType::Map {
        key: Arc::new(text()),
        value: Arc::new(text()),
        frozen: false,
    };
    vec![
        ("role", text()),
        ("super", boolean()),
        ("login", boolean()),
        ("options", options),
        ("datacenters", text()),
    ]
}

impl Engine {
    pub(in super::super) async fn role(
        &self,
        statement: &RoleStatement,
        keyspace: Option<&str>,
        session: &Session,
    ) -> Result<Answer> {
        let Some(name) = session.role().filter(|_| self.access.authenticates()) else {
            statement.refuse()?;
            return Ok(void());
        };
        let schema = self.schema.load_full();
        let mut actor = Actor {
            name: &name,
            keyspace,
            schema: &schema,
            authorizes: self.access.authorizes(),
            hash: None,
        };
        let password = match statement {
            RoleStatement::Create { options, .. } | RoleStatement::Alter { options, .. } => {
                options.iter().find_map(|option| match option {
                    RoleOption::Password(password) => Some(password.clone()),
                    _ => None,
                })
            }
            _ => None,
        };
        if let Some(password) = password {
            // Who may not do it is told so before anything is hashed.
            statement.apply(&mut (*self.access.roles.load_full()).clone(), &actor)?;
            actor.hash = Some(self.access.hash(password).await?);
        }
        let told = self.change_roles(|roles| statement.apply(roles, &actor)).await?;
        Ok(self.told(told))
    }

    fn told(&self, told: Told) -> Answer {
        let roles = self.access.roles.load();
        let flag = |name: &str, is: fn(&crate::core::roles::Role) -> bool| {
            [u8::from(roles.by_name.get(name).is_some_and(is))]
        };
        let mut out = RowsWriter::default();
        let (table, columns) = match told {
            Told::Nothing => return void(),
            Told::Warning(warning) => {
                return Answer {
                    warnings: vec![warning],
                    ..void()
                };
            }
            Told::Roles(names) => {
                let options = elements::Collection::default().finish();
                for name in &names {
                    out.cell(Some(name.as_bytes()));
                    out.cell(Some(&flag(name, |role| role.is_superuser)));
                    out.cell(Some(&flag(name, |role| role.can_login)));
                    out.cell(Some(&options));
                    out.cell(Some(ANYWHERE));
                    out.end_row();
                }
                ("roles", role_columns())
            }
            Told::Users(names) => {
                for name in &names {
                    out.cell(Some(name.as_bytes()));
                    out.cell(Some(&flag(name, |role| role.is_superuser)));
                    out.cell(Some(ANYWHERE));
                    out.end_row();
                }
                let columns = vec![("name", text()), ("super", boolean()), ("datacenters", text())];
                ("users", columns)
            }
            Told::Permissions(granted) if granted.is_empty() => return void(),
            Told::Permissions(granted) => {
                for (role, resource, permission) in &granted {
                    out.cell(Some(role.as_bytes()));
                    out.cell(Some(role.as_bytes()));
                    out.cell(Some(resource.to_string().as_bytes()));
                    out.cell(Some(permission.name().as_bytes()));
                    out.end_row();
                }
                let names = ["role", "username", "resource", "permission"];
                ("permissions", names.map(|name| (name, text())).into())
            }
        };
        let columns = columns.into_iter().map(|(name, kind)| ColumnSpec {
            keyspace: "system_auth".into(),
            table: table.into(),
            name: name.into(),
            kind,
        });
        Answer {
            outcome: Outcome::Rows(out.finish(columns.collect::<Vec<_>>().into(), None)),
            warnings: Vec::new(),
        }
    }

    /// Who made something may do everything with it; what is gone was granted to nobody.
    pub(in super::super) async fn grants_follow(
        &self,
        change: &SchemaChange,
        session: &Session,
    ) -> Result<()> {
        if !self.access.authorizes() {
            return Ok(());
        }
        let keyspace = change.keyspace.clone();
        let made = match change.target {
            "KEYSPACE" => vec![
                Resource::Keyspace(keyspace.clone()),
                Resource::FunctionsOf(keyspace.clone()),
            ],
            "TABLE" => vec![Resource::Table(keyspace.clone(), change.name.clone())],
            _ => return Ok(()),
        };
        let creator = session.role();
        self.change_roles(|roles| {
            match (change.change, creator) {
                ("CREATED", Some(creator)) => made.iter().for_each(|on| grant_all(roles, &creator, on)),
                ("DROPPED", _) => {
                    let gone: Vec<String> = made.iter().map(Resource::name).collect();
                    let below = |name: &str| {
                        let rest = gone.iter().filter_map(|gone| name.strip_prefix(gone.as_str()));
                        rest.into_iter()
                            .any(|rest| rest.is_empty() || rest.starts_with('/'))
                    };
                    revoke_all(roles, below);
                }
                _ => {}
            }
            Ok::<_, CqlError>(())
        })
        .await
    }
}
