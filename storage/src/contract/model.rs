//! Random calls on a log and on a plain vector, which must agree.

use super::{Factory, entry_of, options, read_all};
use crate::{Durability, Entry, EntryMeta, Log, Shard};
use std::sync::Arc;

const SEEDS: u64 = 8;
const STEPS: usize = 120;

/// A small generator (xorshift64*): the suite repeats itself exactly.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound.max(1)
    }
}

struct Model {
    start: u64,
    end: u64,
    entries: Vec<EntryMeta>,
}

pub async fn log_behaves_like_its_model(factory: &dyn Factory) {
    for seed in 1..=SEEDS {
        run(factory, seed).await;
    }
}

async fn open(shard: &Shard, seed: u64) -> Arc<dyn Log> {
    let durability = if seed.is_multiple_of(2) {
        Durability::Synced
    } else {
        Durability::Written
    };
    let mut options = options(durability);
    options.chunk_bytes_max = 2000;
    shard.logs.open(&format!("model-{seed}"), options).await.unwrap()
}

async fn run(factory: &dyn Factory, seed: u64) {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut shard = factory.open();
    let mut log = open(&shard, seed).await;
    let mut model = Model {
        start: 0,
        end: 0,
        entries: Vec::new(),
    };
    for step in 0..STEPS {
        let what = chance.below(20);
        match what {
            0..=11 => append(&*log, &mut model, &mut chance).await,
            12 => log.roll().unwrap(),
            13 => {
                let before = model.start + chance.below(model.end - model.start + 1);
                log.trim(before).await.unwrap();
                model.start = before;
            }
            14 => truncate(&*log, &mut model, &mut chance).await,
            15 | 16 => rewrite(&*log, &mut model, &mut chance).await,
            17 => assert_eq!(log.sync().await.unwrap(), model.end),
            _ => {
                drop(log);
                drop(shard);
                shard = factory.open();
                log = open(&shard, seed).await;
            }
        }
        check(
            &*log,
            &model,
            &mut chance,
            &format!("seed {seed}, step {step}, call {what}"),
        )
        .await;
    }
}

async fn append(log: &dyn Log, model: &mut Model, chance: &mut Chance) {
    let mut entries: Vec<Entry> = Vec::new();
    let mut next = model.end;
    for _ in 0..=chance.below(4) {
        next += if chance.below(5) == 0 { chance.below(10) } else { 0 };
        let mut entry = entry_of(next, 40 + chance.below(600) as usize);
        if chance.below(3) == 0 {
            let last = next + chance.below(20);
            entry = super::entry(next, last, chance.below(1000) as i64, &entry.body);
        }
        next = entry.meta.last + 1;
        entries.push(entry);
    }
    let appended = log.append(&entries).unwrap();
    appended.ticket.wait().await.unwrap();
    assert_eq!(appended.end, next);
    model.end = next;
    model.entries.extend(entries.iter().map(|entry| entry.meta));
}

async fn truncate(log: &dyn Log, model: &mut Model, chance: &mut Chance) {
    if chance.below(3) > 0 {
        return;
    }
    let end = model.start + chance.below(model.end - model.start + 1);
    log.truncate(end).await.unwrap();
    model.entries.retain(|meta| meta.first < end);
    // Where entries are missing before `end`, a log may forget that: it ends between the last entry and `end`.
    let last = model
        .entries
        .last()
        .map_or(0, |meta| meta.last + 1)
        .max(model.start);
    let now = log.range().end;
    assert!(
        now == model.end || now >= last.min(end) && now <= last.max(end),
        "{now} {last} {end}"
    );
    model.end = now;
}

async fn rewrite(log: &dyn Log, model: &mut Model, chance: &mut Chance) {
    let chunks = log.chunks();
    let closed = chunks.len() as u64 - 1;
    let from = chance.below(closed + 1);
    let to = from + chance.below(closed - from + 1);
    let (from, to) = (chunks[from as usize].first, chunks[to as usize].first);
    let mut kept = Vec::new();
    model.entries.retain_mut(|meta| {
        if meta.first < from || meta.first >= to {
            return true;
        }
        let keep = chance.below(2) == 0;
        if keep {
            let payload = vec![3; chance.below(300) as usize];
            let entry = super::entry(meta.first, meta.last, meta.timestamp_max_ms, &payload);
            *meta = entry.meta;
            kept.push(entry);
        }
        keep
    });
    log.rewrite(from..to, kept).await.unwrap();
}

async fn check(log: &dyn Log, model: &Model, chance: &mut Chance, at: &str) {
    let range = log.range();
    assert_eq!(
        (range.start, range.end, range.durable_end),
        (model.start, model.end, model.end),
        "{at}"
    );
    let chunks = log.chunks();
    assert_eq!(
        chunks.iter().map(|chunk| chunk.bytes).sum::<u64>(),
        range.bytes,
        "{at}"
    );
    assert!(
        chunks
            .windows(2)
            .all(|pair| pair[0].end == pair[1].first && pair[0].closed),
        "{at}"
    );
    let from = model.start + chance.below(model.end - model.start + 1);
    let expected: Vec<EntryMeta> = model
        .entries
        .iter()
        .filter(|meta| meta.last >= from)
        .copied()
        .collect();
    let bytes_max = [1, 300, 1500, 5000, 1 << 20][chance.below(5) as usize];
    assert_eq!(
        read_all(log, from, bytes_max).await,
        expected,
        "{at}, from {from}, {bytes_max} bytes"
    );
    let time = chance.below(1200) as i64;
    let found = log.first_at(time).await.unwrap().map(|found| found.first);
    let mut held = model.entries.iter().filter(|meta| meta.last >= model.start);
    let expected = held
        .find(|meta| meta.timestamp_max_ms >= time)
        .map(|meta| meta.first);
    assert_eq!(found, expected, "{at}, time {time}");
}
