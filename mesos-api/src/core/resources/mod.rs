//! Amounts of resources, exact: scalars count thousandths, so that nothing is lost by rounding.
//!
//! Rooms: `ranges`, `scalars` (sums by name), `reserved` (whose they are, volumes), `operations` (what makes other
//! resources of some). Knows: scalars, ranges, sets, and which of them may be added up. Never: who has them.

mod operations;
mod ranges;
mod reserved;
mod scalars;
#[cfg(test)]
mod tests;

pub(crate) use operations::{Conversion, conversion};
pub(crate) use reserved::{downgrade, is_open_to, reserved_role, upgrade};
pub(crate) use scalars::Scalars;

use mesos_proto::v1::{Resource, resource::AllocationInfo, value};
use ranges::Ranges;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Scalars beyond this are refused: sums of them stay exact.
const SCALAR_MAX: f64 = 1e12;

/// An amount as messages have it.
pub(crate) fn scalar(name: &str, value: f64) -> Resource {
    Resource {
        name: name.to_owned(),
        r#type: value::Type::Scalar as i32,
        scalar: Some(value::Scalar { value }),
        ..Resource::default()
    }
}

/// How much of one kind.
#[derive(Debug, Clone, PartialEq)]
enum Amount {
    /// In thousandths.
    Scalar(i64),
    Ranges(Ranges),
    Set(BTreeSet<String>),
}

/// Some of one kind; two that differ in `kind` are never added up.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    /// The resource without its value.
    kind: Resource,
    amount: Amount,
}

/// Why a resource cannot be taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum ResourceError {
    #[error("Empty resource name")]
    Name,
    #[error("Invalid resource type '{0}'")]
    Type(String),
    #[error("Invalid scalar resource: {0}")]
    Scalar(String),
    #[error("Invalid ranges resource: {0}")]
    Ranges(String),
    #[error("Invalid set resource: duplicated elements")]
    Set,
    #[error("{0}")]
    Reservation(String),
}

/// A bag of resources.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Resources(Vec<Entry>);

impl Resources {
    /// Takes resources of the API, checked.
    pub(crate) fn of(list: &[Resource]) -> Result<Self, ResourceError> {
        let mut all = Resources::default();
        for resource in list {
            all.add_entry(entry(resource)?);
        }
        Ok(all)
    }

    /// As the API has them for who knows nothing of refined reservations.
    pub(crate) fn to_list(&self) -> Vec<Resource> {
        let mut all = self.to_refined();
        all.iter_mut().for_each(downgrade);
        all
    }

    /// As the API has them for who knows that reservations may be several.
    pub(crate) fn to_refined(&self) -> Vec<Resource> {
        self.0.iter().map(resource).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what `other` has.
    pub(crate) fn add(&mut self, other: &Resources) {
        for one in &other.0 {
            self.add_entry(one.clone());
        }
    }

    /// Takes away what `other` has, as far as it is there.
    pub(crate) fn subtract(&mut self, other: &Resources) {
        for one in &other.0 {
            if let Some(own) = self.0.iter_mut().find(|own| own.kind == one.kind) {
                own.amount.subtract(&one.amount);
            }
        }
        self.0.retain(|own| !own.amount.is_empty());
    }

    /// Whether all of `other` is in it.
    pub(crate) fn contains(&self, other: &Resources) -> bool {
        other.0.iter().all(|one| {
            let own = self.0.iter().find(|own| own.kind == one.kind);
            // A volume is taken whole.
            let volume = one
                .kind
                .disk
                .as_ref()
                .is_some_and(|disk| disk.persistence.is_some());
            own.is_some_and(|own| match volume {
                true => own.amount == one.amount,
                false => own.amount.contains(&one.amount),
            })
        })
    }

    /// The same resources as allocated to `role`.
    pub(crate) fn allocated(&self, role: &str) -> Self {
        self.with_allocation(Some(AllocationInfo {
            role: Some(role.to_owned()),
        }))
    }

    /// The same resources as allocated to nobody.
    pub(crate) fn unallocated(&self) -> Self {
        self.with_allocation(None)
    }

    fn with_allocation(&self, allocation: Option<AllocationInfo>) -> Self {
        let mut changed = Resources::default();
        for one in &self.0 {
            let mut one = one.clone();
            one.kind.allocation_info.clone_from(&allocation);
            changed.add_entry(one);
        }
        changed
    }

    /// What nobody has reserved.
    pub(crate) fn unreserved(&self) -> Self {
        self.filter(|kind| kind.reservations.is_empty())
    }

    /// What is reserved.
    pub(crate) fn reserved(&self) -> Self {
        self.filter(|kind| !kind.reservations.is_empty())
    }

    /// The part of it whose kind is wanted.
    pub(crate) fn filter(&self, wanted: impl Fn(&Resource) -> bool) -> Self {
        let wanted = |one: &&Entry| wanted(&one.kind);
        Resources(self.0.iter().filter(wanted).cloned().collect())
    }

    /// The same with no more of any unreserved scalar than `most` says; `None` is no bound.
    pub(crate) fn at_most(&self, most: impl Fn(&str) -> Option<i64>) -> Self {
        let mut all = Resources::default();
        let mut taken = Scalars::default();
        for one in &self.0 {
            let mut one = one.clone();
            if let (Amount::Scalar(has), true) = (&mut one.amount, one.kind.reservations.is_empty()) {
                let before = taken.get(&one.kind.name);
                let room = most(&one.kind.name).map_or(i64::MAX, |most| (most - before).max(0));
                *has = (*has).min(room);
                taken.add(&one.kind.name, *has);
            }
            all.add_entry(one);
        }
        all
    }

    /// Sums of its scalars by name.
    pub(crate) fn scalars(&self) -> Scalars {
        let mut sums = Scalars::default();
        for one in &self.0 {
            if let Amount::Scalar(thousandths) = one.amount {
                sums.add(&one.kind.name, thousandths);
            }
        }
        sums
    }

    /// Sums of its scalars for each role that they are allocated to.
    pub(crate) fn by_role(&self) -> BTreeMap<String, Scalars> {
        let mut all: BTreeMap<String, Scalars> = BTreeMap::new();
        for one in &self.0 {
            if let (Amount::Scalar(thousandths), Some(to)) = (&one.amount, &one.kind.allocation_info) {
                let sums = all.entry(to.role().to_owned()).or_default();
                sums.add(&one.kind.name, *thousandths);
            }
        }
        all
    }

    /// Thousandths of a scalar, of whatever reservation.
    pub(crate) fn scalar(&self, name: &str) -> i64 {
        let named = self.0.iter().filter(|one| one.kind.name == name);
        named.fold(0, |sum, one| match one.amount {
            Amount::Scalar(thousandths) => sum.saturating_add(thousandths),
            _ => sum,
        })
    }

    fn add_entry(&mut self, one: Entry) {
        match self.0.iter_mut().find(|own| own.kind == one.kind) {
            Some(own) => own.amount.add(&one.amount),
            None if one.amount.is_empty() => {}
            None => self.0.push(one),
        }
    }
}

impl fmt::Display for Resources {
    /// As the original prints them in its messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, one) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            let role = one.kind.allocation_info.as_ref().map(AllocationInfo::role);
            let allocated = role
                .map(|role| format!("(allocated: {role})"))
                .unwrap_or_default();
            let whose = reserved::describe(&one.kind);
            write!(f, "{separator}{}{allocated}{whose}:{}", one.kind.name, one.amount)?;
        }
        Ok(())
    }
}

impl Amount {
    fn is_empty(&self) -> bool {
        match self {
            Amount::Scalar(thousandths) => *thousandths <= 0,
            Amount::Ranges(ranges) => ranges.is_empty(),
            Amount::Set(items) => items.is_empty(),
        }
    }

    fn add(&mut self, other: &Amount) {
        match (self, other) {
            (Amount::Scalar(own), Amount::Scalar(other)) => *own = own.saturating_add(*other),
            (Amount::Ranges(own), Amount::Ranges(other)) => own.add(other),
            (Amount::Set(own), Amount::Set(other)) => own.extend(other.iter().cloned()),
            _ => {}
        }
    }

    fn subtract(&mut self, other: &Amount) {
        match (self, other) {
            (Amount::Scalar(own), Amount::Scalar(other)) => *own = own.saturating_sub(*other),
            (Amount::Ranges(own), Amount::Ranges(other)) => own.subtract(other),
            (Amount::Set(own), Amount::Set(other)) => own.retain(|item| !other.contains(item)),
            _ => {}
        }
    }

    fn contains(&self, other: &Amount) -> bool {
        match (self, other) {
            (Amount::Scalar(own), Amount::Scalar(other)) => own >= other,
            (Amount::Ranges(own), Amount::Ranges(other)) => own.contains(other),
            (Amount::Set(own), Amount::Set(other)) => own.is_superset(other),
            _ => false,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Scalar(thousandths) => write!(f, "{}", decimal(*thousandths)),
            Amount::Ranges(ranges) => write!(f, "{ranges}"),
            Amount::Set(items) => {
                write!(f, "{{{}}}", items.iter().cloned().collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Thousandths as the API's number.
pub(crate) fn decimal(thousandths: i64) -> f64 {
    thousandths as f64 / 1000.0
}

fn entry(resource: &Resource) -> Result<Entry, ResourceError> {
    if resource.name.is_empty() {
        return Err(ResourceError::Name);
    }
    let amount = match (&resource.scalar, &resource.ranges, &resource.set) {
        (Some(scalar), None, None) if resource.r#type == value::Type::Scalar as i32 => {
            Amount::Scalar(thousandths(scalar.value)?)
        }
        (None, Some(ranges), None) if resource.r#type == value::Type::Ranges as i32 => {
            Amount::Ranges(Ranges::of(&ranges.range).map_err(ResourceError::Ranges)?)
        }
        (None, None, Some(set)) if resource.r#type == value::Type::Set as i32 => {
            let items: BTreeSet<String> = set.item.iter().cloned().collect();
            if items.len() < set.item.len() {
                return Err(ResourceError::Set);
            }
            Amount::Set(items)
        }
        _ => return Err(ResourceError::Type(resource.name.clone())),
    };
    let mut kind = Resource {
        scalar: None,
        ranges: None,
        set: None,
        ..resource.clone()
    };
    upgrade(&mut kind);
    reserved::check(&kind)?;
    Ok(Entry { kind, amount })
}

fn resource(entry: &Entry) -> Resource {
    let mut resource = entry.kind.clone();
    match &entry.amount {
        Amount::Scalar(thousandths) => {
            resource.scalar = Some(value::Scalar {
                value: decimal(*thousandths),
            });
        }
        Amount::Ranges(ranges) => resource.ranges = Some(ranges.to_value()),
        Amount::Set(items) => {
            resource.set = Some(value::Set {
                item: items.iter().cloned().collect(),
            });
        }
    }
    resource
}

#[allow(clippy::cast_possible_truncation, reason = "bounded just before")]
fn thousandths(value: f64) -> Result<i64, ResourceError> {
    if !value.is_finite() || !(0.0..=SCALAR_MAX).contains(&value) {
        return Err(ResourceError::Scalar(format!("value {value} is out of range")));
    }
    Ok((value * 1000.0).round() as i64)
}
