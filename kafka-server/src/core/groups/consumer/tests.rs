use super::*;
use proptest::prelude::*;

const SESSION_MS: i32 = 45_000;
const REBALANCE_MS: i32 = 60_000;

/// Topics by name; the id is made of the first letter.
struct Topics(BTreeMap<String, i32>);

impl Catalog for Topics {
    fn topic(&self, name: &str) -> Option<(Uuid, i32)> {
        self.0.get(name).map(|count| (id_of(name), *count))
    }

    fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

fn id_of(name: &str) -> Uuid {
    Uuid::from_bytes([name.as_bytes()[0]; 16])
}

/// A group, its clock, and the topics there are.
struct Bench {
    group: ConsumerGroup,
    now: Now,
    topics: Topics,
    changed: bool,
}

impl Bench {
    fn new() -> Self {
        let limits = ConsumerLimits {
            session_timeout_ms: SESSION_MS,
            heartbeat_interval_ms: 5_000,
            assignment_interval_ms: 0,
            members_max: 5,
            assignors: vec![Assignor::Uniform, Assignor::Range],
        };
        Bench {
            group: ConsumerGroup::new("group".into(), limits),
            now: Now {
                elapsed_ms: 0,
                wall_ms: 0,
            },
            topics: Topics([("a".to_owned(), 4), ("b".to_owned(), 2)].into()),
            changed: true,
        }
    }

    fn beat(&mut self, beat: &Beat) -> Result<BeatAnswer, ResponseError> {
        let changed = std::mem::take(&mut self.changed);
        let mut dirty = Dirty::default();
        let answer = self
            .group
            .heartbeat(self.now, beat, &self.topics, changed, &mut dirty);
        self.check();
        answer.map_err(|error| error.code)
    }

    /// The invariant of the group.
    fn check(&self) {
        let mut held = BTreeSet::new();
        for member in self.group.members.values() {
            for (topic, indexes) in member.assigned.iter().chain(&member.revoking) {
                assert!(
                    indexes.iter().all(|index| held.insert((*topic, *index))),
                    "a partition of two members"
                );
            }
        }
        assert_eq!(held, self.group.holders.keys().copied().collect());
    }

    fn join(&mut self, id: &str) -> BeatAnswer {
        self.beat(&join(id)).expect("joins")
    }

    fn alive(&mut self, id: &str, epoch: i32, owned: &[i32]) -> Result<BeatAnswer, ResponseError> {
        let owned = Some([(id_of("a"), owned.iter().copied().collect())].into());
        self.beat(&Beat {
            member_id: id.into(),
            epoch,
            owned,
            ..Beat::default()
        })
    }
}

fn join(id: &str) -> Beat {
    Beat {
        member_id: id.into(),
        epoch: EPOCH_JOIN,
        rebalance_timeout_ms: Some(REBALANCE_MS),
        names: Some(["a".into()].into()),
        owned: Some(Assignment::new()),
        ..Beat::default()
    }
}

fn indexes(answer: &BeatAnswer) -> Vec<i32> {
    let assigned = answer.assignment.as_ref().expect("an assignment");
    assigned.values().flatten().copied().collect()
}

#[test]
fn partitions_are_given_up_before_they_are_given() {
    let mut bench = Bench::new();
    let first = bench.join("m1");
    assert_eq!((first.epoch, indexes(&first)), (2, vec![0, 1, 2, 3]));
    let second = bench.join("m2");
    assert_eq!((second.epoch, indexes(&second)), (3, vec![]));
    assert_eq!(bench.group.state(), "Reconciling");
    let asked = bench.alive("m1", 2, &[0, 1, 2, 3]).unwrap();
    assert_eq!((asked.epoch, indexes(&asked)), (2, vec![0, 1]));
    assert_eq!(
        bench.alive("m2", 3, &[]).unwrap().assignment,
        None,
        "they are not free yet"
    );
    assert_eq!(bench.alive("m1", 2, &[0, 1]).unwrap().epoch, 3);
    assert_eq!(indexes(&bench.alive("m2", 3, &[]).unwrap()), [2, 3]);
    assert_eq!(bench.group.state(), "Stable");
}

#[test]
fn a_member_that_does_not_give_up_is_put_out() {
    let mut bench = Bench::new();
    bench.join("m1");
    bench.join("m2");
    bench.alive("m1", 2, &[0, 1, 2, 3]).unwrap();
    for _ in 0..4 {
        bench.now.elapsed_ms += i64::from(REBALANCE_MS) / 4;
        let _ = bench.alive("m2", 3, &[]);
        let _ = bench.alive("m1", 2, &[0, 1, 2, 3]);
    }
    bench.group.tick(bench.now, &mut Dirty::default());
    assert_eq!(bench.alive("m1", 2, &[0, 1]), Err(ResponseError::UnknownMemberId));
    assert_eq!(indexes(&bench.alive("m2", 3, &[]).unwrap()), [0, 1, 2, 3]);
}

#[test]
fn a_static_member_comes_back_to_its_partitions() {
    let mut bench = Bench::new();
    let instance = |id: &str, epoch| Beat {
        instance_id: Some("one".into()),
        epoch,
        ..join(id)
    };
    bench.beat(&instance("m1", EPOCH_JOIN)).unwrap();
    bench.join("m2");
    assert_eq!(
        bench.beat(&instance("m3", EPOCH_JOIN)),
        Err(ResponseError::UnreleasedInstanceId)
    );
    assert_eq!(
        bench.beat(&instance("m3", 2)),
        Err(ResponseError::FencedInstanceId)
    );
    let left = Beat {
        member_id: "m1".into(),
        ..instance("m1", EPOCH_LEAVE_STATIC)
    };
    assert_eq!(bench.beat(&left).unwrap().epoch, EPOCH_LEAVE_STATIC);
    let epoch = bench.group.epoch();
    let back = bench.beat(&instance("m3", EPOCH_JOIN)).unwrap();
    assert_eq!(bench.group.epoch(), epoch, "nobody else is disturbed");
    assert_eq!((back.epoch, indexes(&back)), (epoch, vec![0, 1]));
}

#[test]
fn epochs_fence() {
    let mut bench = Bench::new();
    bench.join("m1");
    assert_eq!(bench.alive("m1", 7, &[]), Err(ResponseError::FencedMemberEpoch));
    assert_eq!(bench.alive("m9", 1, &[]), Err(ResponseError::UnknownMemberId));
    assert_eq!(
        bench.group.validate_commit("m1", 3, false).unwrap_err().code,
        ResponseError::StaleMemberEpoch
    );
    assert!(bench.group.validate_commit("m1", 2, false).is_ok());
    assert_eq!(
        bench.group.validate_commit("m1", 2, true).unwrap_err().code,
        ResponseError::UnsupportedVersion
    );
}

#[test]
fn expressions_follow_the_topics() {
    let mut bench = Bench::new();
    let regex = |text: &str| Beat {
        names: None,
        regex: Some(text.into()),
        ..join("m1")
    };
    assert_eq!(
        bench.beat(&regex("(")),
        Err(ResponseError::InvalidRegularExpression)
    );
    assert_eq!(indexes(&bench.beat(&regex("a.*")).unwrap()), [0, 1, 2, 3]);
    bench.topics.0.insert("ab".to_owned(), 1);
    bench.topics.0.remove("a");
    bench.changed = true;
    let after = bench.alive("m1", 2, &[0, 1, 2, 3]).unwrap();
    assert_eq!(indexes(&after), [0], "whole names must match");
}

#[test]
fn a_stored_group_goes_on_where_it_was() {
    let mut bench = Bench::new();
    bench.join("m1");
    bench.join("m2");
    bench.alive("m1", 2, &[0, 1, 2, 3]).unwrap();
    let ids = ["m1", "m2"];
    let members = ids
        .map(|id| (Arc::from(id), bench.group.member_record(id).expect("a member")))
        .into();
    let record = bench.group.record();
    let limits = bench.group.limits.clone();
    bench.group = ConsumerGroup::restore(bench.now, "group".into(), limits, record, members);
    bench.changed = true;
    assert_eq!(bench.alive("m1", 2, &[0, 1]).unwrap().epoch, 3);
    assert_eq!(indexes(&bench.alive("m2", 3, &[]).unwrap()), [2, 3]);
    assert_eq!(bench.group.epoch(), 3);
}

#[test]
fn who_comes_soon_after_an_assignment_waits_for_the_next_one() {
    let mut bench = Bench::new();
    bench.group.limits.assignment_interval_ms = 1_000;
    assert_eq!(bench.join("m1").epoch, 2, "the first one is made at once");
    let second = bench.join("m2");
    assert_eq!((second.epoch, indexes(&second)), (2, vec![]));
    assert_eq!(bench.group.state(), "Assigning");
    bench.now.elapsed_ms += 999;
    assert_eq!(bench.alive("m1", 2, &[0, 1, 2, 3]).unwrap().assignment, None);
    bench.now.elapsed_ms += 1;
    let asked = bench.alive("m1", 2, &[0, 1, 2, 3]).unwrap();
    assert_eq!((asked.epoch, indexes(&asked)), (2, vec![0, 1]));
    assert_eq!(bench.alive("m1", 2, &[0, 1]).unwrap().epoch, 3);
    assert_eq!(indexes(&bench.alive("m2", 2, &[]).unwrap()), [2, 3]);
    assert_eq!(bench.group.state(), "Stable");
}

#[test]
fn what_is_no_longer_read_is_given_up_before_the_next_assignment() {
    let mut bench = Bench::new();
    bench.group.limits.assignment_interval_ms = 1_000;
    bench.join("m1");
    let reads_b = Beat {
        epoch: 2,
        names: Some(["b".into()].into()),
        owned: None,
        rebalance_timeout_ms: None,
        ..join("m1")
    };
    let asked = bench.beat(&reads_b).unwrap();
    assert_eq!((asked.epoch, indexes(&asked)), (2, vec![]));
    assert_eq!(bench.alive("m1", 2, &[]).unwrap().assignment, None);
    assert_eq!(bench.group.state(), "Assigning");
    bench.now.elapsed_ms += 1_000;
    let after = bench.alive("m1", 2, &[]).unwrap();
    assert_eq!((after.epoch, indexes(&after)), (3, vec![0, 1]));
    assert_eq!(bench.group.state(), "Stable");
}

/// A client as the protocol asks it to be: it drops what it is no longer assigned when it says so.
#[derive(Default)]
struct Client {
    epoch: i32,
    owned: Assignment,
    assigned: Assignment,
}

proptest! {
    /// Whoever comes, goes, falls silent or is slow: no two clients ever read the same partition, and when it is
    /// quiet again the group is stable and every partition is read.
    #[test]
    fn no_partition_is_read_twice(
        interval_ms in prop::sample::select(vec![0, 9_000, 20_000]),
        acts in prop::collection::vec((0..4usize, 0..6u8), 1..120),
    ) {
        let mut bench = Bench::new();
        bench.group.limits.assignment_interval_ms = interval_ms;
        let mut clients: Vec<Client> = (0..4).map(|_| Client::default()).collect();
        for (who, act) in acts {
            match act {
                0 => bench.now.elapsed_ms += 9_000,
                1 if clients[who].epoch > 0 => {
                    let id = format!("m{who}");
                    let leave = Beat { member_id: id.as_str().into(), epoch: EPOCH_LEAVE, ..Beat::default() };
                    prop_assert!(bench.beat(&leave).is_ok() || !bench.group.members.contains_key(&*id));
                    clients[who] = Client::default();
                }
                2 => {
                    let count = bench.topics.0.entry("a".to_owned()).or_default();
                    *count = (*count + 1).min(9);
                    bench.changed = true;
                }
                _ => drive(&mut bench, &mut clients[who], who),
            }
            // A client that is not heard of for a session stops by itself, before the group gives its partitions away.
            let out: Vec<usize> = (0..4)
                .filter(|who| bench.group.members.get(format!("m{who}").as_str())
                    .is_none_or(|member| member.session_at_ms <= bench.now.elapsed_ms
                        || member.act_by_ms.is_some_and(|at| at <= bench.now.elapsed_ms)))
                .collect();
            out.into_iter().for_each(|who| clients[who] = Client::default());
            bench.group.tick(bench.now, &mut Dirty::default());
            bench.check();
            let mut read = BTreeSet::new();
            for client in &clients {
                for (topic, indexes) in &client.owned {
                    for index in indexes {
                        prop_assert!(read.insert((*topic, *index)), "read twice");
                    }
                }
            }
        }
        for _ in 0..12 {
            bench.now.elapsed_ms += i64::from(interval_ms) / 4;
            for (who, client) in clients.iter_mut().enumerate() {
                drive(&mut bench, client, who);
            }
        }
        prop_assert_eq!(bench.group.state(), "Stable");
        let read: usize = clients.iter().flat_map(|client| client.owned.values()).map(BTreeSet::len).sum();
        prop_assert_eq!(read, bench.topics.0["a"] as usize);
    }
}

fn drive(bench: &mut Bench, client: &mut Client, who: usize) {
    let id = format!("m{who}");
    // What it is no longer assigned it drops now.
    for (topic, indexes) in &mut client.owned {
        indexes.retain(|index| {
            client
                .assigned
                .get(topic)
                .is_some_and(|assigned| assigned.contains(index))
        });
    }
    let beat = match client.epoch {
        EPOCH_JOIN => join(&id),
        epoch => Beat {
            member_id: id.as_str().into(),
            epoch,
            owned: Some(client.owned.clone()),
            ..Beat::default()
        },
    };
    match bench.beat(&beat) {
        Ok(answer) => {
            client.epoch = answer.epoch;
            if let Some(assigned) = answer.assignment {
                for (topic, indexes) in &assigned {
                    client.owned.entry(*topic).or_default().extend(indexes);
                }
                client.assigned = assigned;
            }
        }
        Err(_) => *client = Client::default(),
    }
}
