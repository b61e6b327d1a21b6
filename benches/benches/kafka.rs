//! What a produce request costs before it reaches a log: frame, header, shape, decoder; then its batch; then what a log
//! costs to find something in.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kafka_server::internals;
use std::hint::black_box;
use storage_local::internals::SampleIndex;

/// Records of a batch and bytes of their values, as load generators send them.
const SHAPES: [(usize, usize); 2] = [(160, 100), (16, 1024)];

fn frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame, header and request");
    for (count, bytes) in SHAPES {
        let frame = internals::sample_produce(&internals::sample_batch(count, bytes, 0));
        group.bench_function(format!("{count} records of {bytes} B"), |bench| {
            bench.iter(|| internals::decode_frame(black_box(frame.clone())));
        });
    }
    group.finish();
}

fn batches(criterion: &mut Criterion) {
    for (name, deep) in [
        ("check a batch", false),
        ("check every record and recompress", true),
    ] {
        let mut group = criterion.benchmark_group(name);
        for (count, bytes) in SHAPES {
            let batch = internals::sample_batch(count, bytes, 0);
            group.throughput(Throughput::Bytes(batch.len() as u64));
            group.bench_function(format!("{count} records of {bytes} B"), |bench| {
                bench.iter(|| internals::check_records(black_box(&batch), deep));
            });
        }
        group.finish();
    }
}

fn recovery(criterion: &mut Criterion) {
    let batch = internals::sample_batch(160, 100, 0);
    let mut group = criterion.benchmark_group("recovery of a log");
    group.throughput(Throughput::Bytes(batch.len() as u64));
    group.bench_function("measure and verify a batch", |bench| {
        bench.iter(|| internals::frame_entry(black_box(&batch)));
    });
    group.finish();
}

fn codecs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read compressed records");
    for (codec, name) in [(1, "gzip"), (2, "snappy"), (3, "lz4"), (4, "zstd")] {
        let batch = internals::sample_batch(160, 100, codec);
        group.throughput(Throughput::Bytes(160 * 100));
        group.bench_function(name, |bench| {
            bench.iter(|| internals::read_records(black_box(batch.clone())));
        });
    }
    group.finish();
}

/// Entries of a full segment: 1 GiB of batches of 16 KiB.
const ENTRIES: u32 = 65_536;

fn index(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("index of a segment");
    group.throughput(Throughput::Elements(u64::from(ENTRIES)));
    group.bench_function("note the entries of 1 GiB", |bench| {
        bench.iter(|| SampleIndex::of(black_box(ENTRIES)));
    });
    let index = SampleIndex::of(ENTRIES);
    let mut share = 0u16;
    let mut next = || {
        share = share.wrapping_add(40_503); // all over the segment, never in order
        share
    };
    group.throughput(Throughput::Elements(1));
    group.bench_function("find an offset", |bench| {
        bench.iter(|| index.find_offset(ENTRIES, black_box(next())));
    });
    group.bench_function("find a time", |bench| {
        bench.iter(|| index.find_time(ENTRIES, black_box(next())));
    });
    group.bench_function("write and read it back", |bench| {
        bench.iter(|| index.write_and_read())
    });
    group.finish();
}

criterion_group!(benches, frames, batches, recovery, codecs, index);
criterion_main!(benches);
