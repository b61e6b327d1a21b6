//! count, sum, avg, min and max, fed value by value.

use super::number::{NUMERIC, Number, divided_half_up};
use super::operators::{Operator, calculate};
use super::{Body, Function, native};
use crate::core::types::{CqlType, Native, compare, decimal::Decimal};
use num_bigint::BigInt;
use std::cmp::Ordering;

/// Which aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    CountRows,
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

/// The aggregates of that name that take a value of `kind`.
pub(super) fn candidates(name: &str, kind: Option<&CqlType>) -> Vec<Function> {
    let function = |name: &str, arguments: Vec<CqlType>, returns: CqlType, kind: Kind| Function {
        name: name.into(),
        arguments,
        returns,
        pure: true,
        body: Body::Aggregate(kind),
    };
    let bigint = || CqlType::Native(Native::Bigint);
    match name {
        "count_rows" | "countrows" => vec![function("count_rows", Vec::new(), bigint(), Kind::CountRows)],
        // It counts values of every type.
        "count" => {
            let any = kind.cloned().unwrap_or(CqlType::Native(Native::Blob));
            vec![function(name, vec![any], bigint(), Kind::Count)]
        }
        "sum" | "avg" => {
            let which = if name == "sum" { Kind::Sum } else { Kind::Avg };
            NUMERIC
                .map(|number| function(name, vec![number.into()], number.into(), which))
                .into()
        }
        "min" | "max" => {
            let which = if name == "min" { Kind::Min } else { Kind::Max };
            kind.map(|kind| function(name, vec![kind.clone()], kind.clone(), which))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

/// An aggregate on its way.
#[derive(Debug, Clone)]
pub(crate) struct Accumulator {
    kind: Kind,
    of: Option<CqlType>,
    count: i64,
    /// The least or greatest value so far.
    extreme: Option<Vec<u8>>,
    total: Total,
}

/// What sums and averages are made of.
#[derive(Debug, Clone)]
enum Total {
    None,
    /// Sums wrap in the width of their type; averages need them whole.
    Whole(i128),
    Exact(BigInt),
    Floating(Floating),
    Decimal(Decimal),
}

/// A sum that carries what each addition loses to the next one, and beyond its range goes on as a decimal.
#[derive(Debug, Clone, Default)]
struct Floating {
    simple: f64,
    sum: f64,
    lost: f64,
    beyond: Option<Decimal>,
}

impl Floating {
    fn add(&mut self, value: f64) {
        let as_decimal = |value: f64| Number::Double(value).to_decimal().ok();
        if let (Some(beyond), Some(value)) = (&self.beyond, as_decimal(value)) {
            self.beyond = sum_of(Operator::Add, beyond, &value);
            return;
        }
        self.simple += value;
        let (before, added) = (self.sum, value - self.lost);
        self.sum += added;
        self.lost = (self.sum - before) - added;
        if self.sum.is_infinite()
            && let (Some(before), Some(value)) = (as_decimal(before), as_decimal(value))
        {
            self.beyond = sum_of(Operator::Add, &before, &value);
        }
    }

    fn sum(&self) -> f64 {
        let sum = self.sum + self.lost;
        if sum.is_nan() && self.simple.is_infinite() {
            self.simple
        } else {
            sum
        }
    }

    fn average(&self, count: i64) -> f64 {
        match &self.beyond {
            Some(Decimal { unscaled, scale }) => {
                let unscaled = divided_half_even(unscaled, &BigInt::from(count));
                Number::Decimal(Decimal {
                    unscaled,
                    scale: *scale,
                })
                .to_double()
            }
            None => self.sum() / count as f64,
        }
    }
}

fn sum_of(operator: Operator, left: &Decimal, right: &Decimal) -> Option<Decimal> {
    let (left, right) = (Number::Decimal(left.clone()), Number::Decimal(right.clone()));
    match calculate(operator, Native::Decimal, &left, &right) {
        Ok(Number::Decimal(result)) => Some(result),
        _ => None,
    }
}

impl Accumulator {
    pub(super) fn new(kind: Kind, of: Option<&CqlType>) -> Accumulator {
        let total = match (kind, of.and_then(native)) {
            (Kind::Sum | Kind::Avg, Some(Native::Float | Native::Double)) => {
                Total::Floating(Floating::default())
            }
            (Kind::Sum | Kind::Avg, Some(Native::Varint)) => Total::Exact(BigInt::ZERO),
            (Kind::Sum | Kind::Avg, Some(Native::Decimal)) => Total::Decimal(Decimal {
                unscaled: BigInt::ZERO,
                scale: 0,
            }),
            (Kind::Sum | Kind::Avg, Some(_)) => Total::Whole(0),
            _ => Total::None,
        };
        Accumulator {
            kind,
            of: of.cloned(),
            count: 0,
            extreme: None,
            total,
        }
    }

    /// Takes one more value; rows without one count nowhere but in `count(*)`.
    pub(crate) fn add(&mut self, value: Option<&[u8]>) {
        match (self.kind, value) {
            (Kind::CountRows, _) | (Kind::Count, Some(_)) => self.count += 1,
            (Kind::Sum | Kind::Avg, Some(value)) => self.add_number(value),
            (Kind::Min, Some(value)) => self.keep(value, Ordering::Less),
            (Kind::Max, Some(value)) => self.keep(value, Ordering::Greater),
            (_, None) => {}
        }
    }

    fn keep(&mut self, value: &[u8], better: Ordering) {
        let Some(of) = &self.of else { return };
        if self
            .extreme
            .as_ref()
            .is_none_or(|extreme| compare(of, value, extreme) == better)
        {
            let kept = self.extreme.get_or_insert_default();
            kept.clear();
            kept.extend_from_slice(value);
        }
    }

    fn add_number(&mut self, value: &[u8]) {
        let Some(number) = self
            .of
            .as_ref()
            .and_then(native)
            .and_then(|of| Number::of(of, value))
        else {
            return;
        };
        self.count += 1;
        match (&mut self.total, number) {
            (Total::Whole(total), Number::Whole(value)) => *total += i128::from(value),
            (Total::Floating(total), number) => total.add(number.to_double()),
            (Total::Exact(total), Number::Varint(value)) => *total += value,
            (Total::Decimal(total), Number::Decimal(value)) => {
                let next = match self.kind {
                    Kind::Sum => sum_of(Operator::Add, total, &value),
                    _ => moved_average(total, &value, self.count),
                };
                *total = next.unwrap_or_else(|| total.clone());
            }
            _ => {}
        }
    }

    /// The result of what was added.
    pub(crate) fn finish(&self) -> Option<Vec<u8>> {
        let of = self.of.as_ref().and_then(native).unwrap_or(Native::Bigint);
        let averaged = self.kind == Kind::Avg && self.count > 0;
        let number = match &self.total {
            Total::None if matches!(self.kind, Kind::Min | Kind::Max) => return self.extreme.clone(),
            Total::None => return Some(self.count.to_be_bytes().to_vec()),
            Total::Whole(total) if averaged => Number::Whole((total / i128::from(self.count)) as i64),
            Total::Whole(total) => Number::Whole(*total as i64),
            Total::Exact(total) if averaged => Number::Varint(total / self.count),
            Total::Exact(total) => Number::Varint(total.clone()),
            Total::Decimal(total) => Number::Decimal(total.clone()),
            Total::Floating(total) => {
                let result = if averaged {
                    total.average(self.count)
                } else {
                    total.sum()
                };
                if of == Native::Float {
                    Number::Float(result as f32)
                } else {
                    Number::Double(result)
                }
            }
        };
        Some(number.to_bytes(of))
    }
}

/// The average of one more value, as the original moves it: each step is rounded to the even digit.
fn moved_average(average: &Decimal, value: &Decimal, count: i64) -> Option<Decimal> {
    let difference = sum_of(Operator::Subtract, value, average)?;
    let unscaled = divided_half_even(&difference.unscaled, &BigInt::from(count));
    sum_of(
        Operator::Add,
        average,
        &Decimal {
            unscaled,
            scale: difference.scale,
        },
    )
}

fn divided_half_even(dividend: &BigInt, divisor: &BigInt) -> BigInt {
    let down = dividend / divisor;
    let rest = dividend - &down * divisor;
    let exactly_half = rest.magnitude() * 2_u32 == *divisor.magnitude();
    if exactly_half && !down.bit(0) {
        down
    } else {
        divided_half_up(dividend, divisor)
    }
}
