use super::*;
use std::task::Waker;

#[test]
fn who_needs_more_than_is_left_waits_until_others_give_back() {
    let in_flight = Arc::new(Semaphore::new(100));
    let (mut one, mut other) = (Share::new(in_flight.clone()), Share::new(in_flight.clone()));
    let task = &mut Context::from_waker(Waker::noop());
    assert_eq!(one.poll(task, 60), Poll::Ready(true));
    assert_eq!(other.poll(task, 50), Poll::Pending);
    assert!(one.try_hold(40), "it is held already");
    let taken = one.take();
    assert_eq!((one.bytes(), other.poll(task, 50)), (0, Poll::Pending));
    drop(taken);
    assert_eq!((other.poll(task, 50), other.bytes()), (Poll::Ready(true), 50));
    assert_eq!(in_flight.available_permits(), 50);
}

#[test]
fn a_stop_ends_the_wait() {
    let in_flight = Arc::new(Semaphore::new(1));
    let mut share = Share::new(in_flight.clone());
    let task = &mut Context::from_waker(Waker::noop());
    assert_eq!(share.poll(task, 2), Poll::Pending);
    in_flight.close();
    assert_eq!(share.poll(task, 2), Poll::Ready(false));
}
