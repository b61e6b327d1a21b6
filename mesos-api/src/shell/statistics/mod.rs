//! What containers use, as `/proc` tells it of a process and whatever descends from it, or as its control groups do. Blocks.
//!
//! Knows: `/proc`. Never: which container it is.

#[cfg(test)]
mod tests;

use super::cgroups::{Cgroups, Counted};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// Ticks of a second, as `/proc` counts them: the same on every Linux.
const TICKS: f64 = 100.0;

/// What a container's processes use.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) user_s: f64,
    pub(crate) system_s: f64,
    pub(crate) rss_bytes: u64,
    pub(crate) processes: u32,
    /// What control groups count beside.
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) periods: Option<u64>,
    pub(crate) throttled: Option<u64>,
    pub(crate) throttled_s: Option<f64>,
}

impl Usage {
    /// What the groups of a container have counted is all of it, with what has ended.
    fn counted(&mut self, by: Counted) {
        if let Some((user, system)) = by.seconds {
            (self.user_s, self.system_s) = (user, system);
        }
        self.rss_bytes = by.rss_bytes.unwrap_or(self.rss_bytes);
        (self.memory_bytes, self.periods) = (by.memory_bytes, by.periods);
        (self.throttled, self.throttled_s) = (by.throttled, by.throttled_s);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: u32,
    user: u64,
    system: u64,
}

/// What each of these processes uses, with its descendants.
pub(crate) fn usage(of: &BTreeSet<u32>, cgroups: &Cgroups) -> BTreeMap<u32, Usage> {
    let stats = every();
    let mut below: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (pid, stat) in &stats {
        below.entry(stat.parent).or_default().push(*pid);
    }
    let of = of.iter().filter(|pid| stats.contains_key(pid));
    of.map(|head| {
        // What it left behind was adopted by its supervisor, which is its parent.
        let supervisor = stats.get(head).map_or(0, |stat| stat.parent);
        let mut open = below.get(&supervisor).cloned().unwrap_or_default();
        if supervisor <= 1 || !open.contains(head) {
            open = vec![*head];
        }
        let mut sum = Usage::default();
        while let Some(pid) = open.pop() {
            if let Some(stat) = stats.get(&pid) {
                sum.user_s += seconds(stat.user);
                sum.system_s += seconds(stat.system);
                sum.rss_bytes += resident(pid);
                sum.processes += 1;
            }
            open.extend(below.get(&pid).into_iter().flatten());
        }
        sum.counted(cgroups.used(*head));
        (*head, sum)
    })
    .collect()
}

#[allow(clippy::cast_precision_loss, reason = "ticks of years fit")]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / TICKS
}

fn every() -> BTreeMap<u32, Stat> {
    let Ok(all) = fs::read_dir("/proc") else {
        return BTreeMap::new();
    };
    all.filter_map(|entry| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some((pid, parse(&text)?))
    })
    .collect()
}

/// Children that were waited for count with whoever waited.
fn parse(text: &str) -> Option<Stat> {
    // The name in brackets may hold anything, brackets too.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        user: number(11)?.saturating_add(number(13).unwrap_or(0)),
        system: number(12)?.saturating_add(number(14).unwrap_or(0)),
    })
}

fn resident(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kb.unwrap_or(0).saturating_mul(1024)
}
