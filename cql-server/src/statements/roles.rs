//! Statements about roles, users, permissions and identities.
//!
//! While nobody has to log in there is nobody to own anything: each is parsed, checked as far as the original checks it
//! first, and refused.

#[cfg(test)]
mod tests;

use crate::{
    error::{CqlError, Result},
    syntax::{
        Keyword, Kind, Parsed, Tokens, ands, commas, commas_until, function, has_word, if_exists,
        if_not_exists, keyspace, map, role, sign, string, table, type_name, word, words,
    },
};

/// A statement about roles, as far as it has to be understood to refuse it in the original's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RoleStatement {
    Create {
        options: Vec<RoleOption>,
    },
    Alter {
        options: Vec<RoleOption>,
    },
    /// DROP, GRANT, REVOKE, LIST and identities.
    Other,
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

/// The kinds of what permissions are granted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resource {
    Data,
    Role,
    Function,
    Jmx,
}

impl Resource {
    fn class(self) -> &'static str {
        match self {
            Resource::Data => "DataResource",
            Resource::Role => "RoleResource",
            Resource::Function => "FunctionResource",
            Resource::Jmx => "JMXResource",
        }
    }

    /// The permissions that it knows.
    fn permits(self, permission: Keyword) -> bool {
        use Keyword::{
            Alter, Authorize, Create, Describe, Drop, Execute, Modify, Select, SelectMasked, Unmask,
        };
        match self {
            Resource::Data => {
                matches!(
                    permission,
                    Create | Alter | Drop | Select | Modify | Authorize | Unmask | SelectMasked
                )
            }
            Resource::Role => matches!(permission, Create | Alter | Drop | Authorize | Describe),
            Resource::Function => matches!(permission, Create | Alter | Drop | Authorize | Execute),
            Resource::Jmx => matches!(permission, Authorize | Describe | Execute | Modify | Select),
        }
    }
}

const PERMISSIONS: [Keyword; 10] = [
    Keyword::Create,
    Keyword::Alter,
    Keyword::Drop,
    Keyword::Select,
    Keyword::Modify,
    Keyword::Authorize,
    Keyword::Describe,
    Keyword::Execute,
    Keyword::Unmask,
    Keyword::SelectMasked,
];

impl RoleStatement {
    /// What comes of it where nobody has to log in.
    pub(crate) fn refuse(&self) -> Result<()> {
        let (options, superuser) = match self {
            RoleStatement::Create { options } => (
                options.as_slice(),
                "Only superusers can create a role with superuser status",
            ),
            RoleStatement::Alter { options } => (
                options.as_slice(),
                "Only superusers are allowed to alter superuser status",
            ),
            RoleStatement::Other => (&[][..], ""),
        };
        for option in options {
            let unsupported = match option {
                RoleOption::Password(_) => "PASSWORD",
                RoleOption::HashedPassword(_) => "HASHED_PASSWORD",
                RoleOption::Options(_) => "OPTIONS",
                _ => continue,
            };
            return Err(CqlError::invalid(format!(
                "org.apache.cassandra.auth.CassandraRoleManager doesn't support {unsupported}"
            )));
        }
        let is_create = matches!(self, RoleStatement::Create { .. });
        let raises = |option: &RoleOption| matches!(option, RoleOption::Superuser(on) if *on || !is_create);
        if options.iter().any(raises) {
            return Err(CqlError::Unauthorized(superuser.to_owned()));
        }
        Err(CqlError::Unauthorized(
            "You have to be logged in and not anonymous to perform this request".to_owned(),
        ))
    }
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
    let (input, ()) = match (input.peek(), rest.peek()) {
        (Kind::Word(Keyword::Create), Kind::Word(noun)) => {
            let (input, _) = if_not_exists(rest.skip())?;
            let (input, options) = defined(input, noun)?;
            return Ok((input, RoleStatement::Create { options }));
        }
        (Kind::Word(Keyword::Alter), Kind::Word(noun)) => {
            let (input, _) = if_exists(rest.skip())?;
            let (input, options) = defined(input, noun)?;
            return Ok((input, RoleStatement::Alter { options }));
        }
        (Kind::Word(Keyword::Drop), Kind::Word(_)) => {
            let (input, _) = if_exists(rest.skip())?;
            role(input).map(|(input, _)| (input, ()))?
        }
        (Kind::Word(Keyword::Grant), _) => grant(rest, Keyword::To)?,
        (Kind::Word(Keyword::Revoke), _) => grant(rest, Keyword::From)?,
        (Kind::Word(Keyword::List), _) => list(start)?,
        _ => identity(rest)?,
    };
    Ok((input, RoleStatement::Other))
}

/// A role or user, and its options.
fn defined(input: Tokens<'_>, noun: Keyword) -> Parsed<'_, Vec<RoleOption>> {
    let (input, _) = role(input)?;
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
    Ok((input, options))
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
    ands(role_option)(input.skip())
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
fn grant(input: Tokens<'_>, direction: Keyword) -> Parsed<'_, ()> {
    let is_permission = |input: Tokens<'_>| match input.peek() {
        // ALL may be the name of a role.
        Kind::Word(Keyword::All) => {
            matches!(input.peek_at(1), Kind::Word(Keyword::On | Keyword::Permissions))
        }
        Kind::Word(keyword @ (Keyword::Unmask | Keyword::SelectMasked)) => {
            PERMISSIONS.contains(&keyword) && input.peek_at(1) != Kind::Word(direction)
        }
        Kind::Word(keyword) => PERMISSIONS.contains(&keyword),
        _ => false,
    };
    let input = if is_permission(input) {
        let at = input;
        let (input, permissions) = permissions(input)?;
        let (input, ()) = word(Keyword::On)(input)?;
        let (input, resource) = resource(input)?;
        if !permissions.iter().any(|permission| resource.permits(*permission)) {
            return Err(at.refused(format!(
                "Resource type {} does not support any of the requested permissions",
                resource.class()
            )));
        }
        input
    } else {
        role(input)?.0
    };
    let (input, ()) = word(direction)(input)?;
    role(input).map(|(input, _)| (input, ()))
}

fn permissions(input: Tokens<'_>) -> Parsed<'_, Vec<Keyword>> {
    if input.is(Keyword::All) {
        let (input, _) = has_word(Keyword::Permissions)(input.skip())?;
        return Ok((input, PERMISSIONS.to_vec()));
    }
    commas(|input: Tokens<'_>| match input.peek() {
        Kind::Word(keyword) if PERMISSIONS.contains(&keyword) => {
            let (input, _) = has_word(Keyword::Permission)(input.skip())?;
            Ok((input, keyword))
        }
        _ => Err(input.no_alternative()),
    })(input)
}

fn resource(input: Tokens<'_>) -> Parsed<'_, Resource> {
    let rest = input.skip();
    match (input.peek(), rest.peek()) {
        (Kind::Word(Keyword::All), Kind::Word(noun)) => {
            let rest = rest.skip();
            let (rest, found) = match noun {
                Keyword::Keyspaces => return Ok((rest, Resource::Data)),
                Keyword::Roles => return Ok((rest, Resource::Role)),
                Keyword::Mbeans => return Ok((rest, Resource::Jmx)),
                Keyword::Tables => (rest, Resource::Data),
                Keyword::Functions if !rest.is(Keyword::In) => return Ok((rest, Resource::Function)),
                Keyword::Functions => (rest, Resource::Function),
                _ => return Err(rest.no_alternative()),
            };
            let (rest, ()) = words([Keyword::In, Keyword::Keyspace])(rest)?;
            keyspace(rest).map(|(rest, _)| (rest, found))
        }
        (Kind::Word(Keyword::Keyspace), _) => keyspace(rest).map(|(rest, _)| (rest, Resource::Data)),
        (Kind::Word(Keyword::Role), _) => role(rest).map(|(rest, _)| (rest, Resource::Role)),
        (Kind::Word(Keyword::Mbean | Keyword::Mbeans), Kind::String) => Ok((rest.skip(), Resource::Jmx)),
        (Kind::Word(Keyword::Function), _) if rest.name_at(0) => {
            let (rest, _) = function(rest)?;
            let (rest, ()) = sign("(")(rest)?;
            commas_until(")", type_name)(rest).map(|(rest, _)| (rest, Resource::Function))
        }
        _ => {
            let (input, _) = has_word(Keyword::ColumnFamily)(input)?;
            table(input).map(|(input, _)| (input, Resource::Data))
        }
    }
}

fn list(input: Tokens<'_>) -> Parsed<'_, ()> {
    let (start, input) = (input, input.skip());
    let input = match input.peek() {
        Kind::Word(Keyword::Users) => return Ok((input.skip(), ())),
        Kind::Word(Keyword::Roles) => input.skip(),
        Kind::Word(keyword) if keyword == Keyword::All || PERMISSIONS.contains(&keyword) => {
            let (input, _) = permissions(input)?;
            if input.is(Keyword::On) {
                resource(input.skip())?.0
            } else {
                input
            }
        }
        _ => return Err(input.no_alternative_since(start)),
    };
    let input = if input.is(Keyword::Of) {
        role(input.skip())?.0
    } else {
        input
    };
    has_word(Keyword::Norecursive)(input).map(|(input, _)| (input, ()))
}

/// `IDENTITY [IF NOT EXISTS] identity TO ROLE role`
fn identity(input: Tokens<'_>) -> Parsed<'_, ()> {
    let (input, ()) = word(Keyword::Identity)(input)?;
    let (input, _) = if_not_exists(input)?;
    let (input, _) = role(input)?;
    let (input, ()) = words([Keyword::To, Keyword::Role])(input)?;
    role(input).map(|(input, _)| (input, ()))
}
