//! Roles, what they are granted, and what follows from it.
//!
//! Knows: permissions, what they are granted on, members of members. Never: how they are stored, who is connected.

mod permission;
mod resource;
#[cfg(test)]
mod tests;

pub(crate) use permission::{Permission, Permissions};
pub(crate) use resource::Resource;

use crate::core::schema::system;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) is_superuser: bool,
    pub(crate) can_login: bool,
    /// Its password, hashed by bcrypt.
    pub(crate) hash: Option<String>,
    /// The roles that it was granted.
    pub(crate) member_of: BTreeSet<String>,
}

/// What a role was granted, by the names of resources.
pub(crate) type Grants = BTreeMap<String, Permissions>;

/// All roles with what they were granted, as they were at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Roles {
    pub(crate) by_name: BTreeMap<String, Role>,
    /// By role.
    pub(crate) grants: BTreeMap<String, Grants>,
    /// The role of each identity that certificates may tell.
    pub(crate) identities: BTreeMap<String, String>,
}

impl Roles {
    pub(crate) fn has(&self, role: &str) -> bool {
        self.by_name.contains_key(role)
    }

    /// `role` and those it was granted, and with `deeply` what those were granted, in the order of their names.
    pub(crate) fn of<'a>(&'a self, role: &'a str, deeply: bool) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::from([role]);
        let mut new = vec![role];
        while let Some(one) = new.pop() {
            let granted = self.by_name.get(one).into_iter().flat_map(|one| &one.member_of);
            for other in granted.filter(|other| self.has(other)) {
                if found.insert(other) && deeply {
                    new.push(other);
                }
            }
        }
        found
    }

    /// Whether `role` or any it was granted may do everything.
    pub(crate) fn is_superuser(&self, role: &str) -> bool {
        let is = |one: &&str| self.by_name.get(*one).is_some_and(|one| one.is_superuser);
        self.of(role, true).iter().any(is)
    }

    /// What `role` may do with a resource itself, its parents left aside.
    pub(crate) fn permissions(&self, role: &str, resource: &Resource) -> Permissions {
        if self.is_superuser(role) {
            return resource.applicable();
        }
        let name = resource.name();
        let granted = |one: &str| self.grants.get(one).and_then(|grants| grants.get(&name));
        let all = self.of(role, true).into_iter().filter_map(granted);
        all.fold(Permissions::default(), |all, one| all.union(*one))
    }

    /// Whether `role` has a permission on a resource or any of its parents. What it has on all keyspaces it does not have on
    /// those of the system.
    pub(crate) fn may(&self, role: &str, permission: Permission, resource: &Resource) -> bool {
        let is_system = resource.keyspace().is_some_and(system::is_system);
        let mut chain = resource
            .chain()
            .filter(|one| !(is_system && *one == Resource::AllKeyspaces));
        self.is_superuser(role) || chain.any(|one| self.permissions(role, &one).has(permission))
    }
}
