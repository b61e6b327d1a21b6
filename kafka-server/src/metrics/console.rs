//! What the console shows of a broker.

use super::{Metrics, TABLE, contents};
use crate::{broker::Broker, groups::Listed, partition::Partition, topics::Image};
use server_kit::{
    Latency,
    console::{Cell, Section, Table, Unit, View},
};
use std::sync::{
    Arc, Weak,
    atomic::{AtomicUsize, Ordering},
};

/// Partitions that are opened at the most, in all, because somebody looks.
const OPENED_MAX: usize = 1000;

/// The section of a broker, as long as there is one.
pub(crate) fn section(broker: &Arc<Broker>, metrics: &Arc<Metrics>) -> Section {
    let (broker, metrics) = (Arc::downgrade(broker), metrics.clone());
    let opened = Arc::<AtomicUsize>::default();
    Section::new("kafka", "Kafka", move || {
        shown(broker.clone(), metrics.clone(), opened.clone())
    })
}

async fn shown(broker: Weak<Broker>, metrics: Arc<Metrics>, opened: Arc<AtomicUsize>) -> View {
    let mut view = View::default();
    let Some(broker) = broker.upgrade() else {
        return view;
    };
    let image = broker.topics.image();
    let partitions: usize = image.iter().map(|topic| topic.partitions.len()).sum();
    view.fact("connections", Unit::Count, metrics.connections.open());
    metrics.traffic.show(&mut view);
    view.fact("topics", Unit::Count, image.iter().count());
    view.fact("partitions", Unit::Count, partitions);
    view.fact("cluster", Unit::Text, broker.cluster_id.as_str());
    view.table(brokers(&broker));
    view.table(topics(&broker, &image));
    view.table(groups(&broker, &image, &opened).await);
    let asked = TABLE
        .iter()
        .zip(&metrics.apis)
        .map(|(api, counted)| (api.name, &counted.latency));
    view.table(Latency::table("call", asked));
    view
}

fn brokers(broker: &Broker) -> Table {
    let columns = [
        ("broker", Unit::Text),
        ("listeners", Unit::Text),
        ("rack", Unit::Text),
        ("data", Unit::Text),
    ];
    let mut table = Table::new("Brokers", "None.", &columns);
    let open = broker.listeners.open();
    let listeners: Vec<String> = open
        .iter()
        .map(|one| format!("{} {}", one.asked.name, one.listener.address()))
        .collect();
    table.push([
        broker.config.node_id.to_string().into(),
        listeners.join(", ").into(),
        broker.rack().into(),
        broker.log_dir().into(),
    ]);
    table
}

fn topics(broker: &Broker, image: &Image) -> Table {
    let columns = [
        ("topic", Unit::Text),
        ("partitions", Unit::Count),
        ("records in", Unit::Rate),
        ("in", Unit::ByteRate),
        ("out", Unit::ByteRate),
        ("held", Unit::Bytes),
    ];
    let mut table = Table::new("Topics", "None yet: the first record makes one.", &columns);
    for (name, traffic) in contents::topics(broker) {
        let partitions = image.get(&name).map(|topic| topic.partitions.len());
        table.push([
            (&*name).into(),
            partitions.into(),
            traffic.records_in.into(),
            traffic.bytes_in.into(),
            traffic.bytes_out.into(),
            traffic.bytes_held.into(),
        ]);
    }
    table
}

async fn groups(broker: &Broker, image: &Image, opened: &AtomicUsize) -> Table {
    let columns = [
        ("group", Unit::Text),
        ("state", Unit::Text),
        ("protocol", Unit::Text),
        ("members", Unit::Count),
        ("reads", Unit::Text),
        ("lag, records", Unit::Count),
    ];
    let mut table = Table::new("Groups", "None yet.", &columns);
    let ids = broker.groups.ids();
    let count = ids.len();
    for (at, id) in ids.into_iter().enumerate() {
        // Only who is shown is asked: a group that is at work waits for whoever looks.
        if !table.has_room() {
            table.and_more(count - at);
            break;
        }
        let Some(group) = broker.groups.listed(id).await else {
            continue;
        };
        let (topics, lag) = lag(broker, image, &group, opened).await;
        table.push([
            (&*group.id).into(),
            group.state.into(),
            group.kind.into(),
            group.members.into(),
            topics.into(),
            lag,
        ]);
    }
    table
}

/// The topics that a group has committed offsets of, and how many records come after those.
async fn lag(broker: &Broker, image: &Image, group: &Listed, opened: &AtomicUsize) -> (String, Cell) {
    let Ok(fetched) = broker.groups.fetch(&group.id, None, None, false).await else {
        return (String::new(), Cell::NONE);
    };
    let names: Vec<&str> = fetched.iter().map(|(name, _)| &**name).collect();
    let (names, mut behind) = (names.join(", "), None);
    for (name, partitions) in &fetched {
        for (index, committed) in partitions {
            let committed = committed.as_ref().ok().and_then(Option::as_ref);
            let partition = image.get(name).and_then(|topic| topic.partition(*index));
            if let Some((partition, committed)) = partition.zip(committed)
                && let Some(end) = end(partition, opened).await
            {
                let committed = u64::try_from(committed.offset).unwrap_or(0);
                *behind.get_or_insert(0) += end.saturating_sub(committed);
            }
        }
    }
    (names, behind.into())
}

/// Where a partition ends for those who read it.
async fn end(partition: &Partition, opened: &AtomicUsize) -> Option<u64> {
    if partition.opened().is_none() && opened.fetch_add(1, Ordering::Relaxed) >= OPENED_MAX {
        return None;
    }
    Some(partition.open().await.ok()?.high_watermark())
}

#[cfg(test)]
mod tests;
