use super::Part;
use crate::{
    partition::{Partition, Waiter},
    wire::messages::FetchRequest,
};
use indexmap::IndexMap;
use std::sync::Arc;
use uuid::Uuid;

/// The first version that names topics by id.
const TOPIC_IDS_FROM: i16 = 13;

/// How a client names a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum TopicKey {
    Name(Arc<str>),
    Id(Uuid),
}

impl TopicKey {
    pub(super) fn name(&self) -> &str {
        match self {
            TopicKey::Name(name) => name,
            TopicKey::Id(_) => "",
        }
    }

    pub(super) fn id(&self) -> Uuid {
        match self {
            TopicKey::Name(_) => Uuid::nil(),
            TopicKey::Id(id) => *id,
        }
    }
}

/// One partition that a client reads.
pub(super) struct Reading {
    pub(super) offset: i64,
    pub(super) bytes_max: i32,
    pub(super) leader_epoch: i32,
    pub(super) last_fetched_epoch: i32,
    /// High watermark and log start as the client knows them.
    pub(super) told: Option<(i64, i64)>,
    /// Where it is, once found.
    pub(super) partition: Option<Arc<Partition>>,
}

/// All that a client reads: of one request, or of a session.
pub(crate) struct Interest {
    by_id: bool,
    pub(super) partitions: IndexMap<(TopicKey, i32), Reading, foldhash::fast::RandomState>,
    /// Where the next answer begins, so that each partition has its turn.
    pub(super) turn: usize,
    waiter: Arc<Waiter>,
}

impl Interest {
    pub(super) fn of(version: i16) -> Self {
        Interest {
            by_id: version >= TOPIC_IDS_FROM,
            partitions: IndexMap::default(),
            turn: 0,
            waiter: Arc::new(Waiter::default()),
        }
    }

    /// Whether requests of `version` name topics as this interest does.
    pub(super) fn is_named_as_in(&self, version: i16) -> bool {
        self.by_id == (version >= TOPIC_IDS_FROM)
    }

    pub(super) fn len(&self) -> usize {
        self.partitions.len()
    }

    pub(super) fn waiter(&self) -> Arc<Waiter> {
        self.waiter.clone()
    }

    /// Adds what `request` names, or moves it to where the request says.
    pub(super) fn update(&mut self, request: &FetchRequest) {
        for topic in &request.topics {
            let key = self.key(&topic.topic, topic.topic_id);
            for wanted in &topic.partitions {
                let reading = self
                    .partitions
                    .entry((key.clone(), wanted.partition))
                    .or_insert_with(|| Reading {
                        offset: 0,
                        bytes_max: 0,
                        leader_epoch: -1,
                        last_fetched_epoch: -1,
                        told: None,
                        partition: None,
                    });
                reading.offset = wanted.fetch_offset;
                reading.bytes_max = wanted.partition_max_bytes;
                reading.leader_epoch = wanted.current_leader_epoch;
                reading.last_fetched_epoch = wanted.last_fetched_epoch;
            }
        }
    }

    /// Takes out what `request` says is read no more.
    pub(super) fn forget(&mut self, request: &FetchRequest) {
        for topic in &request.forgotten_topics_data {
            let key = self.key(&topic.topic, topic.topic_id);
            for index in &topic.partitions {
                self.partitions.swap_remove(&(key.clone(), *index));
            }
        }
        if self.turn >= self.partitions.len() {
            self.turn = 0;
        }
    }

    fn key(&self, name: &str, id: Uuid) -> TopicKey {
        match self.by_id {
            true => TopicKey::Id(id),
            false => TopicKey::Name(name.into()),
        }
    }

    /// Notes what the client is told of the partition at `at`; answers its topic.
    pub(super) fn told(&mut self, at: usize, part: &Part) -> Option<&TopicKey> {
        let count = self.partitions.len();
        let ((key, _), reading) = self.partitions.get_index_mut(at)?;
        // After an error anything is news.
        reading.told = (part.error_code == 0).then_some((part.high_watermark, part.log_start_offset));
        if part.records_bytes > 0 {
            self.turn = (at + 1) % count;
        }
        Some(key)
    }
}
