use super::Building;
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake},
};

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn who_waits_for_writes_sleeps_until_the_last_is_over() {
    let building = Building::default();
    let (one, other) = (building.writing(), building.writing());
    let woken = Arc::new(Woken::default());
    let waker = woken.clone().into();
    let mut task = Context::from_waker(&waker);
    let mut settled = pin!(building.settled());
    assert_eq!(settled.as_mut().poll(&mut task), Poll::Pending);
    // Of those that begin later nobody has to wait.
    let later = building.writing();
    drop(one);
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(woken.0.load(Ordering::Relaxed), 0, "it spins");
    drop(other);
    assert_eq!(settled.as_mut().poll(&mut task), Poll::Ready(()));
    drop(later);
}
