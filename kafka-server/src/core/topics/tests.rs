use super::{Fault, Wanted, added_partitions, check_name, collide};

const ME: i32 = 1;

fn wanted(partitions: i32, replication_factor: i16, assignments: &[(i32, &[i32])]) -> Wanted {
    Wanted {
        partitions,
        replication_factor,
        assignments: assignments
            .iter()
            .map(|(index, brokers)| (*index, brokers.to_vec()))
            .collect(),
        ..Wanted::by_default("t")
    }
}

fn refused(assignments: &[(i32, &[i32])]) -> String {
    wanted(-1, -1, assignments)
        .partition_count(ME, 3)
        .unwrap_err()
        .to_string()
}

#[test]
fn names_are_ascii_letters_digits_and_three_signs() {
    for name in ["a", "A.b_c-9", "__x", &"x".repeat(249)] {
        assert_eq!(check_name(name), Ok(()), "{name}");
    }
    let why = |name: &str| check_name(name).unwrap_err().to_string();
    assert_eq!(why(""), "Topic name is invalid: the empty string is not allowed");
    assert_eq!(why(".."), "Topic name is invalid: '..' is not allowed");
    assert_eq!(
        why("a b"),
        "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
    );
    assert!(why(&"x".repeat(250)).ends_with("is longer than the max allowed length 249"));
}

#[test]
fn names_that_differ_in_dots_and_underscores_only_collide() {
    assert!(collide("a.b_c", "a_b.c"));
    assert!(!collide("a.b", "a-b"));
    assert!(!collide("a.b", "a.bc"));
}

#[test]
fn counts_and_factors_are_checked() {
    assert_eq!(wanted(-1, -1, &[]).partition_count(ME, 3), Ok(3));
    assert_eq!(wanted(5, 1, &[]).partition_count(ME, 3), Ok(5));
    assert_eq!(
        wanted(0, 1, &[]).partition_count(ME, 3),
        Err(Fault::PartitionCount)
    );
    assert_eq!(
        wanted(1, 0, &[]).partition_count(ME, 3),
        Err(Fault::ReplicationFactor)
    );
    assert_eq!(
        wanted(1, 2, &[]).partition_count(ME, 3),
        Err(Fault::TooFewBrokers(2))
    );
}

#[test]
fn assignments_name_the_one_broker_once() {
    assert_eq!(
        wanted(-1, -1, &[(1, &[1]), (0, &[1])]).partition_count(ME, 3),
        Ok(2)
    );
    assert_eq!(
        refused(&[(0, &[7])]),
        "The manual partition assignment includes broker 7, but no such broker is registered."
    );
    assert_eq!(
        refused(&[(0, &[1, 1])]),
        "The manual partition assignment includes the broker 1 more than once."
    );
    assert_eq!(
        refused(&[(0, &[])]),
        "The manual partition assignment includes an empty replica list."
    );
    assert_eq!(
        refused(&[(0, &[1]), (2, &[1])]),
        "partitions should be a consecutive 0-based integer sequence"
    );
}

#[test]
fn partitions_are_only_added() {
    let why = |count, assignments: Option<&[Vec<i32>]>| {
        added_partitions("t", 3, count, assignments, ME)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(added_partitions("t", 3, 5, None, ME), Ok(2));
    assert_eq!(added_partitions("t", 3, 4, Some(&[vec![1]]), ME), Ok(1));
    assert_eq!(why(3, None), "Topic already has 3 partition(s).");
    assert_eq!(
        why(-1, None),
        "The topic t currently has 3 partition(s); -1 would not be an increase."
    );
    assert_eq!(
        why(5, Some(&[vec![1]])),
        "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified."
    );
}

#[test]
fn a_key_without_a_value_is_refused() {
    let mut wanted = Wanted::by_default("t");
    wanted.config.insert("retention.ms".to_owned(), None);
    assert_eq!(
        wanted.settings().unwrap_err().to_string(),
        "Null value not supported for topic configs: retention.ms"
    );
}
