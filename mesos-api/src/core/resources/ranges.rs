use mesos_proto::v1::value;
use std::fmt;

/// Ranges of one resource at the most: what cuts a set of ports into pieces costs memory.
const RANGES_MAX: usize = 16_384;

/// Numbers as ranges: sorted, apart, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    pub(super) fn of(list: &[value::Range]) -> Result<Self, String> {
        if list.len() > RANGES_MAX {
            return Err(format!("more than {RANGES_MAX} ranges"));
        }
        let mut pairs = Vec::with_capacity(list.len());
        for range in list {
            if range.begin > range.end {
                return Err(format!("begin {} is beyond end {}", range.begin, range.end));
            }
            pairs.push((range.begin, range.end));
        }
        Ok(Ranges(joined(pairs)))
    }

    pub(super) fn to_value(&self) -> value::Ranges {
        let range = self.0.iter().map(|&(begin, end)| value::Range { begin, end });
        value::Ranges {
            range: range.collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, other: &Ranges) {
        let mut pairs = std::mem::take(&mut self.0);
        pairs.extend_from_slice(&other.0);
        self.0 = joined(pairs);
    }

    pub(super) fn subtract(&mut self, other: &Ranges) {
        for &(begin, end) in &other.0 {
            let mut left = Vec::with_capacity(self.0.len() + 1);
            for &(own_begin, own_end) in &self.0 {
                if own_end < begin || end < own_begin {
                    left.push((own_begin, own_end));
                    continue;
                }
                if own_begin < begin {
                    left.push((own_begin, begin - 1));
                }
                if end < own_end {
                    left.push((end + 1, own_end));
                }
            }
            self.0 = left;
        }
    }

    pub(super) fn contains(&self, other: &Ranges) -> bool {
        let holds = |&(begin, end): &(u64, u64)| {
            let at = self.0.partition_point(|own| own.1 < begin);
            self.0.get(at).is_some_and(|own| own.0 <= begin && end <= own.1)
        };
        other.0.iter().all(holds)
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self
            .0
            .iter()
            .map(|(begin, end)| format!("{begin}-{end}"))
            .collect();
        write!(f, "[{}]", pairs.join(", "))
    }
}

/// Sorts ranges and joins those that touch.
fn joined(mut pairs: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    pairs.sort_unstable();
    let mut all: Vec<(u64, u64)> = Vec::with_capacity(pairs.len());
    for (begin, end) in pairs {
        match all.last_mut() {
            Some(last) if begin <= last.1.saturating_add(1) => last.1 = last.1.max(end),
            _ => all.push((begin, end)),
        }
    }
    all
}
