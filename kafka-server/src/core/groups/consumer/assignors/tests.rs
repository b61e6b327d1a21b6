use super::*;
use proptest::prelude::*;

fn topic(at: u8) -> Uuid {
    Uuid::from_bytes([at; 16])
}

fn ids(count: usize) -> Vec<Arc<str>> {
    (0..count).map(|at| Arc::from(format!("m{at:02}"))).collect()
}

fn flat(assignment: &Assignment) -> Vec<(Uuid, i32)> {
    let one = |(topic, indexes): (&Uuid, &BTreeSet<i32>)| -> Vec<_> {
        indexes.iter().map(|index| (*topic, *index)).collect()
    };
    assignment.iter().flat_map(one).collect()
}

#[test]
fn range_gives_equal_partitions_of_topics_to_the_same_member() {
    let ids = ids(3);
    let none = Assignment::new();
    let member = |id| Spec {
        id,
        instance_id: None,
        topics: [topic(1), topic(2)].into(),
        before: &none,
    };
    let members: Vec<Spec<'_>> = ids.iter().map(member).collect();
    let targets = assign(Assignor::Range, &members, &[(topic(1), 4), (topic(2), 4)].into());
    let expected = [vec![0, 1], vec![2], vec![3]];
    for (id, expected) in ids.iter().zip(expected) {
        for at in [1, 2] {
            assert_eq!(
                targets[id][&topic(at)].iter().copied().collect::<Vec<_>>(),
                expected
            );
        }
    }
}

#[test]
fn range_serves_static_members_first_by_instance() {
    let ids = ids(2);
    let none = Assignment::new();
    let instance: Arc<str> = "z".into();
    let topics: BTreeSet<Uuid> = [topic(1)].into();
    let members = [
        Spec {
            id: &ids[0],
            instance_id: None,
            topics: topics.clone(),
            before: &none,
        },
        Spec {
            id: &ids[1],
            instance_id: Some(&instance),
            topics,
            before: &none,
        },
    ];
    let targets = assign(Assignor::Range, &members, &[(topic(1), 3)].into());
    assert_eq!(flat(&targets[&ids[1]]), [(topic(1), 0), (topic(1), 1)]);
}

#[test]
fn uniform_moves_only_what_a_new_member_needs() {
    let ids = ids(3);
    let before: Vec<Assignment> = vec![
        [(topic(1), [0, 1, 2].into())].into(),
        [(topic(1), [3, 4, 5].into())].into(),
        Assignment::new(),
    ];
    let members: Vec<Spec<'_>> = ids
        .iter()
        .zip(&before)
        .map(|(id, before)| Spec {
            id,
            instance_id: None,
            topics: [topic(1)].into(),
            before,
        })
        .collect();
    let targets = assign(Assignor::Uniform, &members, &[(topic(1), 6)].into());
    assert_eq!(flat(&targets[&ids[0]]), [(topic(1), 0), (topic(1), 1)]);
    assert_eq!(flat(&targets[&ids[1]]), [(topic(1), 3), (topic(1), 4)]);
    assert_eq!(flat(&targets[&ids[2]]), [(topic(1), 2), (topic(1), 5)]);
}

/// A group as the original's assignors were given it, and what they made of it.
#[derive(serde::Deserialize)]
struct Golden {
    assignor: String,
    partitions: Vec<i32>,
    members: Vec<GoldenMember>,
}

#[derive(serde::Deserialize)]
struct GoldenMember {
    id: String,
    instance: Option<String>,
    topics: Vec<u8>,
    before: BTreeMap<u8, BTreeSet<i32>>,
    after: BTreeMap<u8, BTreeSet<i32>>,
}

fn assignment(golden: &BTreeMap<u8, BTreeSet<i32>>) -> Assignment {
    let one = |(at, indexes): (&u8, &BTreeSet<i32>)| (topic(*at), indexes.clone());
    golden.iter().map(one).collect()
}

/// `original.jsonl` is what `compat-tests/golden/Assignors.java` prints over the jars of Kafka 4.3.1: groups that are
/// new, grow and shrink, with members alike and not, static and not.
#[test]
fn assignments_are_those_of_the_original() {
    let lines: Vec<&str> = include_str!("original.jsonl").lines().collect();
    assert!(lines.len() > 500);
    for line in lines {
        let golden: Golden = serde_json::from_str(line).unwrap();
        let mut members = golden.members;
        members.sort_by(|a, b| a.id.cmp(&b.id));
        let before: Vec<Assignment> = members.iter().map(|member| assignment(&member.before)).collect();
        let named = |member: &GoldenMember| -> (Arc<str>, Option<Arc<str>>) {
            (
                member.id.as_str().into(),
                member.instance.as_deref().map(Arc::from),
            )
        };
        let names: Vec<_> = members.iter().map(named).collect();
        let specs: Vec<Spec<'_>> = (0..members.len())
            .map(|at| Spec {
                id: &names[at].0,
                instance_id: names[at].1.as_ref(),
                topics: members[at].topics.iter().map(|at| topic(*at)).collect(),
                before: &before[at],
            })
            .collect();
        let subscribed = |at: &u8| members.iter().any(|member| member.topics.contains(at));
        let partitions = (0..).zip(&golden.partitions).filter(|(at, _)| subscribed(at));
        let partitions = partitions.map(|(at, count)| (topic(at), *count)).collect();
        let targets = assign(Assignor::by_name(&golden.assignor).unwrap(), &specs, &partitions);
        for member in &members {
            assert_eq!(
                targets[member.id.as_str()],
                assignment(&member.after),
                "{} in {line}",
                member.id
            );
        }
    }
}

proptest! {
    /// Every partition that somebody subscribes to has one owner, who subscribes to it; nothing moves when nothing
    /// changes; and no partition could move to make sizes more even.
    #[test]
    fn targets_are_complete_even_and_sticky(
        counts in prop::collection::vec(1..12i32, 1..5),
        subscriptions in prop::collection::vec(prop::collection::btree_set(0..5usize, 0..5), 1..7),
        uniform in any::<bool>(),
    ) {
        let assignor = if uniform { Assignor::Uniform } else { Assignor::Range };
        let ids = ids(subscriptions.len());
        let all: BTreeMap<Uuid, i32> =
            counts.iter().enumerate().map(|(at, count)| (topic(at as u8), *count)).collect();
        let topics: Vec<BTreeSet<Uuid>> = subscriptions
            .iter()
            .map(|chosen| chosen.iter().map(|at| topic(*at as u8)).filter(|id| all.contains_key(id)).collect())
            .collect();
        let used: BTreeMap<Uuid, i32> =
            all.into_iter().filter(|(id, _)| topics.iter().any(|chosen| chosen.contains(id))).collect();
        let none = Assignment::new();
        let fresh: Vec<Spec<'_>> = (0..ids.len())
            .map(|at| Spec { id: &ids[at], instance_id: None, topics: topics[at].clone(), before: &none })
            .collect();
        let targets = assign(assignor, &fresh, &used);
        let mut owned: Vec<(Uuid, i32)> = targets.values().flat_map(flat).collect();
        owned.sort();
        let expected: Vec<(Uuid, i32)> =
            used.iter().flat_map(|(id, count)| (0..*count).map(|index| (*id, index))).collect();
        prop_assert_eq!(owned, expected);
        for (at, id) in ids.iter().enumerate() {
            prop_assert!(targets[id].keys().all(|owned| topics[at].contains(owned)));
        }
        let again: Vec<Spec<'_>> = (0..ids.len())
            .map(|at| Spec { id: &ids[at], instance_id: None, topics: topics[at].clone(), before: &targets[&ids[at]] })
            .collect();
        prop_assert_eq!(&assign(assignor, &again, &used), &targets);
        if uniform {
            let size = |at: usize| flat(&targets[&ids[at]]).len();
            for from in 0..ids.len() {
                for (to, wanted) in topics.iter().enumerate() {
                    let movable = targets[&ids[from]].keys().any(|owned| wanted.contains(owned));
                    prop_assert!(!movable || size(from) <= size(to) + 1);
                }
            }
        }
    }
}
