use super::{
    nodes::{escaped, unescaped},
    *,
};
use crate::core::master::Quota;
use mesos_proto::v1::{AgentId, DurationInfo, TimeInfo, Unavailability, maintenance::Window};
use std::collections::BTreeMap;

fn agent(id: &str) -> Box<AgentInfo> {
    Box::new(AgentInfo {
        hostname: "h".to_owned(),
        port: Some(5051),
        id: Some(AgentId { value: id.to_owned() }),
        ..AgentInfo::default()
    })
}

#[tokio::test]
async fn what_was_stored_is_there_for_the_next_master() {
    let kv = storage::memory::Store::new(None).open().kv;
    let registry = Registry::own(kv, Durability::Written);
    let machine = MachineId {
        hostname: Some("h".to_owned()),
        ip: None,
    };
    let schedule = Schedule {
        windows: vec![Window {
            machine_ids: vec![machine.clone()],
            unavailability: Unavailability {
                start: TimeInfo { nanoseconds: 5 },
                duration: Some(DurationInfo { nanoseconds: 7 }),
            },
        }],
    };
    let kept = Kept {
        deactivated: true,
        drain: None,
    };
    let (down, since) = (vec![machine], Duration::from_secs(9));
    let changes = [
        Change::Admitted {
            info: agent("a"),
            kept: kept.clone(),
        },
        Change::Admitted {
            info: agent("b"),
            kept: kept.clone(),
        },
        Change::Unreachable {
            agent: "b".to_owned(),
            since,
            kept: kept.clone(),
        },
        Change::Gone {
            agent: "c".to_owned(),
            since,
        },
        Change::Gone {
            agent: "d".to_owned(),
            since,
        },
        Change::Forgotten {
            agent: "d".to_owned(),
        },
        Change::Weights(BTreeMap::from([("web".to_owned(), 2.5)])),
        Change::Quotas(BTreeMap::from([("web".to_owned(), Quota::default())])),
        Change::Maintenance {
            schedule: schedule.clone(),
            down: down.clone(),
        },
    ];
    registry.store(&changes).await.unwrap();
    let all = registry.load().await.unwrap();
    assert_eq!(all.unreachable, [("b".to_owned(), since, kept.clone())]);
    assert_eq!(all.admitted, [(*agent("a"), kept)]);
    assert_eq!(all.gone, [("c".to_owned(), since)]);
    assert_eq!(all.weights, BTreeMap::from([("web".to_owned(), 2.5)]));
    assert_eq!(all.quotas.len(), 1);
    assert_eq!((all.schedule, all.down), (schedule, down));
}

#[test]
fn any_name_can_be_that_of_a_node() {
    for name in ["a-S0", "..", "a/b%c", "ä", ""] {
        assert_eq!(unescaped(&escaped(name)), name);
    }
    assert_eq!(escaped("a/."), "a%2f%2e");
}
