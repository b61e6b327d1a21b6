//! What each statement needs, and whether its session has it.

use super::super::{
    Engine, Session,
    prepared::{Plan, Prepared},
};
use crate::{
    core::{
        roles::{Permission, Resource, Roles},
        schema::{Nature, Schema, Table, system},
    },
    error::{CqlError, Result},
    statements::{Statement, ddl::Ddl, roles::Actor, write::Write},
    syntax::QualifiedName,
};

/// Tables of the system that everybody may read, beside those that tell the schema: drivers do.
const READABLE: &[(&str, &str)] = &[
    ("system", "local"),
    ("system", "peers"),
    ("system", "peers_v2"),
    ("system", "size_estimates"),
    ("system", "table_estimates"),
    ("system_traces", "events"),
    ("system_traces", "sessions"),
];

impl Engine {
    /// Refuses a statement that its session may not execute.
    pub(in super::super) fn authorize(&self, prepared: &Prepared, session: &Session) -> Result<()> {
        if session.is_internal() {
            return Ok(());
        }
        if let Plan::Other(statement) = &prepared.plan
            && let Statement::Ddl(ddl) = &**statement
        {
            return self.authorize_ddl(ddl, prepared, session);
        }
        if !self.access.authorizes() {
            return Ok(());
        }
        let name = session.role().unwrap_or_default();
        let (roles, schema) = (self.access.roles.load(), self.schema.load());
        let asking = Asking {
            actor: actor(&name, &schema),
            roles: &roles,
        };
        match &prepared.plan {
            Plan::Select(plan) => asking.read(&plan.table),
            Plan::Write(write) => asking.write(write),
            Plan::Batch(batch) => batch.writes.iter().try_for_each(|write| asking.write(write)),
            Plan::Truncate(table) => asking.table(Permission::Modify, table),
            Plan::Other(_) => Ok(()),
        }
    }

    fn authorize_ddl(&self, ddl: &Ddl, prepared: &Prepared, session: &Session) -> Result<()> {
        let schema = &self.schema.load();
        let Some((permission, on)) = needs(ddl, prepared.keyspace.as_deref(), schema) else {
            return Ok(());
        };
        protect(schema, permission, &on)?;
        if !self.access.authorizes() {
            return Ok(());
        }
        let name = session.role().unwrap_or_default();
        actor(&name, schema).ensure(&self.access.roles.load(), permission, &on)
    }
}

fn actor<'a>(name: &'a str, schema: &'a Schema) -> Actor<'a> {
    Actor {
        name,
        keyspace: None,
        schema,
        authorizes: true,
        hash: None,
    }
}

/// Somebody who wants something of tables.
struct Asking<'a> {
    actor: Actor<'a>,
    roles: &'a Roles,
}

impl Asking<'_> {
    fn table(&self, permission: Permission, table: &Table) -> Result<()> {
        let on = Resource::Table(table.keyspace.to_string(), table.name.to_string());
        self.actor.ensure(self.roles, permission, &on)
    }

    /// A view is read with what its base is granted.
    fn read(&self, table: &Table) -> Result<()> {
        let schema = matches!(&*table.keyspace, "system_schema" | "system_virtual_schema");
        if schema || READABLE.contains(&(&*table.keyspace, &*table.name)) {
            return Ok(());
        }
        let base = table.view.as_ref();
        let base = base.and_then(|view| self.actor.schema.table(&table.keyspace, &view.base));
        self.table(Permission::Select, base.map_or(table, |base| base))
    }

    /// Conditions tell what is stored, and views are written with their base.
    fn write(&self, write: &Write) -> Result<()> {
        let table = &write.table;
        self.table(Permission::Modify, table)?;
        let keyspace = self.actor.schema.keyspaces.get(&table.keyspace);
        let views = keyspace
            .into_iter()
            .flat_map(|keyspace| keyspace.views_of(&table.name));
        let mut reads = write.conditions.is_some();
        for view in views {
            reads = true;
            self.table(Permission::Modify, view)?;
        }
        if reads {
            self.table(Permission::Select, table)?;
        }
        Ok(())
    }
}

/// Refuses changes of what belongs to the system, whoever asks.
fn protect(schema: &Schema, permission: Permission, on: &Resource) -> Result<()> {
    let (keyspace, is_keyspace) = match on {
        Resource::Keyspace(keyspace) => (keyspace, true),
        Resource::AllTables(keyspace) | Resource::Table(keyspace, _) => (keyspace, false),
        _ => return Ok(()),
    };
    let nature = schema
        .keyspaces
        .get(keyspace.as_str())
        .map(|keyspace| keyspace.nature);
    let refused = match nature {
        None | Some(Nature::Client) => return Ok(()),
        Some(Nature::System) if system::is_replicated(keyspace) => {
            if permission == Permission::Alter && is_keyspace {
                return Ok(());
            }
            format!("Cannot {permission} {on}")
        }
        Some(_) => format!("{keyspace} keyspace is not user-modifiable."),
    };
    Err(CqlError::Unauthorized(refused))
}

/// What a statement that defines something needs. `None`: it says itself what is missing.
fn needs(ddl: &Ddl, session: Option<&str>, schema: &Schema) -> Option<(Permission, Resource)> {
    use Permission::{Alter, Create, Drop};
    let keyspace = |name: &QualifiedName| Some(name.keyspace.as_deref().or(session)?.to_owned());
    let table = |name: &QualifiedName| Some(Resource::Table(keyspace(name)?, name.name.clone()));
    let tables = |name: &QualifiedName| Some(Resource::AllTables(keyspace(name)?));
    let functions = |name: &QualifiedName| Some(Resource::FunctionsOf(keyspace(name)?));
    let base = |name: &QualifiedName| {
        let keyspace = keyspace(name)?;
        let view = schema.table(&keyspace, &name.name)?.view.as_ref()?;
        Some(Resource::Table(keyspace.clone(), view.base.to_string()))
    };
    Some(match ddl {
        Ddl::CreateKeyspace(_) => (Create, Resource::AllKeyspaces),
        Ddl::AlterKeyspace(one) => (Alter, Resource::Keyspace(one.name.clone())),
        Ddl::DropKeyspace(one) => (Drop, Resource::Keyspace(one.name.clone())),
        Ddl::CreateTable(one) => (Create, tables(&one.table)?),
        Ddl::AlterTable(one) => (Alter, table(&one.table)?),
        Ddl::DropTable(one) => (Drop, table(&one.0.name)?),
        Ddl::CreateType(one) => (Create, tables(&one.name)?),
        Ddl::AlterType(one) => (Alter, tables(&one.name)?),
        Ddl::DropType(one) => (Drop, tables(&one.0.name)?),
        Ddl::CreateIndex(one) => (Alter, table(&one.table)?),
        Ddl::DropIndex(one) => {
            let keyspace = keyspace(&one.0.name)?;
            let (table, _) = schema.keyspaces.get(keyspace.as_str())?.index(&one.0.name.name)?;
            (Alter, Resource::Table(keyspace.clone(), table.name.to_string()))
        }
        // The original looks for the base in the view's keyspace, and refuses another one later.
        Ddl::CreateView(one) => (
            Alter,
            Resource::Table(keyspace(&one.view)?, one.base.name.clone()),
        ),
        Ddl::AlterView(one) => (Alter, base(&one.view)?),
        Ddl::DropView(one) => (Alter, base(&one.0.name)?),
        Ddl::CreateFunction(one) => (Create, functions(&one.name)?),
        Ddl::CreateAggregate(one) => (Create, functions(&one.name)?),
        Ddl::DropFunction(one) => (Drop, functions(&one.name)?),
        Ddl::CreateTrigger(_) | Ddl::DropTrigger(_) => return None,
    })
}
