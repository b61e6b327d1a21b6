//! What a request to the CQL server costs beside the store: frame, parse, plan, key encoding, row merge.

use bytes::Bytes;
use cql_server::internals::{self, Sample};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

const INSERT: &str = "INSERT INTO ks.t (k, c, v, n) VALUES (?, ?, ?, ?)";
const SELECT: &str = "SELECT c, v FROM ks.t WHERE k = ? AND c > ? ORDER BY c DESC LIMIT 100";
/// EXECUTE.
const OPCODE: u8 = 10;

/// The body of an EXECUTE in version 4 with two values.
fn execute(value_bytes: usize) -> Bytes {
    let mut body = Vec::new();
    body.extend_from_slice(&16_u16.to_be_bytes());
    body.extend_from_slice(&[7; 16]);
    // Consistency ONE, values, two of them.
    body.extend_from_slice(&[0, 1, 1, 0, 2]);
    for value in [vec![1; 8], vec![2; value_bytes]] {
        body.extend_from_slice(&(value.len() as u32).to_be_bytes());
        body.extend_from_slice(&value);
    }
    body.into()
}

fn frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("EXECUTE, decoded");
    for bytes in [192, 16_384] {
        let body = execute(bytes);
        assert!(internals::decode_request(OPCODE, 4, body.clone()));
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(format!("a value of {bytes} B"), |bench| {
            bench.iter(|| internals::decode_request(OPCODE, 4, black_box(body.clone())));
        });
    }
    group.finish();
}

fn statements(criterion: &mut Criterion) {
    let sample = Sample::default();
    for (name, text) in [("INSERT", INSERT), ("SELECT", SELECT)] {
        assert!(sample.plan(text));
        criterion.bench_function(&format!("parse {name}"), |bench| {
            bench.iter(|| internals::parse(black_box(text)));
        });
        criterion.bench_function(&format!("parse and plan {name}"), |bench| {
            bench.iter(|| sample.plan(black_box(text)));
        });
    }
}

fn rows(criterion: &mut Criterion) {
    assert!(!internals::row_key(5, "row").is_empty());
    criterion.bench_function("key of a row", |bench| {
        bench.iter(|| internals::row_key(black_box(5), black_box("a clustering value")));
    });
    let value = vec![7; 192];
    let (older, newer) = (
        internals::row(1, &[&value, b"1234"]),
        internals::row(2, &[&value, b"5678"]),
    );
    criterion.bench_function("encode a row of 200 B", |bench| {
        bench.iter(|| internals::row(black_box(1), &[black_box(&value), b"1234"]));
    });
    criterion.bench_function("merge two versions of a row of 200 B", |bench| {
        bench.iter(|| internals::merge(black_box(Some(&older)), &[black_box(&newer)]));
    });
}

criterion_group!(benches, frames, statements, rows);
criterion_main!(benches);
