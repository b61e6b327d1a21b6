use super::*;
use crate::core::groups::{
    classic::{JoinRequest, LeaveRequest, Protocol as Own, SyncRequest},
    consumer::{Beat, BeatAnswer, ConsumerLimits},
};
use bytes::Bytes;
use server_kit::ManualClock;
use std::time::Duration;
use storage::Shard;

/// A coordinator over a store that outlives it.
struct Bench {
    shard: Shard,
    clock: Arc<ManualClock>,
    groups: Groups,
}

impl Bench {
    async fn new() -> Self {
        Bench::over(storage::memory::shard()).await
    }

    async fn over(shard: Shard) -> Self {
        let clock = ManualClock::new(1_000_000);
        let groups = load(&shard, &clock).await;
        Bench { shard, clock, groups }
    }

    /// As after `kill -9`.
    async fn restart(&mut self) {
        self.groups = load(&self.shard, &self.clock).await;
    }

    async fn commit(&self, group: &str, offset: i64) -> Result<(), ResponseError> {
        let answer = self.groups.commit(group, commit("", -1, offset)).await;
        answer.map(|_| ()).map_err(|error| error.code)
    }

    async fn offset(&self, group: &str, stable: bool) -> Result<Option<i64>, ResponseError> {
        let topics = Some(vec![(Arc::from("a"), vec![0])]);
        let mut fetched = self
            .groups
            .fetch(group, None, topics, stable)
            .await
            .map_err(|error| error.code)?;
        fetched
            .remove(0)
            .1
            .remove(0)
            .1
            .map(|found| found.map(|committed| committed.offset))
    }

    /// A stable group of one; its member's id.
    async fn stable(&self, group: &'static str) -> Arc<str> {
        let groups = self.groups.clone();
        let joined = tokio::spawn(async move { groups.join(group, join(), Arc::default()).await });
        tokio::task::yield_now().await;
        let joined = loop {
            self.clock.advance(Duration::from_millis(500));
            self.groups.tick().await;
            if joined.is_finished() {
                break joined.await.unwrap().unwrap();
            }
            tokio::task::yield_now().await;
        };
        let request = SyncRequest {
            token: 0,
            member_id: joined.member_id.clone(),
            instance_id: None,
            generation: joined.generation,
            protocol_type: None,
            protocol: None,
            assignments: [(joined.member_id.to_string(), Bytes::from_static(b"all"))].into(),
        };
        assert_eq!(self.groups.sync(group, request).await.unwrap().assignment, "all");
        joined.member_id
    }
}

async fn load(shard: &Shard, clock: &Arc<ManualClock>) -> Groups {
    let settings = Settings::new(&crate::config::Config::default());
    let random = Arc::new(Random::from_seed(1));
    Groups::load(
        shard.kv.clone(),
        Durability::Written,
        clock.clone(),
        random,
        settings,
    )
    .await
    .unwrap()
}

fn commit(member_id: &str, generation: i32, offset: i64) -> CommitRequest {
    let partitions = vec![CommitPartition {
        partition: 0,
        offset,
        leader_epoch: -1,
        metadata: "note".into(),
    }];
    CommitRequest {
        member_id: member_id.into(),
        instance_id: None,
        generation,
        retention_ms: None,
        topics: vec![CommitTopic {
            name: "a".into(),
            partitions,
        }],
        missing: ResponseError::IllegalGeneration,
        version: 9,
    }
}

fn join() -> JoinRequest {
    JoinRequest {
        token: 0,
        member_id: "".into(),
        instance_id: None,
        client_id: "client".into(),
        client_host: "/127.0.0.1".into(),
        new_id: "".into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: "consumer".into(),
        protocols: vec![Own {
            name: "range".into(),
            metadata: Bytes::from_static(b"\0\0\0\0\0\0"),
        }],
        member_id_required: false,
        can_skip_assignment: true,
    }
}

#[tokio::test]
async fn commits_survive_and_deleted_groups_do_not() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.offset("g", false).await, Ok(None));
    bench.commit("g", 7).await.unwrap();
    bench.restart().await;
    assert_eq!(bench.offset("g", false).await, Ok(Some(7)));
    bench.groups.delete("g").await.unwrap();
    assert_eq!(
        bench.groups.delete("g").await.unwrap_err().code,
        ResponseError::GroupIdNotFound
    );
    bench.restart().await;
    assert_eq!(bench.offset("g", false).await, Ok(None));
    assert!(bench.groups.list().await.is_empty());
}

#[tokio::test]
async fn members_survive() {
    let mut bench = Bench::new().await;
    let member = bench.stable("g").await;
    bench.restart().await;
    assert_eq!(bench.groups.describe("g").await.unwrap().state, "Stable");
    bench
        .groups
        .heartbeat("g", member.clone(), None, 1)
        .await
        .unwrap();
    let refused = bench.groups.commit("g", commit(&member, 9, 1)).await.unwrap_err();
    assert_eq!(refused.code, ResponseError::IllegalGeneration);
    bench.groups.commit("g", commit(&member, 1, 1)).await.unwrap();
    assert_eq!(
        bench.groups.delete("g").await.unwrap_err().code,
        ResponseError::NonEmptyGroup
    );
    let leaving = vec![LeaveRequest {
        member_id: member,
        instance_id: None,
    }];
    assert_eq!(bench.groups.leave("g", leaving).await.unwrap(), [Ok(())]);
    bench.restart().await;
    assert_eq!(bench.groups.describe("g").await.unwrap().state, "Empty");
}

#[tokio::test]
async fn sessions_end_by_the_clock() {
    let bench = Bench::new().await;
    bench.stable("g").await;
    bench.clock.advance(Duration::from_secs(11));
    bench.groups.tick().await;
    assert_eq!(bench.groups.describe("g").await.unwrap().state, "Empty");
}

#[tokio::test]
async fn offsets_of_a_transaction_wait_for_its_end_over_crashes() {
    let mut bench = Bench::new().await;
    bench.commit("g", 1).await.unwrap();
    bench
        .groups
        .commit_in_transaction("g", 5, 0, commit("", -1, 2))
        .await
        .unwrap();
    bench.restart().await;
    assert_eq!(bench.offset("g", false).await, Ok(Some(1)));
    assert_eq!(
        bench.offset("g", true).await,
        Err(ResponseError::UnstableOffsetCommit)
    );
    for _ in 0..2 {
        bench.groups.complete_transaction("g", 5, 0, true).await.unwrap();
        bench.restart().await;
        assert_eq!(bench.offset("g", true).await, Ok(Some(2)));
    }
    bench
        .groups
        .commit_in_transaction("g", 5, 0, commit("", -1, 3))
        .await
        .unwrap();
    bench.groups.complete_transaction("g", 5, 0, false).await.unwrap();
    bench.restart().await;
    assert_eq!(bench.offset("g", true).await, Ok(Some(2)));
    bench
        .groups
        .complete_transaction("nobody", 5, 0, true)
        .await
        .unwrap();
}

#[tokio::test]
async fn offsets_expire_and_their_group_with_them() {
    let mut bench = Bench::new().await;
    bench.commit("g", 1).await.unwrap();
    bench.clock.advance(Duration::from_secs(7 * 24 * 3600 - 1));
    bench.groups.expire_offsets().await;
    assert_eq!(bench.offset("g", false).await, Ok(Some(1)));
    bench.clock.advance(Duration::from_secs(1));
    bench.groups.expire_offsets().await;
    bench.restart().await;
    assert!(bench.groups.list().await.is_empty());
}

#[tokio::test]
async fn offsets_go_with_their_topic() {
    let mut bench = Bench::new().await;
    bench.commit("g", 1).await.unwrap();
    bench.groups.topics_deleted(["a".to_owned()].into()).await;
    bench.restart().await;
    assert_eq!(bench.offset("g", false).await, Ok(None));
}

#[tokio::test]
async fn notes_are_bounded() {
    let bench = Bench::new().await;
    let mut request = commit("", -1, 1);
    request.topics[0].partitions[0].metadata = "x".repeat(4097).into();
    let answer = bench.groups.commit("g", request).await.unwrap();
    assert_eq!(answer, [[(0, Err(ResponseError::OffsetMetadataTooLarge))]]);
    assert_eq!(bench.offset("g", false).await, Ok(None));
}

/// What is told of the group, and its offsets, are those of a coordinator that starts again over what is stored.
async fn matches_its_store(bench: &Bench, group: &str) {
    let stored = load(&bench.shard, &bench.clock).await;
    let offsets = async |groups: &Groups| {
        let fetched = groups.fetch(group, None, None, false).await.unwrap();
        format!("{fetched:?}")
    };
    assert_eq!(offsets(&bench.groups).await, offsets(&stored).await);
    let described = async |groups: &Groups| {
        let told = groups.describe(group).await.ok();
        told.map(|told| (told.state, told.members.len()))
    };
    assert_eq!(described(&bench.groups).await, described(&stored).await);
}

#[tokio::test]
async fn what_a_failing_store_does_not_take_has_not_happened() {
    let failing = crate::failing::Failing::default();
    let bench = Bench::over(failing.wrap(storage::memory::shard())).await;
    bench.commit("g", 1).await.unwrap();
    failing.set(true);
    assert_eq!(bench.commit("g", 2).await, Err(ResponseError::NotCoordinator));
    let held = bench
        .groups
        .commit_in_transaction("g", 5, 0, commit("", -1, 3))
        .await;
    assert_eq!(held.unwrap_err().code, ResponseError::NotCoordinator);
    assert_eq!(bench.offset("g", true).await, Ok(Some(1)));
    let topics = vec![(Arc::from("a"), vec![0])];
    let deleted = bench.groups.delete_offsets("g", topics).await;
    assert_eq!(deleted.unwrap_err().code, ResponseError::NotCoordinator);
    assert_eq!(
        bench.groups.delete("g").await.unwrap_err().code,
        ResponseError::NotCoordinator
    );
    matches_its_store(&bench, "g").await;
    failing.set(false);
    bench.commit("g", 4).await.unwrap();
    assert_eq!(bench.offset("g", true).await, Ok(Some(4)));
    matches_its_store(&bench, "g").await;
}

#[tokio::test]
async fn a_transaction_ends_once_the_store_takes_its_end() {
    let failing = crate::failing::Failing::default();
    let bench = Bench::over(failing.wrap(storage::memory::shard())).await;
    let held = bench
        .groups
        .commit_in_transaction("g", 5, 0, commit("", -1, 3))
        .await;
    held.unwrap();
    failing.set(true);
    let ended = bench.groups.complete_transaction("g", 5, 0, true).await;
    assert_eq!(ended.unwrap_err().code, ResponseError::NotCoordinator);
    assert_eq!(
        bench.offset("g", true).await,
        Err(ResponseError::UnstableOffsetCommit)
    );
    matches_its_store(&bench, "g").await;
    failing.set(false);
    bench.groups.complete_transaction("g", 5, 0, true).await.unwrap();
    assert_eq!(bench.offset("g", true).await, Ok(Some(3)));
    matches_its_store(&bench, "g").await;
}

#[tokio::test]
async fn members_of_a_group_that_cannot_be_stored_come_again() {
    let failing = crate::failing::Failing::default();
    let bench = Bench::over(failing.wrap(storage::memory::shard())).await;
    let member = bench.stable("g").await;
    matches_its_store(&bench, "g").await;
    failing.set(true);
    let leaving = vec![LeaveRequest {
        member_id: member.clone(),
        instance_id: None,
    }];
    let left = bench.groups.leave("g", leaving.clone()).await;
    assert_eq!(left.unwrap_err().code, ResponseError::NotCoordinator);
    failing.set(false);
    // The session of whoever is still a member in the store goes on from the next start, and it may leave again.
    drop(bench.groups.leave("g", leaving).await);
    bench.commit("g", 1).await.unwrap();
    matches_its_store(&bench, "g").await;
}

/// A heartbeat in the consumer protocol, of who subscribes to a topic that is not there.
async fn beat(groups: &Groups, member: &str, epoch: i32) -> Result<BeatAnswer, ResponseError> {
    let beat = Beat {
        member_id: member.into(),
        epoch,
        rebalance_timeout_ms: Some(1000),
        names: Some([Arc::from("a")].into()),
        owned: Some(Default::default()),
        ..Beat::default()
    };
    let limits = ConsumerLimits {
        assignment_interval_ms: 0,
        ..groups.settings().consumer.clone()
    };
    let answer = groups.beat("g", beat, Arc::default(), limits).await;
    answer.map_err(|error| error.code)
}

#[tokio::test]
async fn what_members_of_a_consumer_group_are_told_is_stored() {
    let failing = crate::failing::Failing::default();
    let bench = Bench::over(failing.wrap(storage::memory::shard())).await;
    let refused = Err(ResponseError::NotCoordinator);
    failing.set(true);
    assert_eq!(beat(&bench.groups, "one", 0).await, refused);
    failing.set(false);
    let one = beat(&bench.groups, "one", 0).await.unwrap();
    failing.set(true);
    assert_eq!(beat(&bench.groups, "two", 0).await, refused);
    assert_eq!(
        beat(&bench.groups, "one", one.epoch).await,
        refused,
        "a new epoch"
    );
    failing.set(false);
    // Whoever was refused asks again, and all is stored that was not.
    beat(&bench.groups, "one", one.epoch).await.unwrap();
    beat(&bench.groups, "two", 0).await.unwrap();
    let told = async |groups: &Groups| {
        let told = groups.describe_consumer("g").await.unwrap();
        let members = told.members.into_iter();
        let members = members.map(|(id, member)| (id, member.epoch, member.assigned));
        (
            told.state,
            told.epoch,
            told.target_epoch,
            members.collect::<Vec<_>>(),
        )
    };
    let stored = load(&bench.shard, &bench.clock).await;
    assert_eq!(told(&bench.groups).await, told(&stored).await);
    assert_eq!(bench.groups.counts(), stored.counts());
    assert_eq!(stored.counts(), [("Stable", 1)].into());
}
