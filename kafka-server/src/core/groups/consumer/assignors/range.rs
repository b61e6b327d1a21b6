//! Each topic is cut into runs of partitions, one for each member that subscribes to it.

use super::{Assignment, Spec};
use std::collections::BTreeMap;
use uuid::Uuid;

/// One topic while it is handed out.
struct Topic {
    quota: i32,
    /// Members that get one more.
    extra: i32,
    next: i32,
}

/// Targets, in the order of `members`. Static members come first, so that theirs stay when others change.
pub(super) fn assign(members: &[Spec<'_>], partitions: &BTreeMap<Uuid, i32>) -> Vec<Assignment> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|at| {
        let member = &members[*at];
        let by_instance = member.instance_id.map_or("", |id| id);
        (member.instance_id.is_none(), by_instance, &**member.id)
    });
    let mut topics: BTreeMap<Uuid, Topic> = partitions
        .iter()
        .map(|(id, count)| {
            let subscribers = members.iter().filter(|member| member.topics.contains(id)).count();
            let subscribers = i32::try_from(subscribers).unwrap_or(i32::MAX).max(1);
            (
                *id,
                Topic {
                    quota: count / subscribers,
                    extra: count % subscribers,
                    next: 0,
                },
            )
        })
        .collect();
    let mut assigned = vec![Assignment::new(); members.len()];
    for at in order {
        for id in &members[at].topics {
            let Some(topic) = topics.get_mut(id) else {
                continue;
            };
            let more = i32::from(topic.extra > 0);
            topic.extra -= more;
            let end = topic.next + topic.quota + more;
            if topic.next < end {
                assigned[at].insert(*id, (topic.next..end).collect());
            }
            topic.next = end;
        }
    }
    assigned
}
