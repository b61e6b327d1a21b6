use super::*;
use crate::wire::{
    compression::Compression,
    records::{Batch, BatchBuilder, BatchError, NewRecord},
};
use std::thread;
use std::thread::ThreadId;

/// A small batch that unpacks to little more than `bytes`.
fn batch(bytes: usize) -> Batch {
    let mut builder = BatchBuilder::new(0, 0);
    let record = NewRecord {
        offset: 0,
        timestamp: 0,
        key: None,
        value: Some(&vec![0; bytes]),
    };
    builder.push(&record, std::iter::empty());
    builder.finish(Compression::Zstd, None, None).unwrap()
}

/// Unpacks `batch` as a request's: its length, and the thread that did it.
async fn unpack(unpacking: &mut Unpacking<'_>, batch: &Batch) -> (Result<usize, BatchError>, ThreadId) {
    let work = |batch: &Batch, budget: &mut Budget| {
        let unpacked = budget.payload(batch).map(|payload| payload.len());
        (unpacked, thread::current().id())
    };
    let mut here = unpacking.here();
    let done = work(batch, &mut here);
    if !unpacking.is_too_much(&here) {
        return done;
    }
    let batch = batch.clone();
    unpacking
        .elsewhere(move |budget| work(&batch, budget))
        .await
        .unwrap()
}

#[tokio::test]
async fn little_is_unpacked_here_and_much_elsewhere() {
    let threads = UnpackingThreads::default();
    let mut unpacking = Unpacking::new(&threads);
    let network = thread::current().id();
    let (bytes, thread) = unpack(&mut unpacking, &batch(100_000)).await;
    assert!(bytes.unwrap() > 100_000 && thread == network);
    let (bytes, thread) = unpack(&mut unpacking, &batch(100_000)).await;
    assert!(
        bytes.unwrap() > 100_000 && thread != network,
        "a second one is too much for here"
    );
    let (bytes, thread) = unpack(&mut unpacking, &batch(10)).await;
    assert!(bytes.unwrap() > 10 && thread != network);
    let mut another = Unpacking::new(&threads);
    let (bytes, thread) = unpack(&mut another, &batch(1_000_000)).await;
    assert!(bytes.unwrap() > 1_000_000 && thread != network);
}

#[tokio::test]
async fn what_one_request_may_unpack_is_bounded() {
    let threads = UnpackingThreads::default();
    let mut unpacking = Unpacking {
        left: 300_000,
        ..Unpacking::new(&threads)
    };
    assert!(unpack(&mut unpacking, &batch(140_000)).await.0.is_ok());
    assert!(unpack(&mut unpacking, &batch(200_000)).await.0.is_err());
    assert!(
        unpack(&mut unpacking, &batch(10)).await.0.is_err(),
        "nothing is left"
    );
    let mut plain = batch(10);
    plain.header.attributes.0 = 0;
    assert!(
        unpack(&mut unpacking, &plain).await.0.is_ok(),
        "what is not compressed costs nothing"
    );
}
