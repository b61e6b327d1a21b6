use super::*;

fn counting() -> impl FnMut() -> u64 {
    let mut at = 0;
    move || {
        at += 1;
        at
    }
}

#[test]
fn epochs_count_up_and_anything_else_is_refused() {
    let mut sessions = FetchSessions::new(2, 100);
    assert_eq!(sessions.find(0, 0, 0), Wish::Full);
    let id = sessions.open("a", 3, 0, counting());
    assert_ne!(id, NO_SESSION);
    assert_eq!(sessions.find(id, 1, 0), Wish::Incremental("a"));
    assert_eq!(sessions.find(id, 1, 0), Wish::WrongEpoch);
    assert_eq!(sessions.find(id, 2, 0), Wish::Incremental("a"));
    assert_eq!(sessions.find(id + 1, 3, 0), Wish::Unknown);
    assert_eq!(sessions.find(id, EPOCH_FINAL, 0), Wish::Sessionless);
    assert_eq!(sessions.find(id, 3, 0), Wish::Unknown);
}

#[test]
fn a_full_request_ends_the_session_it_names() {
    let mut sessions = FetchSessions::new(2, 100);
    let id = sessions.open("a", 1, 0, counting());
    assert_eq!(sessions.find(id, EPOCH_INITIAL, 0), Wish::Full);
    assert_eq!(sessions.find(id, 1, 0), Wish::Unknown);
}

#[test]
fn when_full_only_idle_or_old_smaller_sessions_make_room() {
    let mut sessions = FetchSessions::new(1, 100);
    let mut chance = counting();
    let first = sessions.open("a", 5, 0, &mut chance);
    assert_eq!(sessions.open("b", 9, EVICTION_MS, &mut chance), NO_SESSION);
    assert_eq!(sessions.find(first, 1, EVICTION_MS), Wish::Incremental("a"));
    assert_eq!(
        sessions.open("b", 5, EVICTION_MS + 1, &mut chance),
        NO_SESSION,
        "not larger"
    );
    let second = sessions.open("b", 6, EVICTION_MS + 1, &mut chance);
    assert_ne!(second, NO_SESSION);
    assert_eq!(sessions.find(first, 2, EVICTION_MS + 1), Wish::Unknown);
    assert_ne!(
        sessions.open("c", 1, 3 * EVICTION_MS, &mut chance),
        NO_SESSION,
        "idle"
    );
    assert_eq!(sessions.open("d", 0, 0, &mut chance), NO_SESSION);
}

#[test]
fn all_sessions_share_the_partitions_there_may_be() {
    let mut sessions = FetchSessions::new(1000, 100);
    let mut chance = counting();
    assert_eq!(sessions.open("too large", 101, 0, &mut chance), NO_SESSION);
    let first = sessions.open("a", 60, 0, &mut chance);
    let second = sessions.open("b", 40, 0, &mut chance);
    assert_ne!(second, NO_SESSION);
    assert_eq!(sessions.open("c", 1, 0, &mut chance), NO_SESSION);
    assert!(sessions.resize(first, 50));
    assert!(!sessions.resize(second, 51), "it outgrows what is left");
    assert_eq!(sessions.find(second, 1, 0), Wish::Unknown);
    let third = sessions.open("c", 50, 0, &mut chance);
    assert_ne!(third, NO_SESSION);
    assert!(!sessions.resize(third, 0), "nothing is read any more");
    assert!(!sessions.resize(third, 1), "it is gone");
    assert_eq!(sessions.find(first, EPOCH_FINAL, 0), Wish::Sessionless);
    assert_ne!(sessions.open("all", 100, 0, &mut chance), NO_SESSION);
    assert_ne!(
        sessions.open("idle", 99, 2 * EVICTION_MS, &mut chance),
        NO_SESSION
    );
}

#[test]
fn epochs_wrap_around_to_one() {
    assert_eq!(next_epoch(i32::MAX), 1);
}
