use super::*;

#[test]
fn what_is_used_is_told_of_what_there_is_and_may_be() {
    let space = Space { used: 1, free: 299 };
    assert_eq!(percent(space, None), 1);
    assert_eq!(percent(space, Some(1_000)), 1);
    assert_eq!(percent(space, Some(50)), 2);
    assert_eq!(percent(Space { used: 300, free: 0 }, Some(100)), 300);
    assert_eq!(percent(Space { used: 0, free: 0 }, None), 0);
}

#[test]
fn few_are_told() {
    let fullness = Fullness::default();
    assert!(fullness.tells(false, Duration::ZERO));
    assert!(!fullness.tells(false, Duration::from_secs(60)));
    assert!(fullness.tells(true, Duration::from_secs(60)), "of the other");
    assert!(fullness.tells(false, TOLD_EVERY));
}
