use super::*;
use crate::core::groups::{
    classic::{JoinRequest, LeaveRequest, Protocol, SyncRequest},
    consumer::{Assignment, Beat, EPOCH_JOIN, EPOCH_LEAVE, assignors::Assignor},
};
use bytes::{BufMut, Bytes};
use std::collections::BTreeMap;
use uuid::Uuid;

const NOW: Now = Now {
    elapsed_ms: 0,
    wall_ms: 0,
};
const LIMITS: ClassicLimits = ClassicLimits {
    initial_rebalance_delay_ms: 0,
    members_max: 10,
};
const TOPIC: Uuid = Uuid::from_bytes([1; 16]);

/// One topic `a` of four partitions.
struct Topics;

impl Catalog for Topics {
    fn topic(&self, name: &str) -> Option<(Uuid, i32)> {
        (name == "a").then_some((TOPIC, 4))
    }

    fn names(&self) -> Vec<&str> {
        vec!["a"]
    }
}

fn limits() -> ConsumerLimits {
    ConsumerLimits {
        session_timeout_ms: 45_000,
        heartbeat_interval_ms: 5_000,
        assignment_interval_ms: 0,
        members_max: 10,
        assignors: vec![Assignor::Uniform],
    }
}

/// A subscription of version 1 to topic `a`.
fn subscription(owned: &[i32]) -> Bytes {
    let mut bytes = Vec::new();
    bytes.put_i16(1);
    bytes.put_i32(1);
    bytes.put_i16(1);
    bytes.put_u8(b'a');
    bytes.put_i32(-1);
    bytes.put_i32(1);
    bytes.put_i16(1);
    bytes.put_u8(b'a');
    bytes.put_i32(owned.len() as i32);
    owned.iter().for_each(|index| bytes.put_i32(*index));
    Bytes::from(bytes)
}

fn stored(id: &str, indexes: &[i32]) -> MemberRecord {
    let assigned = vec![("a".to_owned(), indexes.to_vec())];
    MemberRecord {
        id: id.to_owned(),
        instance_id: None,
        client_id: String::new(),
        client_host: String::new(),
        rebalance_timeout_ms: 60_000,
        session_timeout_ms: 45_000,
        metadata: subscription(indexes).to_vec(),
        assignment: consumer_protocol::write_assignment(1, &assigned).to_vec(),
    }
}

fn classic() -> ClassicGroup {
    let record = ClassicRecord {
        generation: 7,
        protocol_type: Some(CONSUMER.to_owned()),
        protocol: Some("cooperative-sticky".to_owned()),
        leader: Some("c1".to_owned()),
        state_since_ms: None,
        members: vec![stored("c1", &[0, 1]), stored("c2", &[2, 3])],
    };
    ClassicGroup::restore(NOW, LIMITS, record)
}

fn upgraded() -> ConsumerGroup {
    let (mut out, mut dirty) = (Vec::new(), Dirty::default());
    let group = ConsumerGroup::from_classic(
        NOW,
        "group".into(),
        limits(),
        &mut classic(),
        &Topics,
        &mut out,
        &mut dirty,
    );
    assert!(dirty.header && dirty.members.len() == 2);
    group.expect("consumers can be understood")
}

fn join(group: &mut ConsumerGroup, id: &str, owned: &[i32]) -> i32 {
    let request = JoinRequest {
        token: 0,
        member_id: id.into(),
        instance_id: None,
        client_id: "".into(),
        client_host: "".into(),
        new_id: "new".into(),
        session_timeout_ms: 45_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: CONSUMER.into(),
        protocols: vec![Protocol {
            name: "cooperative-sticky".into(),
            metadata: subscription(owned),
        }],
        member_id_required: true,
        can_skip_assignment: true,
    };
    group
        .join_classic(NOW, &request, &Topics, false, &mut Dirty::default())
        .expect("joins")
        .generation
}

fn sync(group: &mut ConsumerGroup, id: &str, generation: i32) -> Vec<i32> {
    let request = SyncRequest {
        token: 0,
        member_id: id.into(),
        instance_id: None,
        generation,
        protocol_type: Some(CONSUMER.into()),
        protocol: Some("cooperative-sticky".into()),
        assignments: BTreeMap::new(),
    };
    let synced = group.sync_classic(NOW, &request).expect("syncs");
    let assigned = consumer_protocol::read_assignment(&synced.assignment).expect("an assignment");
    assigned.into_iter().flat_map(|(_, indexes)| indexes).collect()
}

fn beat(group: &mut ConsumerGroup, id: &str, epoch: i32) -> (i32, Option<Assignment>) {
    let beat = Beat {
        member_id: id.into(),
        epoch,
        rebalance_timeout_ms: Some(60_000),
        names: (epoch == EPOCH_JOIN).then(|| ["a".into()].into()),
        owned: (epoch == EPOCH_JOIN).then(Assignment::new),
        ..Beat::default()
    };
    let answer = group
        .heartbeat(NOW, &beat, &Topics, false, &mut Dirty::default())
        .expect("is in");
    (answer.epoch, answer.assignment)
}

#[test]
fn a_live_group_is_upgraded_one_member_at_a_time() {
    let mut group = upgraded();
    let (epoch, assigned) = beat(&mut group, "k1", EPOCH_JOIN);
    assert_eq!((epoch, assigned), (8, Some(Assignment::new())));
    let asked = group.heartbeat_classic(NOW, &"c1".into(), None, 7);
    assert_eq!(asked, Err(ResponseError::RebalanceInProgress));
    // c1 keeps two of four partitions, c2 gives one up for the new member.
    let generation = join(&mut group, "c1", &[0, 1]);
    assert_eq!(sync(&mut group, "c1", generation), [0, 1]);
    let generation = join(&mut group, "c2", &[2, 3]);
    assert_eq!(generation, 7, "it must give up first");
    assert_eq!(sync(&mut group, "c2", generation), [2]);
    assert_eq!(
        group.heartbeat_classic(NOW, &"c2".into(), None, 7),
        Err(ResponseError::RebalanceInProgress)
    );
    assert_eq!(join(&mut group, "c2", &[2]), 8);
    assert_eq!(sync(&mut group, "c2", 8), [2]);
    let (epoch, assigned) = beat(&mut group, "k1", 8);
    assert_eq!((epoch, assigned), (8, Some([(TOPIC, [3].into())].into())));
    assert_eq!(group.heartbeat_classic(NOW, &"c1".into(), None, 8), Ok(()));
    assert_eq!(group.state(), "Stable");
}

#[test]
fn a_group_is_downgraded_when_its_last_new_member_leaves() {
    let mut group = upgraded();
    beat(&mut group, "k1", EPOCH_JOIN);
    let (mut out, mut dirty) = (Vec::new(), Dirty::default());
    assert!(group.to_classic(NOW, LIMITS, &mut out, &mut dirty).is_none());
    let leave = Beat {
        member_id: "k1".into(),
        epoch: EPOCH_LEAVE,
        ..Beat::default()
    };
    group
        .heartbeat(NOW, &leave, &Topics, false, &mut dirty)
        .expect("leaves");
    let classic = group
        .to_classic(NOW, LIMITS, &mut out, &mut dirty)
        .expect("is classic again");
    assert_eq!(classic.state(), classic::State::PreparingRebalance);
    assert_eq!(classic.members().count(), 2);
    assert_eq!(classic.generation(), 7, "what its members were told last");
    assert!(dirty.header && dirty.members.len() == 3);
}

#[test]
fn members_of_the_classic_protocol_leave() {
    let mut group = upgraded();
    beat(&mut group, "k1", EPOCH_JOIN);
    let leaving = [LeaveRequest {
        member_id: "c1".into(),
        instance_id: None,
    }];
    assert_eq!(group.leave_classic(&leaving, &mut Dirty::default()), [Ok(())]);
    assert_eq!(
        group.leave_classic(&leaving, &mut Dirty::default()),
        [Err(ResponseError::UnknownMemberId)]
    );
}

#[test]
fn assignments_are_written_as_they_are_read() {
    let assigned = vec![("a".to_owned(), vec![0, 3]), ("b".to_owned(), vec![])];
    let bytes = consumer_protocol::write_assignment(3, &assigned);
    assert_eq!(consumer_protocol::read_assignment(&bytes), Some(assigned));
    assert_eq!(
        consumer_protocol::read_assignment(&bytes[..bytes.len() - 8]),
        None
    );
    let said = consumer_protocol::read_subscription(&subscription(&[5])).expect("a subscription");
    assert_eq!(
        (said.topics, said.owned),
        (vec!["a".to_owned()], vec![("a".to_owned(), vec![5])])
    );
}
