//! Statements about roles, users, permissions and identities: what each says. The engine's `roles` executes them.

mod apply;
#[cfg(test)]
mod tests;

pub(crate) use apply::{Actor, Told, grant_all, revoke_all};

use crate::{
    core::{
        repeated,
        roles::{Permission, Permissions, Resource},
    },
    error::{CqlError, Result},
    syntax::{
        Keyword, Kind, Parsed, QualifiedName, Tokens, ands, commas, commas_until, function, has_word,
        if_exists, if_not_exists, keyspace, map, role, sign, string, table, type_name, word, words,
    },
};

/// A statement about roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RoleStatement {
    Create {
        role: String,
        if_not_exists: bool,
        options: Vec<RoleOption>,
    },
    Alter {
        role: String,
        if_exists: bool,
        options: Vec<RoleOption>,
    },
    Drop {
        role: String,
        if_exists: bool,
    },
    GrantRole {
        role: String,
        to: String,
    },
    RevokeRole {
        role: String,
        from: String,
    },
    Grant(Grant),
    Revoke(Grant),
    ListRoles {
        of: Option<String>,
        deeply: bool,
    },
    ListUsers,
    ListPermissions {
        permissions: Permissions,
        on: Option<Resource>,
        of: Option<String>,
        /// On what is above a resource, too.
        deeply: bool,
    },
    AddIdentity {
        identity: String,
        role: String,
        if_not_exists: bool,
    },
    DropIdentity {
        identity: String,
        if_exists: bool,
    },
}

/// Permissions that a role is granted, or not any more. A resource without keyspace is of the session's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) permissions: Permissions,
    pub(crate) on: Resource,
    pub(crate) role: String,
}

/// One option of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RoleOption {
    Password(String),
    HashedPassword(String),
    Options(Vec<(String, String)>),
    Superuser(bool),
    Login(bool),
    /// Where from and where to it may connect: everywhere.
    Access,
}

impl RoleOption {
    /// The original's name of it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            RoleOption::Password(_) => "PASSWORD",
            RoleOption::HashedPassword(_) => "HASHED_PASSWORD",
            RoleOption::Options(_) => "OPTIONS",
            RoleOption::Superuser(_) => "SUPERUSER",
            RoleOption::Login(_) => "LOGIN",
            RoleOption::Access => "ACCESS",
        }
    }

    /// Whether somebody is to be a superuser, where `options` say so.
    pub(crate) fn superuser(options: &[RoleOption]) -> Option<bool> {
        options.iter().find_map(|option| match option {
            RoleOption::Superuser(on) => Some(*on),
            _ => None,
        })
    }
}

const PERMISSIONS: [(Keyword, Permission); 10] = [
    (Keyword::Create, Permission::Create),
    (Keyword::Alter, Permission::Alter),
    (Keyword::Drop, Permission::Drop),
    (Keyword::Select, Permission::Select),
    (Keyword::Modify, Permission::Modify),
    (Keyword::Authorize, Permission::Authorize),
    (Keyword::Describe, Permission::Describe),
    (Keyword::Execute, Permission::Execute),
    (Keyword::Unmask, Permission::Unmask),
    (Keyword::SelectMasked, Permission::SelectMasked),
];

fn permission(keyword: Keyword) -> Option<Permission> {
    let found = PERMISSIONS.iter().find(|(known, _)| *known == keyword);
    found.map(|(_, permission)| *permission)
}

impl RoleStatement {
    /// What comes of it where nobody has to log in: it is checked as far as the original checks it first, and refused.
    pub(crate) fn refuse(&self) -> Result<()> {
        let (options, superuser) = match self {
            RoleStatement::Create { options, .. } => (
                options.as_slice(),
                "Only superusers can create a role with superuser status",
            ),
            RoleStatement::Alter { options, .. } => (
                options.as_slice(),
                "Only superusers are allowed to alter superuser status",
            ),
            _ => (&[][..], ""),
        };
        let is_create = matches!(self, RoleStatement::Create { .. });
        if RoleOption::superuser(options).is_some_and(|on| on || !is_create) {
            return Err(CqlError::Unauthorized(superuser.to_owned()));
        }
        let unsupported = |option: &&RoleOption| {
            matches!(
                option,
                RoleOption::Password(_) | RoleOption::HashedPassword(_) | RoleOption::Options(_)
            )
        };
        if let Some(option) = options.iter().find(unsupported) {
            return Err(unsupported_option(option));
        }
        Err(CqlError::Unauthorized(
            "You have to be logged in and not anonymous to perform this request".to_owned(),
        ))
    }
}

/// What is said of an option that roles do not have.
pub(crate) fn unsupported_option(option: &RoleOption) -> CqlError {
    CqlError::invalid(format!(
        "org.apache.cassandra.auth.CassandraRoleManager doesn't support {}",
        option.name()
    ))
}

/// Whether a statement that starts here is about roles.
pub(super) fn starts(input: Tokens<'_>) -> bool {
    match (input.peek(), input.peek_at(1)) {
        (Kind::Word(Keyword::Grant | Keyword::Revoke | Keyword::List | Keyword::Add), _) => true,
        (Kind::Word(Keyword::Create | Keyword::Alter), Kind::Word(noun)) => {
            matches!(noun, Keyword::Role | Keyword::User)
        }
        (Kind::Word(Keyword::Drop), Kind::Word(noun)) => {
            matches!(noun, Keyword::Role | Keyword::User | Keyword::Identity)
        }
        _ => false,
    }
}

/// Any statement about roles.
pub(super) fn role_statement(input: Tokens<'_>) -> Parsed<'_, RoleStatement> {
    let (start, rest) = (input, input.skip());
    match (input.peek(), rest.peek()) {
        (Kind::Word(Keyword::Create), Kind::Word(noun)) => {
            let (input, if_not_exists) = if_not_exists(rest.skip())?;
            let (input, (role, mut options)) = defined(input, noun)?;
            // Users are roles that may log in.
            if noun == Keyword::User {
                options.push(RoleOption::Login(true));
            }
            let create = RoleStatement::Create {
                role,
                if_not_exists,
                options,
            };
            Ok((input, create))
        }
        (Kind::Word(Keyword::Alter), Kind::Word(noun)) => {
            let (input, if_exists) = if_exists(rest.skip())?;
            let (input, (role, options)) = defined(input, noun)?;
            let alter = RoleStatement::Alter {
                role,
                if_exists,
                options,
            };
            Ok((input, alter))
        }
        (Kind::Word(Keyword::Drop), Kind::Word(noun)) => {
            let (input, if_exists) = if_exists(rest.skip())?;
            let (input, name) = role(input)?;
            let drop = match noun {
                Keyword::Identity => RoleStatement::DropIdentity {
                    identity: name,
                    if_exists,
                },
                _ => RoleStatement::Drop {
                    role: name,
                    if_exists,
                },
            };
            Ok((input, drop))
        }
        (Kind::Word(Keyword::Grant), _) => grant(rest, Keyword::To),
        (Kind::Word(Keyword::Revoke), _) => grant(rest, Keyword::From),
        (Kind::Word(Keyword::List), _) => list(start),
        _ => identity(rest),
    }
}

/// A role or user, and its options.
fn defined(input: Tokens<'_>, noun: Keyword) -> Parsed<'_, (String, Vec<RoleOption>)> {
    let (input, name) = role(input)?;
    let at = input;
    let (input, options) = if noun == Keyword::User {
        user_options(input)?
    } else {
        role_options(input)?
    };
    let has = |wanted: fn(&RoleOption) -> bool| options.iter().any(wanted);
    if has(|option| matches!(option, RoleOption::Password(_)))
        && has(|option| matches!(option, RoleOption::HashedPassword(_)))
    {
        return Err(at.refused("Options 'password' and 'hashed password' are mutually exclusive"));
    }
    Ok((input, (name, options)))
}

fn user_options(input: Tokens<'_>) -> Parsed<'_, Vec<RoleOption>> {
    let mut options = Vec::new();
    let mut input = input;
    if input.is(Keyword::With) {
        let (rest, hashed) = has_word(Keyword::Hashed)(input.skip())?;
        let (rest, ()) = word(Keyword::Password)(rest)?;
        let (rest, text) = string(rest)?;
        options.push(if hashed {
            RoleOption::HashedPassword(text)
        } else {
            RoleOption::Password(text)
        });
        input = rest;
    }
    match input.peek() {
        Kind::Word(Keyword::Superuser) => options.push(RoleOption::Superuser(true)),
        Kind::Word(Keyword::Nosuperuser) => options.push(RoleOption::Superuser(false)),
        _ => return Ok((input, options)),
    }
    Ok((input.skip(), options))
}

fn role_options(input: Tokens<'_>) -> Parsed<'_, Vec<RoleOption>> {
    if !input.is(Keyword::With) {
        return Ok((input, Vec::new()));
    }
    let (rest, options) = ands(role_option)(input.skip())?;
    match repeated(options.iter().map(RoleOption::name)) {
        Some(name) => Err(input.refused(format!("Multiple definition for property '{name}'"))),
        None => Ok((rest, options)),
    }
}

fn role_option(input: Tokens<'_>) -> Parsed<'_, RoleOption> {
    let Kind::Word(keyword) = input.peek() else {
        return Err(input.no_alternative());
    };
    let rest = input.skip();
    match keyword {
        Keyword::Password => {
            let (rest, text) = string(sign("=")(rest)?.0)?;
            Ok((rest, RoleOption::Password(text)))
        }
        Keyword::Hashed => {
            let (rest, ()) = word(Keyword::Password)(rest)?;
            let (rest, text) = string(sign("=")(rest)?.0)?;
            Ok((rest, RoleOption::HashedPassword(text)))
        }
        Keyword::Options => {
            let (rest, options) = map(sign("=")(rest)?.0)?;
            Ok((rest, RoleOption::Options(options)))
        }
        Keyword::Superuser => boolean(rest).map(|(rest, on)| (rest, RoleOption::Superuser(on))),
        Keyword::Login => boolean(rest).map(|(rest, on)| (rest, RoleOption::Login(on))),
        Keyword::Access => access(rest).map(|(rest, ())| (rest, RoleOption::Access)),
        _ => Err(input.no_alternative()),
    }
}

fn boolean(input: Tokens<'_>) -> Parsed<'_, bool> {
    let (input, ()) = sign("=")(input)?;
    if input.peek() != Kind::Boolean {
        return Err(input.expected(Kind::Boolean));
    }
    Ok((input.skip(), input.text().eq_ignore_ascii_case("true")))
}

/// `TO [ALL] DATACENTERS` and `FROM [ALL] CIDRS`, with a list where not all are meant.
fn access(input: Tokens<'_>) -> Parsed<'_, ()> {
    let (input, noun) = match input.peek() {
        Kind::Word(Keyword::To) => (input.skip(), Keyword::Datacenters),
        Kind::Word(Keyword::From) => (input.skip(), Keyword::Cidrs),
        _ => return Err(input.no_alternative()),
    };
    let (input, all) = has_word(Keyword::All)(input)?;
    let (input, ()) = word(noun)(input)?;
    if all {
        return Ok((input, ()));
    }
    let (input, ()) = sign("{")(input)?;
    let (input, _) = commas(string)(input)?;
    sign("}")(input)
}

/// Permissions on a resource, or a role; `direction` is TO or FROM.
fn grant(input: Tokens<'_>, direction: Keyword) -> Parsed<'_, RoleStatement> {
    let grants = direction == Keyword::To;
    let is_permission = |input: Tokens<'_>| match input.peek() {
        // ALL may be the name of a role.
        Kind::Word(Keyword::All) => {
            matches!(input.peek_at(1), Kind::Word(Keyword::On | Keyword::Permissions))
        }
        Kind::Word(Keyword::Unmask | Keyword::SelectMasked) => input.peek_at(1) != Kind::Word(direction),
        Kind::Word(keyword) => permission(keyword).is_some(),
        _ => false,
    };
    if !is_permission(input) {
        let (input, granted) = role(input)?;
        let (input, ()) = word(direction)(input)?;
        let (input, to) = role(input)?;
        let statement = match grants {
            true => RoleStatement::GrantRole { role: granted, to },
            false => RoleStatement::RevokeRole {
                role: granted,
                from: to,
            },
        };
        return Ok((input, statement));
    }
    let at = input;
    let (input, permissions) = permissions(input)?;
    let (input, ()) = word(Keyword::On)(input)?;
    let (input, on) = resource(input)?;
    let permissions = permissions.both(on.applicable());
    if permissions.is_empty() {
        return Err(at.refused(format!(
            "Resource type {} does not support any of the requested permissions",
            on.class()
        )));
    }
    let (input, ()) = word(direction)(input)?;
    let (input, role) = role(input)?;
    let grant = Grant {
        permissions,
        on,
        role,
    };
    let statement = match grants {
        true => RoleStatement::Grant(grant),
        false => RoleStatement::Revoke(grant),
    };
    Ok((input, statement))
}

fn permissions(input: Tokens<'_>) -> Parsed<'_, Permissions> {
    if input.is(Keyword::All) {
        let (input, _) = has_word(Keyword::Permissions)(input.skip())?;
        return Ok((input, Permissions::all()));
    }
    let (input, named) = commas(|input: Tokens<'_>| match input.peek() {
        Kind::Word(keyword) if permission(keyword).is_some() => {
            let (input, _) = has_word(Keyword::Permission)(input.skip())?;
            Ok((input, permission(keyword)))
        }
        _ => Err(input.no_alternative()),
    })(input)?;
    let named: Vec<Permission> = named.into_iter().flatten().collect();
    Ok((input, Permissions::of(&named)))
}

fn resource(input: Tokens<'_>) -> Parsed<'_, Resource> {
    let rest = input.skip();
    match (input.peek(), rest.peek()) {
        (Kind::Word(Keyword::All), Kind::Word(noun)) => {
            let rest = rest.skip();
            let of: fn(String) -> Resource = match noun {
                Keyword::Keyspaces => return Ok((rest, Resource::AllKeyspaces)),
                Keyword::Roles => return Ok((rest, Resource::AllRoles)),
                Keyword::Mbeans => return Ok((rest, Resource::AllMbeans)),
                Keyword::Tables => Resource::AllTables,
                Keyword::Functions if !rest.is(Keyword::In) => return Ok((rest, Resource::AllFunctions)),
                Keyword::Functions => Resource::FunctionsOf,
                _ => return Err(rest.no_alternative()),
            };
            let (rest, ()) = words([Keyword::In, Keyword::Keyspace])(rest)?;
            keyspace(rest).map(|(rest, name)| (rest, of(name)))
        }
        (Kind::Word(Keyword::Keyspace), _) => {
            keyspace(rest).map(|(rest, name)| (rest, Resource::Keyspace(name)))
        }
        (Kind::Word(Keyword::Role), _) => role(rest).map(|(rest, name)| (rest, Resource::Role(name))),
        (Kind::Word(Keyword::Mbean | Keyword::Mbeans), Kind::String) => {
            string(rest).map(|(rest, name)| (rest, Resource::Mbean(name)))
        }
        (Kind::Word(Keyword::Function), _) if rest.name_at(0) => {
            let (rest, QualifiedName { keyspace, name }) = function(rest)?;
            let (rest, ()) = sign("(")(rest)?;
            let (rest, arguments) = commas_until(")", type_name)(rest)?;
            let arguments = arguments.iter().map(ToString::to_string).collect();
            let keyspace = keyspace.unwrap_or_default();
            Ok((rest, Resource::Function(keyspace, name, arguments)))
        }
        _ => {
            let (input, _) = has_word(Keyword::ColumnFamily)(input)?;
            let (input, QualifiedName { keyspace, name }) = table(input)?;
            Ok((input, Resource::Table(keyspace.unwrap_or_default(), name)))
        }
    }
}

fn list(input: Tokens<'_>) -> Parsed<'_, RoleStatement> {
    let (start, input) = (input, input.skip());
    let (input, listed) = match input.peek() {
        Kind::Word(Keyword::Users) => return Ok((input.skip(), RoleStatement::ListUsers)),
        Kind::Word(Keyword::Roles) => (input.skip(), None),
        Kind::Word(keyword) if keyword == Keyword::All || permission(keyword).is_some() => {
            let (input, permissions) = permissions(input)?;
            let (input, on) = match input.is(Keyword::On) {
                true => resource(input.skip()).map(|(input, on)| (input, Some(on)))?,
                false => (input, None),
            };
            (input, Some((permissions, on)))
        }
        _ => return Err(input.no_alternative_since(start)),
    };
    let (input, of) = match input.is(Keyword::Of) {
        true => role(input.skip()).map(|(input, of)| (input, Some(of)))?,
        false => (input, None),
    };
    let (input, alone) = has_word(Keyword::Norecursive)(input)?;
    let deeply = !alone;
    let statement = match listed {
        Some((permissions, on)) => RoleStatement::ListPermissions {
            permissions,
            on,
            of,
            deeply,
        },
        None => RoleStatement::ListRoles { of, deeply },
    };
    Ok((input, statement))
}

/// `IDENTITY [IF NOT EXISTS] identity TO ROLE role`
fn identity(input: Tokens<'_>) -> Parsed<'_, RoleStatement> {
    let (input, ()) = word(Keyword::Identity)(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, identity) = role(input)?;
    let (input, ()) = words([Keyword::To, Keyword::Role])(input)?;
    let (input, role) = role(input)?;
    let add = RoleStatement::AddIdentity {
        identity,
        role,
        if_not_exists,
    };
    Ok((input, add))
}
