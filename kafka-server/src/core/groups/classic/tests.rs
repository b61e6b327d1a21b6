use super::*;
use proptest::prelude::*;

const LIMITS: ClassicLimits = ClassicLimits {
    initial_rebalance_delay_ms: 3_000,
    members_max: 3,
};
const SESSION_MS: i32 = 10_000;
const REBALANCE_MS: i32 = 60_000;

/// A group, the clock it lives by, and every reply it owes.
struct Bench {
    group: ClassicGroup,
    now: Now,
    token: Token,
    open: BTreeSet<Token>,
    out: Vec<Effect>,
}

impl Bench {
    fn new(limits: ClassicLimits) -> Self {
        let now = Now {
            elapsed_ms: 0,
            wall_ms: 1_000_000,
        };
        Bench {
            group: ClassicGroup::new(limits),
            now,
            token: 0,
            open: BTreeSet::new(),
            out: Vec::new(),
        }
    }

    fn token(&mut self) -> Token {
        self.token += 1;
        self.open.insert(self.token);
        self.token
    }

    /// Every reply is sent once.
    fn settle(&mut self) -> Vec<Effect> {
        let out = std::mem::take(&mut self.out);
        for effect in &out {
            if let Effect::Join(token, _) | Effect::Sync(token, _) = effect {
                assert!(self.open.remove(token), "two replies to one request");
            }
        }
        out
    }

    fn pass(&mut self, ms: i64) -> Vec<Effect> {
        self.now.elapsed_ms += ms;
        self.now.wall_ms += ms;
        self.group.tick(self.now, &mut self.out);
        self.settle()
    }

    fn join(&mut self, id: &str, instance: Option<&str>, metadata: &'static str) -> Vec<Effect> {
        let token = self.token();
        let request = JoinRequest {
            token,
            member_id: id.into(),
            instance_id: instance.map(Arc::from),
            client_id: "client".into(),
            client_host: "/127.0.0.1".into(),
            new_id: format!("m{token}").into(),
            session_timeout_ms: SESSION_MS,
            rebalance_timeout_ms: REBALANCE_MS,
            protocol_type: CONSUMER.into(),
            protocols: vec![Protocol {
                name: "range".into(),
                metadata: Bytes::from_static(metadata.as_bytes()),
            }],
            member_id_required: false,
            can_skip_assignment: true,
        };
        self.group.join(self.now, request, &mut self.out);
        self.settle()
    }

    fn sync(&mut self, id: &str, generation: i32, assignments: &[(&str, &'static str)]) -> Vec<Effect> {
        let token = self.token();
        let request = SyncRequest {
            token,
            member_id: id.into(),
            instance_id: None,
            generation,
            protocol_type: None,
            protocol: None,
            assignments: assignments
                .iter()
                .map(|(id, assigned)| ((*id).to_owned(), Bytes::from_static(assigned.as_bytes())))
                .collect(),
        };
        self.group.sync(self.now, request, &mut self.out);
        self.settle()
    }

    /// A stable group of one: its member's id.
    fn stable(&mut self, instance: Option<&str>) -> Arc<str> {
        assert!(
            self.join("", instance, "a").is_empty(),
            "the initial delay holds the answer back"
        );
        let id = joined(&self.pass(3_000))[0].member_id.clone();
        let synced = self.sync(&id, self.group.generation(), &[(&id, "all")]);
        assert!(matches!(&synced[1], Effect::Sync(_, Ok(synced)) if synced.assignment == "all"));
        assert_eq!(synced[0], Effect::Save);
        id
    }
}

fn joined(effects: &[Effect]) -> Vec<&crate::core::groups::Joined> {
    let one = |effect| match effect {
        &Effect::Join(_, Ok(ref joined)) => Some(joined),
        _ => None,
    };
    effects.iter().filter_map(one).collect()
}

fn refused(effects: &[Effect]) -> Vec<ResponseError> {
    let one = |effect: &Effect| match effect {
        Effect::Join(_, Err(refused)) => Some(refused.code),
        Effect::Sync(_, Err(code)) => Some(*code),
        _ => None,
    };
    effects.iter().filter_map(one).collect()
}

#[test]
fn the_initial_delay_grows_while_members_come() {
    let mut bench = Bench::new(LIMITS);
    bench.join("", None, "a");
    bench.pass(2_000);
    bench.join("", None, "b");
    assert!(bench.pass(1_000).is_empty(), "a member came during the delay");
    let effects = bench.pass(3_000);
    let all = joined(&effects);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].members.len(), 2, "the leader is told of everybody");
    assert!(all[1].members.is_empty());
    assert_eq!(all[0].generation, 1);
}

#[test]
fn a_follower_that_joins_unchanged_while_stable_is_told_the_generation() {
    let mut bench = Bench::new(LIMITS);
    bench.join("", None, "a");
    bench.join("", None, "b");
    let effects = bench.pass(3_000);
    let effects = if effects.is_empty() {
        bench.pass(3_000)
    } else {
        effects
    };
    let ids: Vec<Arc<str>> = joined(&effects)
        .iter()
        .map(|joined| joined.member_id.clone())
        .collect();
    bench.sync(&ids[0], 1, &[]);
    bench.sync(&ids[1], 1, &[]);
    assert_eq!(bench.group.state(), State::Stable);
    assert_eq!(joined(&bench.join(&ids[1], None, "b"))[0].generation, 1);
    assert_eq!(bench.group.state(), State::Stable);
    assert!(
        bench.join(&ids[0], None, "a").is_empty(),
        "the leader asks for a rebalance"
    );
    assert_eq!(
        bench.group.heartbeat(bench.now, &ids[1], None, 1),
        Err(ResponseError::RebalanceInProgress)
    );
    let effects = bench.join(&ids[1], None, "b");
    assert!(joined(&effects).iter().all(|joined| joined.generation == 2));
    assert_eq!(joined(&effects).len(), 2);
}

#[test]
fn a_static_member_takes_over_without_a_rebalance_and_fences_its_former_self() {
    let mut bench = Bench::new(LIMITS);
    let old = bench.stable(Some("one"));
    let effects = bench.join("", Some("one"), "a");
    assert_eq!(effects[0], Effect::Save);
    let answer = joined(&effects)[0].clone();
    assert!(answer.skip_assignment && answer.generation == 1 && answer.member_id != old);
    assert_eq!(bench.group.state(), State::Stable);
    let beat = |bench: &mut Bench, id: &str| bench.group.heartbeat(bench.now, id, Some("one"), 1);
    assert_eq!(beat(&mut bench, &old), Err(ResponseError::FencedInstanceId));
    assert_eq!(beat(&mut bench, &answer.member_id), Ok(()));
}

#[test]
fn sessions_and_pending_ids_expire() {
    let mut bench = Bench::new(LIMITS);
    let id = bench.stable(None);
    bench.pass(i64::from(SESSION_MS) - 1);
    assert_eq!(bench.group.heartbeat(bench.now, &id, None, 1), Ok(()));
    bench.pass(i64::from(SESSION_MS) - 1);
    assert_eq!(bench.group.state(), State::Stable);
    assert_eq!(bench.pass(1), vec![Effect::Save]);
    assert_eq!((bench.group.state(), bench.group.generation()), (State::Empty, 2));
}

#[test]
fn who_does_not_sync_in_time_is_dropped() {
    let mut bench = Bench::new(LIMITS);
    bench.join("", None, "a");
    let id = joined(&bench.pass(3_000))[0].member_id.clone();
    for _ in 0..20 {
        bench.pass(i64::from(REBALANCE_MS) / 20);
        let _ = bench.group.heartbeat(bench.now, &id, None, 1);
    }
    assert_eq!(bench.group.state(), State::Empty);
}

#[test]
fn there_is_no_room_beyond_the_size() {
    let mut bench = Bench::new(LIMITS);
    for _ in 0..3 {
        bench.join("", None, "a");
    }
    assert_eq!(
        refused(&bench.join("", None, "a")),
        [ResponseError::GroupMaxSizeReached]
    );
}

#[test]
fn a_stored_group_comes_back_stable_with_whole_sessions() {
    let mut bench = Bench::new(LIMITS);
    let id = bench.stable(Some("one"));
    let later = Now {
        elapsed_ms: 0,
        wall_ms: 9_000_000,
    };
    let mut back = ClassicGroup::restore(later, LIMITS, bench.group.record());
    assert_eq!((back.state(), back.generation()), (State::Stable, 1));
    assert_eq!(back.next_deadline(), Some(i64::from(SESSION_MS)));
    assert_eq!(back.heartbeat(later, &id, Some("one"), 1), Ok(()));
    assert_eq!(back.record(), bench.group.record());
}

#[test]
fn commits_are_for_members_of_the_generation_or_for_nobody() {
    let mut bench = Bench::new(LIMITS);
    let by = |member_id, generation| Committer {
        member_id,
        instance_id: None,
        generation,
        transactional: false,
    };
    assert_eq!(bench.group.validate_commit(&by("", -1)), Ok(()));
    let id = bench.stable(None);
    assert_eq!(
        bench.group.validate_commit(&by("", -1)),
        Err(ResponseError::UnknownMemberId)
    );
    assert_eq!(
        bench.group.validate_commit(&by(&id, 7)),
        Err(ResponseError::IllegalGeneration)
    );
    assert_eq!(bench.group.validate_commit(&by(&id, 1)), Ok(()));
    bench.join(&id, None, "changed");
    assert_eq!(
        bench.group.validate_commit(&by(&id, 2)),
        Err(ResponseError::RebalanceInProgress)
    );
}

#[derive(Debug, Clone)]
enum Act {
    Join(usize, bool),
    Sync(usize),
    Heartbeat(usize),
    Leave(usize),
    Pass(i64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..5usize, any::<bool>()).prop_map(|(who, changed)| Act::Join(who, changed)),
        3 => (0..5usize).prop_map(Act::Sync),
        2 => (0..5usize).prop_map(Act::Heartbeat),
        1 => (0..5usize).prop_map(Act::Leave),
        3 => (0..20_000i64).prop_map(Act::Pass),
    ]
}

proptest! {
    /// Whatever members do, a stable group has one leader among its members, generations never go back, and once
    /// time passes without anybody, every request is answered and the group is empty.
    #[test]
    fn every_request_is_answered(acts in prop::collection::vec(act(), 1..80)) {
        let mut bench = Bench::new(LIMITS);
        let mut ids: Vec<Arc<str>> = vec![Arc::from(""); 5];
        let mut owner: BTreeMap<Token, usize> = BTreeMap::new();
        let mut generation = 0;
        for act in acts {
            let next = bench.token + 1;
            let effects = match act {
                Act::Join(who, changed) => {
                    owner.insert(next, who);
                    let id = ids[who].clone();
                    let instance = (who == 4).then_some("static");
                    bench.join(&id, instance, if changed { "b" } else { "a" })
                }
                Act::Sync(who) => {
                    let id = ids[who].clone();
                    bench.sync(&id, bench.group.generation(), &[])
                }
                Act::Heartbeat(who) => {
                    let id = ids[who].clone();
                    let _ = bench.group.heartbeat(bench.now, &id, None, bench.group.generation());
                    bench.settle()
                }
                Act::Leave(who) => {
                    let leaving = LeaveRequest { member_id: ids[who].clone(), instance_id: None };
                    bench.group.leave(bench.now, &[leaving], &mut bench.out);
                    bench.settle()
                }
                Act::Pass(ms) => bench.pass(ms),
            };
            for effect in effects {
                match effect {
                    Effect::Join(token, Ok(joined)) => ids[owner[&token]] = joined.member_id,
                    Effect::Join(token, Err(_)) => ids[owner[&token]] = Arc::from(""),
                    _ => {}
                }
            }
            prop_assert!(bench.group.generation() >= generation);
            generation = bench.group.generation();
            let members: Vec<&Arc<str>> = bench.group.members().map(|(id, _)| id).collect();
            if bench.group.state() == State::Stable {
                prop_assert!(members.contains(&bench.group.leader.as_ref().expect("a leader")));
                prop_assert!(bench.open.is_empty(), "nobody waits in a stable group");
            }
            prop_assert_eq!(bench.group.state() == State::Empty, members.is_empty());
        }
        for _ in 0..1_000 {
            let Some(at_ms) = bench.group.next_deadline() else { break };
            bench.pass((at_ms - bench.now.elapsed_ms).max(0));
        }
        prop_assert!(bench.open.is_empty(), "a request was never answered");
        prop_assert_eq!(bench.group.state(), State::Empty);
    }
}
