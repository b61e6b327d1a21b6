//! Settings made while the broker runs: stored first, then in effect.

use crate::{
    config::{
        BrokerConfig,
        alter::{self, Scope, Settings},
    },
    error::ApiError,
    listeners::{Change, Listeners},
    state::configs::{self, Owner},
    topics::Topics,
    wire::ResponseError,
};
use arc_swap::ArcSwap;
use std::{collections::BTreeMap, sync::Arc};
use storage::{Kv, Result};
use tokio::sync::Mutex;

/// Settings by the name of what they are of.
type Named = BTreeMap<String, Settings>;

/// The settings of brokers, groups and client metrics. Those of topics are with the topics.
pub(crate) struct Configs {
    kv: Arc<dyn Kv>,
    dynamic: Arc<ArcSwap<BrokerConfig>>,
    listeners: Arc<Listeners>,
    groups: ArcSwap<Named>,
    client_metrics: ArcSwap<Named>,
    /// Held by whoever changes any of it, across the store's commit.
    writer: Mutex<()>,
}

impl Configs {
    /// Everything stored.
    pub(crate) async fn load(
        kv: Arc<dyn Kv>,
        dynamic: Arc<ArcSwap<BrokerConfig>>,
        listeners: Arc<Listeners>,
    ) -> Result<Self> {
        Ok(Configs {
            dynamic,
            listeners,
            groups: ArcSwap::from_pointee(configs::load(kv.as_ref(), Owner::Group).await?),
            client_metrics: ArcSwap::from_pointee(configs::load(kv.as_ref(), Owner::ClientMetrics).await?),
            kv,
            writer: Mutex::new(()),
        })
    }

    /// What was set on the group `name`.
    pub(crate) fn group(&self, name: &str) -> Settings {
        self.groups.load().get(name).cloned().unwrap_or_default()
    }

    /// What the key `key` is worth for the group `name`, where it was set there.
    pub(crate) fn group_value(&self, name: &str, key: &str) -> Option<i64> {
        self.groups.load().get(name)?.get(key)?.trim().parse().ok()
    }

    /// What was set on the subscription `name` to client metrics.
    pub(crate) fn client_metrics(&self, name: &str) -> Settings {
        self.client_metrics.load().get(name).cloned().unwrap_or_default()
    }

    /// Names of groups that have settings, and of subscriptions to client metrics.
    pub(crate) fn names(&self, scope: Scope) -> Vec<String> {
        match scope {
            Scope::Group => self.groups.load().keys().cloned().collect(),
            Scope::ClientMetrics => self.client_metrics.load().keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// Makes what `change` says of the settings of `name`, or only says whether it could.
    pub(crate) async fn alter(
        &self,
        topics: &Topics,
        scope: Scope,
        name: &str,
        validate_only: bool,
        change: impl FnOnce(&Settings, &BrokerConfig) -> std::result::Result<Settings, alter::AlterFault>,
    ) -> std::result::Result<(), ApiError> {
        // One after the other: what a change is checked against is what it changes.
        let _writer = match scope {
            Scope::Topic => None,
            _ => Some(self.writer.lock().await),
        };
        let broker = self.dynamic.load_full();
        let checked = |now: &Settings| {
            let next = change(now, &broker)?;
            alter::validate(scope, now, &next, &broker)?;
            Ok::<_, alter::AlterFault>(next)
        };
        if scope == Scope::Topic {
            return alter_topic(topics, name, validate_only, checked).await;
        }
        let next = checked(&self.now(scope, name))?;
        let change = match scope {
            Scope::Broker => {
                let own = next.clone();
                let after = BrokerConfig {
                    own,
                    ..BrokerConfig::clone(&broker)
                };
                self.listeners.prepare(&broker, &after, validate_only).await?
            }
            _ => Change::default(),
        };
        if !validate_only {
            configs::save(self.kv.as_ref(), owner(scope), name, &next).await?;
            self.show(scope, name, next);
            let now = self.dynamic.load_full();
            self.listeners.make(change, &broker, &now).await;
            topics.reconfigure().await;
        }
        Ok(())
    }

    fn now(&self, scope: Scope, name: &str) -> Settings {
        match scope {
            Scope::Broker => self.dynamic.load().own.clone(),
            Scope::Cluster => self.dynamic.load().cluster.clone(),
            Scope::Group => self.group(name),
            Scope::ClientMetrics => self.client_metrics(name),
            Scope::Topic => Settings::new(),
        }
    }

    fn show(&self, scope: Scope, name: &str, next: Settings) {
        let named = |all: &ArcSwap<Named>| {
            let mut changed = Named::clone(&all.load());
            if next.is_empty() {
                changed.remove(name);
            } else {
                changed.insert(name.to_owned(), next.clone());
            }
            all.store(Arc::new(changed));
        };
        let mut broker = BrokerConfig::clone(&self.dynamic.load());
        match scope {
            Scope::Group => return named(&self.groups),
            Scope::ClientMetrics => return named(&self.client_metrics),
            Scope::Broker => broker.own = next,
            Scope::Cluster => broker.cluster = next,
            Scope::Topic => return,
        }
        self.dynamic.store(Arc::new(broker));
    }
}

fn owner(scope: Scope) -> Owner {
    match scope {
        Scope::Group => Owner::Group,
        Scope::ClientMetrics => Owner::ClientMetrics,
        Scope::Broker | Scope::Cluster | Scope::Topic => Owner::Broker,
    }
}

async fn alter_topic(
    topics: &Topics,
    name: &str,
    validate_only: bool,
    checked: impl FnOnce(&Settings) -> std::result::Result<Settings, alter::AlterFault>,
) -> std::result::Result<(), ApiError> {
    let absent = || {
        ApiError::new(
            ResponseError::UnknownTopicOrPartition,
            format!("The topic '{name}' does not exist."),
        )
    };
    let mut answer = Err(absent());
    topics
        .update(name, |record| {
            answer = match checked(&record.config) {
                Ok(next) => {
                    record.config = next;
                    Ok(())
                }
                Err(refused) => Err(refused.into()),
            };
            answer.is_ok() && !validate_only
        })
        .await?;
    answer
}

#[cfg(test)]
mod tests;
