//! The topics there are, as an immutable image that readers take without a lock and one writer replaces.

use crate::{
    config::{BrokerConfig, TopicConfig},
    partition::{Env, Named, Partition, Policy},
    state::topics::{self, TopicRecord},
};
use arc_swap::ArcSwap;
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};
use storage::{Kv, Result};
use tokio::sync::Mutex;
use uuid::Uuid;

/// One topic of an image. A change of its configuration or partitions makes a new one.
pub(crate) struct Topic {
    /// As stored.
    pub(crate) record: TopicRecord,
    /// What its configuration means over that of the broker.
    pub(crate) config: Arc<TopicConfig>,
    /// By index. They outlive an image: the next one shares them.
    pub(crate) partitions: Vec<Arc<Partition>>,
}

impl Topic {
    /// The partition of that index.
    pub(crate) fn partition(&self, index: i32) -> Option<&Arc<Partition>> {
        self.partitions.get(usize::try_from(index).ok()?)
    }
}

/// All topics at one moment.
#[derive(Default, Clone)]
pub(crate) struct Image {
    by_name: BTreeMap<Arc<str>, Arc<Topic>>,
    by_id: BTreeMap<Uuid, Arc<Topic>>,
}

impl Image {
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Topic>> {
        self.by_name.get(name)
    }

    pub(crate) fn by_id(&self, id: &Uuid) -> Option<&Arc<Topic>> {
        self.by_id.get(id)
    }

    /// Sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.by_name.values()
    }

    fn insert(&mut self, topic: Topic) {
        let topic = Arc::new(topic);
        self.by_name
            .insert(topic.record.name.as_str().into(), topic.clone());
        self.by_id.insert(topic.record.uuid(), topic);
    }

    fn remove(&mut self, name: &str) {
        if let Some(topic) = self.by_name.remove(name) {
            self.by_id.remove(&topic.record.uuid());
        }
    }
}

/// The topics of a broker.
pub(crate) struct Topics {
    kv: Arc<dyn Kv>,
    /// What its partitions share.
    env: Arc<Env>,
    /// What a topic's keys are worth that nobody set on it.
    defaults: Arc<ArcSwap<BrokerConfig>>,
    image: ArcSwap<Image>,
    /// Held by whoever changes the image, across the store's commit.
    writer: Mutex<()>,
}

impl Topics {
    /// Every stored topic.
    pub(crate) async fn load(env: Arc<Env>, defaults: Arc<ArcSwap<BrokerConfig>>) -> Result<Self> {
        let kv = env.shard.kv.clone();
        let records = topics::load(kv.as_ref()).await?;
        let topics = Topics {
            kv,
            env,
            defaults,
            image: ArcSwap::default(),
            writer: Mutex::new(()),
        };
        let mut image = Image::default();
        for record in records {
            image.insert(topics.topic(record, &[]));
        }
        topics.image.store(Arc::new(image));
        Ok(topics)
    }

    /// The topics now.
    pub(crate) fn image(&self) -> Arc<Image> {
        self.image.load_full()
    }

    /// Stores topics that are new, all in one step, and shows them. Answers the ids of those whose names were free.
    pub(crate) async fn create(&self, records: Vec<TopicRecord>) -> Result<HashSet<[u8; 16]>> {
        let _writer = self.writer.lock().await;
        let mut names = HashSet::new();
        let image = self.image();
        let mut free =
            |record: &TopicRecord| image.get(&record.name).is_none() && names.insert(record.name.clone());
        let mut records: Vec<_> = records.into_iter().filter(&mut free).collect();
        for record in &mut records {
            record.made_under.insert(0, self.env.shard.lease.epoch());
        }
        let made = records.iter().map(|record| record.id).collect();
        if !records.is_empty() {
            topics::save(self.kv.as_ref(), &records).await?;
            self.show(|image| {
                for record in records {
                    image.insert(self.topic(record, &[]));
                }
            });
        }
        Ok(made)
    }

    /// Stores and shows `change` of the topic `name`: of its configuration, or more partitions.
    /// `None`: there is no such topic, or `change` did not want to.
    pub(crate) async fn update(
        &self,
        name: &str,
        change: impl FnOnce(&mut TopicRecord) -> bool,
    ) -> Result<Option<()>> {
        let _writer = self.writer.lock().await;
        let Some(topic) = self.image().get(name).cloned() else {
            return Ok(None);
        };
        let mut record = topic.record.clone();
        if !change(&mut record) {
            return Ok(None);
        }
        if record.partitions > topic.record.partitions {
            let lease = self.env.shard.lease.epoch();
            record.made_under.insert(topic.record.partitions, lease);
        }
        topics::save(self.kv.as_ref(), std::slice::from_ref(&record)).await?;
        self.show(|image| image.insert(self.topic(record, &topic.partitions)));
        Ok(Some(()))
    }

    /// Forgets topics by their ids, all in one step, and answers those that were there; their partitions are the
    /// caller's to remove.
    pub(crate) async fn remove(&self, ids: &[Uuid]) -> Result<Vec<Arc<Topic>>> {
        let _writer = self.writer.lock().await;
        let image = self.image();
        let gone: Vec<_> = ids.iter().filter_map(|id| image.by_id(id).cloned()).collect();
        let names = || gone.iter().map(|topic| topic.record.name.as_str());
        if !gone.is_empty() {
            topics::remove(self.kv.as_ref(), names()).await?;
            self.show(|image| names().for_each(|name| image.remove(name)));
        }
        Ok(gone)
    }

    /// Looks at the broker's configuration again, which changed.
    pub(crate) async fn reconfigure(&self) {
        let _writer = self.writer.lock().await;
        self.show(|image| {
            for topic in self.image().iter() {
                image.insert(self.topic(topic.record.clone(), &topic.partitions));
            }
        });
    }

    /// A topic over the `partitions` it had before, which are told of its configuration.
    fn topic(&self, record: TopicRecord, partitions: &[Arc<Partition>]) -> Topic {
        let config = Arc::new(TopicConfig::resolve(&record.config, &self.defaults.load()));
        let policy = Arc::new(Policy::from(config.as_ref()));
        for partition in partitions {
            partition.configure(policy.clone());
        }
        let name: Arc<str> = record.name.as_str().into();
        let lease = self.env.shard.lease.epoch();
        let made = |index| {
            let named = Named {
                topic: name.clone(),
                topic_id: record.uuid(),
                index,
                leader_epoch: record.leader_epoch(index, lease),
            };
            Partition::new(self.env.clone(), named, policy.clone())
        };
        let first_new = i32::try_from(partitions.len()).unwrap_or(i32::MAX);
        let partitions = partitions
            .iter()
            .cloned()
            .chain((first_new..record.partitions).map(made))
            .collect();
        Topic {
            record,
            config,
            partitions,
        }
    }

    fn show(&self, change: impl FnOnce(&mut Image)) {
        let mut image = Image::clone(&self.image());
        change(&mut image);
        self.image.store(Arc::new(image));
    }
}
