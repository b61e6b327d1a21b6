//! Who may log in, and what they may do: the shell around `core::roles`.
//!
//! Knows: the roles that are in force, when they change, passwords. Never: frames, what rows a statement is about.

mod authorize;
mod execute;
mod stored;

use super::{Engine, Session};
use crate::{
    config::{Authenticator, Authorizer},
    core::roles::{Role, Roles},
    error::{CqlError, Result},
};
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore};

/// What there is at first: a superuser of this name and password.
const FIRST_ROLE: &str = "cassandra";
/// The original's own: 2 to this power of rounds.
const HASH_COST: u32 = 10;
/// Passwords that are hashed at the same time; each takes a core for some tens of milliseconds.
const HASHING_MAX: usize = 2;

/// The roles that are in force, and whether anybody asks for them.
pub(crate) struct Access {
    authenticator: Authenticator,
    authorizer: Authorizer,
    roles: ArcSwap<Roles>,
    /// Held while roles change.
    changing: Mutex<()>,
    hashing: Semaphore,
}

impl Default for Access {
    /// Everybody may do everything.
    fn default() -> Self {
        Access::new(Authenticator::AllowAll, Authorizer::AllowAll)
    }
}

impl Access {
    pub(super) fn new(authenticator: Authenticator, authorizer: Authorizer) -> Self {
        Access {
            authenticator,
            authorizer,
            roles: ArcSwap::default(),
            changing: Mutex::default(),
            hashing: Semaphore::new(HASHING_MAX),
        }
    }

    fn authorizes(&self) -> bool {
        self.authorizer == Authorizer::Cassandra
    }

    fn authenticates(&self) -> bool {
        self.authenticator == Authenticator::Password
    }

    /// Whether `session` is of somebody who may not do everything.
    pub(super) fn is_ordinary(&self, session: &Session) -> bool {
        let is_superuser = |name: Arc<str>| self.roles.load().is_superuser(&name);
        self.authenticates() && !session.role().is_some_and(is_superuser)
    }

    /// Does something slow with a password, where it holds nobody up.
    async fn slowly<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let gone = |_| CqlError::Server("the server stops".to_owned());
        let _permit = self.hashing.acquire().await.map_err(|_| gone(()))?;
        match tokio::task::spawn_blocking(work).await {
            // The runtime ends, and with it whoever waits here.
            Err(error) if error.is_cancelled() => std::future::pending().await,
            done => done.map_err(|_| gone(())),
        }
    }

    /// What is stored of a password.
    async fn hash(&self, password: String) -> Result<String> {
        let hashed = self.slowly(move || {
            let hashed = bcrypt::hash_with_result(password, HASH_COST)?;
            Ok(hashed.format_for_version(bcrypt::Version::TwoA))
        });
        let hashed: std::result::Result<String, bcrypt::BcryptError> = hashed.await?;
        hashed.map_err(|error| CqlError::invalid(error.to_string()))
    }

    /// Whether a password is the one that was hashed.
    async fn is_password(&self, password: String, hash: String) -> Result<bool> {
        self.slowly(move || bcrypt::verify(password, &hash).unwrap_or(false))
            .await
    }
}

impl Engine {
    /// Takes the stored roles into force, and makes the first one where there is none.
    pub(super) async fn open_roles(&self) -> Result<()> {
        self.access.roles.store(Arc::new(self.stored_roles().await?));
        match self.access.authenticates() {
            true => self.first_role().await,
            // It is made while others are served already: hashing its password takes a while.
            false => Ok(()),
        }
    }

    /// Makes the first role where there is none: the original has it whether anybody has to log in or not.
    pub(crate) async fn first_role(&self) -> Result<()> {
        if !self.access.roles.load().by_name.is_empty() {
            return Ok(());
        }
        let role = Role {
            is_superuser: true,
            can_login: true,
            hash: Some(self.access.hash(FIRST_ROLE.to_owned()).await?),
            ..Role::default()
        };
        self.change_roles(|roles| {
            // Somebody may have been quicker.
            roles.by_name.entry(FIRST_ROLE.to_owned()).or_insert(role);
            Ok(())
        })
        .await
    }

    /// Changes the roles: stored first, then in force.
    pub(super) async fn change_roles<T>(&self, change: impl FnOnce(&mut Roles) -> Result<T>) -> Result<T> {
        let _alone = self.access.changing.lock().await;
        let before = self.access.roles.load_full();
        let mut after = Roles::clone(&before);
        let told = change(&mut after)?;
        if after != *before {
            self.store_roles(&before, &after).await?;
            self.access.roles.store(Arc::new(after));
        }
        Ok(told)
    }

    /// Takes what is stored into force, since somebody may have written there.
    pub(super) async fn reload_roles(&self) -> Result<()> {
        if self.access.authenticates() {
            let _alone = self.access.changing.lock().await;
            let stored = self.stored_roles().await?;
            self.access.roles.store(Arc::new(stored));
        }
        Ok(())
    }

    /// The role of that name, if it may log in with that password.
    pub(super) async fn logged_in(&self, name: &str, password: &str) -> Result<Arc<str>> {
        let role = self.access.roles.load().by_name.get(name).cloned();
        let refused =
            || CqlError::BadCredentials(format!("Provided username {name} and/or password are incorrect"));
        let Some((role, hash)) = role.and_then(|role| role.hash.clone().map(|hash| (role, hash))) else {
            return Err(refused());
        };
        if !self.access.is_password(password.to_owned(), hash).await? {
            return Err(refused());
        }
        if !role.can_login {
            return Err(CqlError::BadCredentials(format!(
                "{name} is not permitted to log in"
            )));
        }
        Ok(name.into())
    }
}
