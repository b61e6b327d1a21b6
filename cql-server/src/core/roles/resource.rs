//! What permissions are granted on.

use super::{
    Permission::{Alter, Authorize, Create, Describe, Drop, Execute, Modify, Select, SelectMasked, Unmask},
    Permissions,
};
use crate::core::schema::Schema;
use std::fmt;

/// Something that permissions are granted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resource {
    AllKeyspaces,
    Keyspace(String),
    AllTables(String),
    Table(String, String),
    AllRoles,
    Role(String),
    AllFunctions,
    FunctionsOf(String),
    /// Of these argument types.
    Function(String, String, Vec<String>),
    AllMbeans,
    Mbean(String),
}

const ALL_DATA: Permissions = Permissions::of(&[
    Create,
    Alter,
    Drop,
    Select,
    Modify,
    Authorize,
    Unmask,
    SelectMasked,
]);
const TABLE: Permissions = Permissions::of(&[Alter, Drop, Select, Modify, Authorize, Unmask, SelectMasked]);
const ALL_ROLES: Permissions = Permissions::of(&[Create, Alter, Drop, Authorize, Describe]);
const ROLE: Permissions = Permissions::of(&[Alter, Drop, Authorize, Describe]);
const ALL_FUNCTIONS: Permissions = Permissions::of(&[Create, Alter, Drop, Authorize, Execute]);
const FUNCTION: Permissions = Permissions::of(&[Alter, Drop, Authorize, Execute]);
const MBEAN: Permissions = Permissions::of(&[Authorize, Describe, Execute, Modify, Select]);

impl Resource {
    /// What can be granted on it.
    pub(crate) fn applicable(&self) -> Permissions {
        match self {
            Resource::AllKeyspaces | Resource::Keyspace(_) | Resource::AllTables(_) => ALL_DATA,
            Resource::Table(..) => TABLE,
            Resource::AllRoles => ALL_ROLES,
            Resource::Role(_) => ROLE,
            Resource::AllFunctions | Resource::FunctionsOf(_) => ALL_FUNCTIONS,
            Resource::Function(..) => FUNCTION,
            Resource::AllMbeans | Resource::Mbean(_) => MBEAN,
        }
    }

    /// The original's name of its kind.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Resource::AllKeyspaces | Resource::Keyspace(_) | Resource::AllTables(_) | Resource::Table(..) => {
                "DataResource"
            }
            Resource::AllRoles | Resource::Role(_) => "RoleResource",
            Resource::AllFunctions | Resource::FunctionsOf(_) | Resource::Function(..) => "FunctionResource",
            Resource::AllMbeans | Resource::Mbean(_) => "JMXResource",
        }
    }

    /// The name under which grants are stored.
    pub(crate) fn name(&self) -> String {
        match self {
            Resource::AllKeyspaces => "data".to_owned(),
            Resource::Keyspace(keyspace) => format!("data/{keyspace}"),
            Resource::AllTables(keyspace) => format!("data/{keyspace}/*"),
            Resource::Table(keyspace, table) => format!("data/{keyspace}/{table}"),
            Resource::AllRoles => "roles".to_owned(),
            Resource::Role(role) => format!("roles/{role}"),
            Resource::AllFunctions => "functions".to_owned(),
            Resource::FunctionsOf(keyspace) => format!("functions/{keyspace}"),
            Resource::Function(keyspace, name, arguments) => {
                format!("functions/{keyspace}/{name}[{}]", arguments.join("^"))
            }
            Resource::AllMbeans => "mbean".to_owned(),
            Resource::Mbean(name) => format!("mbean/{name}"),
        }
    }

    /// The resource of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut parts = name.splitn(3, '/');
        let (root, first, second) = (parts.next()?, parts.next(), parts.next());
        let own = |part: &str| part.to_owned();
        Some(match (root, first, second) {
            ("data", None, _) => Resource::AllKeyspaces,
            ("data", Some(keyspace), None) => Resource::Keyspace(own(keyspace)),
            ("data", Some(keyspace), Some("*")) => Resource::AllTables(own(keyspace)),
            ("data", Some(keyspace), Some(table)) => Resource::Table(own(keyspace), own(table)),
            ("roles", None, _) => Resource::AllRoles,
            ("roles", Some(_), _) => Resource::Role(own(name.strip_prefix("roles/")?)),
            ("functions", None, _) => Resource::AllFunctions,
            ("functions", Some(keyspace), None) => Resource::FunctionsOf(own(keyspace)),
            ("functions", Some(keyspace), Some(signature)) => {
                let (function, arguments) = signature.strip_suffix(']')?.split_once('[')?;
                let arguments = arguments.split('^').filter(|one| !one.is_empty()).map(own);
                Resource::Function(own(keyspace), own(function), arguments.collect())
            }
            ("mbean", None, _) => Resource::AllMbeans,
            ("mbean", Some(_), _) => Resource::Mbean(own(name.strip_prefix("mbean/")?)),
            _ => return None,
        })
    }

    /// The keyspace whose data it is, or is part of.
    pub(crate) fn keyspace(&self) -> Option<&str> {
        match self {
            Resource::Keyspace(keyspace) | Resource::AllTables(keyspace) | Resource::Table(keyspace, _) => {
                Some(keyspace)
            }
            _ => None,
        }
    }

    fn parent(&self) -> Option<Self> {
        Some(match self {
            Resource::Keyspace(_) => Resource::AllKeyspaces,
            Resource::AllTables(keyspace) => Resource::Keyspace(keyspace.clone()),
            Resource::Table(keyspace, _) => Resource::AllTables(keyspace.clone()),
            Resource::Role(_) => Resource::AllRoles,
            Resource::FunctionsOf(_) => Resource::AllFunctions,
            Resource::Function(keyspace, ..) => Resource::FunctionsOf(keyspace.clone()),
            Resource::Mbean(_) => Resource::AllMbeans,
            Resource::AllKeyspaces | Resource::AllRoles | Resource::AllFunctions | Resource::AllMbeans => {
                return None;
            }
        })
    }

    /// Itself, its parent, and so on.
    pub(crate) fn chain(&self) -> impl Iterator<Item = Resource> + use<> {
        std::iter::successors(Some(self.clone()), Resource::parent)
    }

    /// Whether there is such a thing, as far as the schema tells; roles are known elsewhere.
    pub(crate) fn is_defined(&self, schema: &Schema) -> bool {
        match self {
            Resource::Keyspace(keyspace)
            | Resource::AllTables(keyspace)
            | Resource::FunctionsOf(keyspace) => schema.keyspaces.contains_key(keyspace.as_str()),
            Resource::Table(keyspace, table) => schema.table(keyspace, table).is_some(),
            // Functions are not kept, and no beans are managed here.
            Resource::Function(..) | Resource::Mbean(_) => false,
            Resource::AllKeyspaces
            | Resource::AllRoles
            | Resource::Role(_)
            | Resource::AllFunctions
            | Resource::AllMbeans => true,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::AllKeyspaces => f.write_str("<all keyspaces>"),
            Resource::Keyspace(keyspace) => write!(f, "<keyspace {keyspace}>"),
            Resource::AllTables(keyspace) => write!(f, "<all tables in {keyspace}>"),
            Resource::Table(keyspace, table) => write!(f, "<table {keyspace}.{table}>"),
            Resource::AllRoles => f.write_str("<all roles>"),
            Resource::Role(role) => write!(f, "<role {role}>"),
            Resource::AllFunctions => f.write_str("<all functions>"),
            Resource::FunctionsOf(keyspace) => write!(f, "<all functions in {keyspace}>"),
            Resource::Function(keyspace, name, arguments) => {
                write!(f, "<function {keyspace}.{name}({})>", arguments.join(", "))
            }
            Resource::AllMbeans => f.write_str("<all mbeans>"),
            Resource::Mbean(name) => write!(f, "<mbean {name}>"),
        }
    }
}
