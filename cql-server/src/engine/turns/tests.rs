use super::{Queued, TURN, Turns, in_time, one_of_few};
use bytes::Bytes;
use futures_util::FutureExt;
use std::{
    cell::Cell,
    future::{pending, ready},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{sync::Semaphore, task::yield_now};

/// Who is told nothing.
struct Nobody;

impl Queued for Nobody {
    fn let_on(&self) {}
}

#[tokio::test]
async fn the_first_turn_waits_for_nobody() {
    let turns = Turns(Semaphore::new(0));
    let pace = turns.pace();
    for _ in 0..TURN {
        assert!(pace.work(1).now_or_never().is_some());
    }
    assert!(pace.work(1).now_or_never().is_none(), "the second is asked for");
}

#[tokio::test]
async fn turns_go_round() {
    let turns = Turns(Semaphore::new(1));
    let (one, other) = (turns.pace(), turns.pace());
    one.spend(TURN);
    other.spend(TURN);
    one.work(1).await;
    let mut waits = pin!(other.work(1));
    assert!(waits.as_mut().now_or_never().is_none());
    yield_now().await;
    assert!(waits.as_mut().now_or_never().is_none(), "it is not its turn");
    // Who wants more goes to the end of the queue.
    one.spend(TURN);
    let mut again = pin!(one.work(1));
    assert!(again.as_mut().now_or_never().is_none());
    yield_now().await;
    assert!(waits.as_mut().now_or_never().is_some());
    assert!(again.as_mut().now_or_never().is_none());
    other.spend(TURN);
    let mut third = pin!(other.work(1));
    assert!(third.as_mut().now_or_never().is_none());
    assert!(again.as_mut().now_or_never().is_some());
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    let soon = Duration::from_millis(1);
    assert_eq!(in_time(soon, || false, pin!(pending::<()>())).await, None);
    assert_eq!(in_time(soon, || false, pin!(ready(7))).await, Some(7));
}

#[tokio::test]
async fn what_nobody_waits_for_is_given_up() {
    let is_over = Cell::new(false);
    let work = pin!(pending::<()>());
    let mut read = pin!(in_time(Duration::from_secs(3600), || is_over.get(), work));
    assert!(read.as_mut().now_or_never().is_none());
    is_over.set(true);
    assert_eq!(read.now_or_never(), Some(None));
}

#[tokio::test]
async fn few_go_on_until_their_answers_have_left() {
    let few = Arc::new(Semaphore::new(1));
    let slow = || async {
        yield_now().await;
        Bytes::from_static(b"rows")
    };
    let (answer, place) = one_of_few(&few, || Nobody, pin!(slow())).await;
    let answer = place.unwrap().held_by(answer);
    assert_eq!(answer, "rows");
    let other = pin!(slow());
    let mut other = pin!(one_of_few(&few, || Nobody, other));
    for _ in 0..3 {
        assert!(
            other.as_mut().now_or_never().is_none(),
            "there is no place for it"
        );
        yield_now().await;
    }
    let (_, place) = one_of_few(&few, || Nobody, pin!(ready(()))).await;
    assert!(place.is_none(), "what is done at once needs none");
    drop(answer);
    assert!(other.as_mut().now_or_never().is_some());
}
