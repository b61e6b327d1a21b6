//! What statements about roles do where somebody has to log in: checked in the original's order, in its words.

use super::{Grant, RoleOption, RoleStatement, unsupported_option};
use crate::{
    core::{
        roles::{Permission, Permissions, Resource, Role, Roles},
        schema::Schema,
    },
    error::{CqlError, Result},
};

/// Who asks, and what else a statement needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Actor<'a> {
    pub(crate) name: &'a str,
    /// The session's keyspace.
    pub(crate) keyspace: Option<&'a str>,
    pub(crate) schema: &'a Schema,
    /// Whether permissions are asked for at all.
    pub(crate) authorizes: bool,
    /// Of the password that the statement sets.
    pub(crate) hash: Option<String>,
}

/// What a statement tells, beside what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Nothing,
    Warning(String),
    /// Roles by their names.
    Roles(Vec<String>),
    Users(Vec<String>),
    Permissions(Vec<(String, Resource, Permission)>),
}

fn unauthorized<T>(text: impl Into<String>) -> Result<T> {
    Err(CqlError::Unauthorized(text.into()))
}

fn invalid<T>(text: impl Into<String>) -> Result<T> {
    Err(CqlError::Invalid(text.into()))
}

impl Actor<'_> {
    /// Refuses who has no `permission` on a resource nor on any of its parents.
    pub(crate) fn ensure(&self, roles: &Roles, permission: Permission, on: &Resource) -> Result<()> {
        if !self.authorizes || roles.may(self.name, permission, on) {
            return Ok(());
        }
        unauthorized(format!(
            "User {} has no {permission} permission on {on} or any of its parents",
            self.name
        ))
    }

    /// The same for roles, of which less is told.
    fn ensure_role(&self, roles: &Roles, permission: Permission, on: &Resource) -> Result<()> {
        self.ensure(roles, permission, on).or_else(|_| {
            unauthorized(format!(
                "User {} does not have sufficient privileges to perform the requested operation",
                self.name
            ))
        })
    }

    fn is_superuser(&self, roles: &Roles) -> bool {
        roles.is_superuser(self.name)
    }

    /// Whether it may look at `role`, or at all roles where it is none.
    fn describes(&self, roles: &Roles, on: &Resource) -> bool {
        !self.authorizes || roles.permissions(self.name, on).has(Permission::Describe)
    }

    /// The resource with the session's keyspace where it names none.
    fn resolved(&self, on: &Resource) -> Result<Resource> {
        let of = |keyspace: &String| match (keyspace.is_empty(), self.keyspace) {
            (false, _) => Ok(keyspace.clone()),
            (true, Some(keyspace)) => Ok(keyspace.to_owned()),
            (true, None) => invalid(
                "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename",
            ),
        };
        Ok(match on {
            Resource::Table(keyspace, name) => Resource::Table(of(keyspace)?, name.clone()),
            Resource::Function(keyspace, name, arguments) => {
                Resource::Function(of(keyspace)?, name.clone(), arguments.clone())
            }
            other => other.clone(),
        })
    }

    fn exists(&self, roles: &Roles, on: &Resource) -> bool {
        match on {
            Resource::Role(role) => roles.has(role),
            other => other.is_defined(self.schema),
        }
    }
}

impl RoleStatement {
    /// Changes `roles`, and says what to tell.
    pub(crate) fn apply(&self, roles: &mut Roles, actor: &Actor<'_>) -> Result<Told> {
        match self {
            RoleStatement::Create {
                role,
                if_not_exists,
                options,
            } => create(roles, actor, role, *if_not_exists, options),
            RoleStatement::Alter {
                role,
                if_exists,
                options,
            } => alter(roles, actor, role, *if_exists, options),
            RoleStatement::Drop { role, if_exists } => drop_role(roles, actor, role, *if_exists),
            RoleStatement::GrantRole { role, to } => grant_role(roles, actor, role, to),
            RoleStatement::RevokeRole { role, from } => revoke_role(roles, actor, role, from),
            RoleStatement::Grant(grant) => self.permit(roles, actor, grant),
            RoleStatement::Revoke(grant) => self.permit(roles, actor, grant),
            RoleStatement::ListRoles { of, deeply } => list_roles(roles, actor, of.as_deref(), *deeply),
            RoleStatement::ListUsers => {
                let Told::Roles(mut names) = list_roles(roles, actor, None, true)? else {
                    return Ok(Told::Nothing);
                };
                names.retain(|name| roles.by_name.get(name).is_some_and(|role| role.can_login));
                Ok(Told::Users(names))
            }
            RoleStatement::ListPermissions {
                permissions,
                on,
                of,
                deeply,
            } => list_permissions(roles, actor, *permissions, (on.as_ref(), *deeply), of.as_deref()),
            RoleStatement::AddIdentity {
                identity,
                role,
                if_not_exists,
            } => add_identity(roles, actor, identity, role, *if_not_exists),
            RoleStatement::DropIdentity { identity, if_exists } => {
                actor.ensure_role(roles, Permission::Drop, &Resource::AllRoles)?;
                if roles.identities.remove(identity).is_none() && !if_exists {
                    return invalid(format!("identity '{identity}' doesn't exist"));
                }
                Ok(Told::Nothing)
            }
        }
    }

    /// GRANT and REVOKE of permissions.
    fn permit(&self, roles: &mut Roles, actor: &Actor<'_>, grant: &Grant) -> Result<Told> {
        let grants = matches!(self, RoleStatement::Grant(_));
        let role = &grant.role;
        if !actor.authorizes {
            let verb = if grants { "GRANT" } else { "REVOKE" };
            return invalid(format!("{verb} operation is not supported by AllowAllAuthorizer"));
        }
        let on = actor.resolved(&grant.on);
        if let Ok(on) = &on {
            actor.ensure(roles, Permission::Authorize, on)?;
            let mut wanted = grant.permissions.iter();
            wanted.try_for_each(|permission| actor.ensure(roles, permission, on))?;
        }
        if !roles.has(role) {
            return invalid(format!("Role {role} doesn't exist"));
        }
        let on = on?;
        if !actor.exists(roles, &on) {
            return invalid(format!("Resource {on} doesn't exist"));
        }
        let own = roles.grants.entry(role.clone()).or_default();
        let before = own.remove(&on.name()).unwrap_or_default();
        let (after, missed, what) = match grants {
            true => (
                before.union(grant.permissions),
                before.both(grant.permissions),
                "already granted",
            ),
            false => (
                before.without(grant.permissions),
                grant.permissions.without(before),
                "not granted",
            ),
        };
        if !after.is_empty() {
            own.insert(on.name(), after);
        }
        if missed.is_empty() {
            return Ok(Told::Nothing);
        }
        let missed: Vec<&str> = missed.iter().map(Permission::name).collect();
        Ok(Told::Warning(format!(
            "Role '{role}' was {what} {} on {on}",
            missed.join(", ")
        )))
    }
}

/// Refuses options that roles do not have.
fn check_options(options: &[RoleOption]) -> Result<()> {
    options.iter().try_for_each(|option| match option {
        RoleOption::Options(_) => Err(unsupported_option(option)),
        RoleOption::HashedPassword(hash) if !is_hash(hash) => {
            invalid("Invalid hashed password value. Please use jBcrypt.")
        }
        _ => Ok(()),
    })
}

/// Whether `text` has the form of what bcrypt gives.
fn is_hash(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.len() == 60
        && text.is_ascii()
        && text.starts_with("$2")
        && bytes[3] == b'$'
        && bytes[4..6].iter().all(u8::is_ascii_digit)
        && bytes[6] == b'$'
}

fn set(role: &mut Role, options: &[RoleOption], actor: &Actor<'_>) {
    for option in options {
        match option {
            RoleOption::Password(_) => role.hash.clone_from(&actor.hash),
            RoleOption::HashedPassword(hash) => role.hash = Some(hash.clone()),
            RoleOption::Superuser(on) => role.is_superuser = *on,
            RoleOption::Login(on) => role.can_login = *on,
            RoleOption::Options(_) | RoleOption::Access => {}
        }
    }
}

fn create(
    roles: &mut Roles,
    actor: &Actor<'_>,
    name: &str,
    if_not_exists: bool,
    options: &[RoleOption],
) -> Result<Told> {
    actor.ensure_role(roles, Permission::Create, &Resource::AllRoles)?;
    if RoleOption::superuser(options) == Some(true) && !actor.is_superuser(roles) {
        return unauthorized("Only superusers can create a role with superuser status");
    }
    check_options(options)?;
    if name.is_empty() {
        return invalid("Role name can't be an empty string");
    }
    if roles.has(name) {
        return match if_not_exists {
            true => Ok(Told::Nothing),
            false => invalid(format!("{name} already exists")),
        };
    }
    let mut role = Role::default();
    set(&mut role, options, actor);
    roles.by_name.insert(name.to_owned(), role);
    if actor.authorizes {
        grant_all(roles, actor.name, &Resource::Role(name.to_owned()));
    }
    Ok(Told::Nothing)
}

/// Who makes something may do everything with it.
pub(crate) fn grant_all(roles: &mut Roles, role: &str, on: &Resource) {
    let own = roles.grants.entry(role.to_owned()).or_default();
    own.insert(on.name(), on.applicable());
}

/// Forgets what anybody was granted on what is gone.
pub(crate) fn revoke_all(roles: &mut Roles, is_gone: impl Fn(&str) -> bool) {
    for grants in roles.grants.values_mut() {
        grants.retain(|name, _| !is_gone(name));
    }
}

fn alter(
    roles: &mut Roles,
    actor: &Actor<'_>,
    name: &str,
    if_exists: bool,
    options: &[RoleOption],
) -> Result<Told> {
    let superuser = RoleOption::superuser(options).is_some();
    let is_superuser = actor.is_superuser(roles);
    if superuser && roles.of(actor.name, true).contains(name) {
        return unauthorized(
            "You aren't allowed to alter your own superuser status or that of a role granted to you",
        );
    }
    if superuser && !is_superuser {
        return unauthorized("Only superusers are allowed to alter superuser status");
    }
    if !is_superuser && actor.name == name {
        let own =
            |option: &&RoleOption| !matches!(option, RoleOption::Password(_) | RoleOption::HashedPassword(_));
        if let Some(option) = options.iter().find(own) {
            return unauthorized(format!("You aren't allowed to alter {}", option.name()));
        }
    } else if !is_superuser {
        actor.ensure_role(roles, Permission::Alter, &Resource::Role(name.to_owned()))?;
    }
    check_options(options)?;
    if options.is_empty() {
        return invalid("ALTER [ROLE|USER] can't be empty");
    }
    match roles.by_name.get_mut(name) {
        Some(role) => set(role, options, actor),
        None if if_exists => {}
        None => return invalid(format!("Role {name} doesn't exist")),
    }
    Ok(Told::Nothing)
}

fn drop_role(roles: &mut Roles, actor: &Actor<'_>, name: &str, if_exists: bool) -> Result<Told> {
    let on = Resource::Role(name.to_owned());
    actor.ensure_role(roles, Permission::Drop, &on)?;
    let is_superuser = roles.has(name) && roles.is_superuser(name);
    if is_superuser && !actor.is_superuser(roles) {
        return unauthorized("Only superusers can drop a role with superuser status");
    }
    if !roles.has(name) {
        return match if_exists {
            true => Ok(Told::Nothing),
            false => invalid(format!("{name} doesn't exist")),
        };
    }
    if name == actor.name {
        return invalid("Cannot DROP primary role for current login");
    }
    roles.by_name.remove(name);
    for other in roles.by_name.values_mut() {
        other.member_of.remove(name);
    }
    roles.grants.remove(name);
    roles.identities.retain(|_, role| role != name);
    let gone = on.name();
    revoke_all(roles, |name| name == gone);
    Ok(Told::Nothing)
}

/// Whether `role` may be granted to or revoked from `other`, as far as both are there.
fn check_both(roles: &Roles, actor: &Actor<'_>, role: &str, other: &str) -> Result<()> {
    actor.ensure_role(roles, Permission::Authorize, &Resource::Role(role.to_owned()))?;
    match [role, other].into_iter().find(|name| !roles.has(name)) {
        Some(missing) => invalid(format!("{missing} doesn't exist")),
        None => Ok(()),
    }
}

fn grant_role(roles: &mut Roles, actor: &Actor<'_>, role: &str, to: &str) -> Result<Told> {
    check_both(roles, actor, role, to)?;
    if roles.of(to, true).contains(role) {
        return invalid(format!("{to} is a member of {role}"));
    }
    if roles.of(role, true).contains(to) {
        return invalid(format!("{role} is a member of {to}"));
    }
    if let Some(to) = roles.by_name.get_mut(to) {
        to.member_of.insert(role.to_owned());
    }
    Ok(Told::Nothing)
}

fn revoke_role(roles: &mut Roles, actor: &Actor<'_>, role: &str, from: &str) -> Result<Told> {
    check_both(roles, actor, role, from)?;
    let granted = roles.by_name.get_mut(from).map(|from| &mut from.member_of);
    match granted.is_some_and(|granted| granted.remove(role)) {
        true => Ok(Told::Nothing),
        false => invalid(format!("{from} is not a member of {role}")),
    }
}

fn list_roles(roles: &Roles, actor: &Actor<'_>, of: Option<&str>, deeply: bool) -> Result<Told> {
    if let Some(of) = of.filter(|of| !roles.has(of)) {
        return invalid(format!("{} doesn't exist", Resource::Role(of.to_owned())));
    }
    let own = |names: std::collections::BTreeSet<&str>| names.into_iter().map(str::to_owned).collect();
    let everybody = actor.describes(roles, &Resource::AllRoles);
    let names: Vec<String> = match of {
        None if everybody => roles.by_name.keys().cloned().collect(),
        None => own(roles.of(actor.name, deeply)),
        Some(of) if everybody || roles.of(actor.name, true).contains(of) => own(roles.of(of, deeply)),
        Some(of) => {
            return unauthorized(format!("You are not authorized to view roles granted to {of} "));
        }
    };
    Ok(Told::Roles(names))
}

fn list_permissions(
    roles: &Roles,
    actor: &Actor<'_>,
    permissions: Permissions,
    (on, deeply): (Option<&Resource>, bool),
    of: Option<&str>,
) -> Result<Told> {
    let on = on.map(|on| actor.resolved(on)).transpose()?;
    if let Some(on) = on.as_ref().filter(|on| !actor.exists(roles, on)) {
        return invalid(format!("{on} doesn't exist"));
    }
    let role = of.map(|of| Resource::Role(of.to_owned()));
    if let Some(role) = role.as_ref().filter(|role| !actor.exists(roles, role)) {
        return invalid(format!("{role} doesn't exist"));
    }
    if !actor.authorizes {
        return invalid("LIST PERMISSIONS operation is not supported by AllowAllAuthorizer");
    }
    let own = of.is_some_and(|of| roles.of(actor.name, true).contains(of));
    let may = own
        || actor.describes(roles, &Resource::AllRoles)
        || role.as_ref().is_some_and(|role| actor.describes(roles, role));
    if !may {
        let whose = of.unwrap_or("everyone");
        return unauthorized(format!("You are not authorized to view {whose}'s permissions"));
    }
    let wanted: Option<Vec<String>> = on.map(|on| {
        let depth = if deeply { usize::MAX } else { 1 };
        on.chain().take(depth).map(|one| one.name()).collect()
    });
    let is_wanted = |name: &String| wanted.as_ref().is_none_or(|wanted| wanted.contains(name));
    let whose = of.map(|of| roles.of(of, true));
    let grants = roles.grants.iter();
    let grants = grants.filter(|(role, _)| whose.as_ref().is_none_or(|whose| whose.contains(role.as_str())));
    let mut told = Vec::new();
    for (role, grants) in grants {
        for (name, granted) in grants.iter().filter(|(name, _)| is_wanted(name)) {
            let Some(resource) = Resource::named(name) else {
                continue;
            };
            let granted = granted.both(permissions).iter();
            told.extend(granted.map(|permission| (role.clone(), resource.clone(), permission)));
        }
    }
    Ok(Told::Permissions(told))
}

fn add_identity(
    roles: &mut Roles,
    actor: &Actor<'_>,
    identity: &str,
    role: &str,
    if_not_exists: bool,
) -> Result<Told> {
    actor.ensure_role(roles, Permission::Create, &Resource::AllRoles)?;
    if !roles.has(role) {
        return invalid(format!("Can not add identity for non-existent role '{role}'"));
    }
    if roles.identities.contains_key(identity) && !if_not_exists {
        return invalid(format!("{identity} already exists"));
    }
    let own = roles.identities.entry(identity.to_owned());
    own.or_insert_with(|| role.to_owned());
    Ok(Told::Nothing)
}
