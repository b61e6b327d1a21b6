use super::{ANSWER_BYTES_MAX, LARGE_ANSWERS_MAX, LARGE_BYTES, Room, TURN_BYTES};
use crate::wire::ResponseError;
use std::{future::Future, pin::pin, sync::Arc, task::Context};
use tokio::sync::Semaphore;

fn room(seats: &Arc<Semaphore>) -> Room {
    Room {
        version: 0,
        bytes: 0,
        since_turn: 0,
        seats: seats.clone(),
        seat: None,
    }
}

/// Whether the next part may be made at once.
fn is_ready(room: &mut Room) -> bool {
    let mut task = Context::from_waker(std::task::Waker::noop());
    pin!(room.next()).poll(&mut task).is_ready()
}

#[test]
fn others_have_their_turn_while_an_answer_is_made() {
    let mut room = room(&Arc::new(Semaphore::new(1)));
    assert!(
        (0..100).all(|_| is_ready(&mut room)),
        "a small answer waits for nobody"
    );
    room.add_bytes(TURN_BYTES);
    assert!(!is_ready(&mut room));
    assert!(is_ready(&mut room));
    let waits = (0..100_000).filter(|_| !is_ready(&mut room)).count();
    assert!(waits > 100, "many small parts take their time, too: {waits}");
}

#[tokio::test]
async fn an_answer_has_a_greatest_size() {
    let mut room = room(&Arc::new(Semaphore::new(1)));
    room.add_bytes(ANSWER_BYTES_MAX);
    assert_eq!(room.next().await, Ok(()));
    room.add_bytes(1);
    let refused = room.next().await.unwrap_err();
    assert_eq!(refused.code, ResponseError::InvalidRequest);
    assert!(refused.message.unwrap().contains("33554432 bytes"));
}

#[test]
fn few_large_answers_are_made_at_a_time() {
    let seats = Arc::new(Semaphore::new(LARGE_ANSWERS_MAX));
    let large = || {
        let mut room = room(&seats);
        room.bytes = LARGE_BYTES + 1;
        room
    };
    let (mut first, mut second, mut third, mut small) = (large(), large(), large(), room(&seats));
    assert!(is_ready(&mut first) && is_ready(&mut second));
    assert!(!is_ready(&mut third), "a third large answer waits");
    assert!(is_ready(&mut small), "a small one does not");
    drop(first);
    assert!(is_ready(&mut third));
    assert_eq!(seats.available_permits(), 0);
    drop((second, third));
    assert_eq!(seats.available_permits(), LARGE_ANSWERS_MAX);
}
