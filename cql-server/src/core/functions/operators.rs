//! Arithmetic of statements: `+ - * / %` and negation, with the original's promotion of types.

use super::number::{Failure, NUMERIC, Number, divided_half_up, precision, stripped, ten_to};
use crate::core::types::{Native, decimal::Decimal, duration::Duration, moments};
use num_bigint::{BigInt, Sign};

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

impl Operator {
    /// Every operator: its sign, and the function that it is.
    pub(super) const ALL: [(Operator, char, &'static str); 5] = [
        (Operator::Add, '+', "_add"),
        (Operator::Subtract, '-', "_substract"),
        (Operator::Multiply, '*', "_multiply"),
        (Operator::Divide, '/', "_divide"),
        (Operator::Modulo, '%', "_modulo"),
    ];

    /// How statements write it.
    pub(crate) fn sign(self) -> char {
        Self::ALL
            .iter()
            .find(|(operator, ..)| *operator == self)
            .map_or(' ', |(_, sign, _)| *sign)
    }

    /// The function that it is.
    pub(crate) fn function(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(operator, ..)| *operator == self)
            .map_or("", |(.., name)| *name)
    }
}

/// How wide a whole number is; counters calculate as bigints.
fn width(native: Native) -> Option<u8> {
    match native {
        Native::Tinyint => Some(1),
        Native::Smallint => Some(2),
        Native::Int => Some(4),
        Native::Bigint | Native::Counter => Some(8),
        _ => None,
    }
}

/// The type of a result: the smallest that holds both operands, exactly where one of them is exact.
pub(super) fn promoted(left: Native, right: Native) -> Option<Native> {
    if !NUMERIC.contains(&left) || !NUMERIC.contains(&right) {
        return None;
    }
    let either = |native| left == native || right == native;
    let floating = either(Native::Float) || either(Native::Double);
    Some(
        if either(Native::Decimal) || (either(Native::Varint) && floating) {
            Native::Decimal
        } else if either(Native::Varint) {
            Native::Varint
        } else if floating {
            let wide = either(Native::Double) || either(Native::Bigint) || either(Native::Counter);
            if wide { Native::Double } else { Native::Float }
        } else {
            match width(left).max(width(right)) {
                Some(1) => Native::Tinyint,
                Some(2) => Native::Smallint,
                Some(4) => Native::Int,
                _ => Native::Bigint,
            }
        },
    )
}

/// Calculates in the type of the result.
pub(super) fn calculate(
    operator: Operator,
    result: Native,
    left: &Number,
    right: &Number,
) -> Result<Number, Failure> {
    let (left, right) = (left.to(result)?, right.to(result)?);
    match (left, right) {
        (Number::Whole(left), Number::Whole(right)) => whole(operator, left, right).map(Number::Whole),
        (Number::Float(left), Number::Float(right)) => Ok(Number::Float(match operator {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide => left / right,
            Operator::Modulo => left % right,
        })),
        (Number::Double(left), Number::Double(right)) => Ok(Number::Double(match operator {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide => left / right,
            Operator::Modulo => left % right,
        })),
        (Number::Varint(left), Number::Varint(right)) => varint(operator, &left, &right).map(Number::Varint),
        (Number::Decimal(left), Number::Decimal(right)) => {
            decimal(operator, &left, &right).map(Number::Decimal)
        }
        _ => Err("operands of unlike types".into()),
    }
}

/// Overflow wraps; the result is cut to its type when it becomes bytes.
fn whole(operator: Operator, left: i64, right: i64) -> Result<i64, Failure> {
    Ok(match operator {
        Operator::Add => left.wrapping_add(right),
        Operator::Subtract => left.wrapping_sub(right),
        Operator::Multiply => left.wrapping_mul(right),
        Operator::Divide | Operator::Modulo if right == 0 => return Err("/ by zero".into()),
        Operator::Divide => left.wrapping_div(right),
        Operator::Modulo => left.wrapping_rem(right),
    })
}

fn varint(operator: Operator, left: &BigInt, right: &BigInt) -> Result<BigInt, Failure> {
    Ok(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide | Operator::Modulo if right.sign() == Sign::NoSign => {
            return Err("BigInteger divide by zero".into());
        }
        Operator::Divide => left / right,
        Operator::Modulo => left % right,
    })
}

/// Digits of a result, at most.
const PRECISION_MAX: i64 = 10_000;
/// Digits of a quotient, at least, and behind its point, at least and at most.
const QUOTIENT_DIGITS_MIN: i64 = 32;
const QUOTIENT_SCALE_MIN: i64 = 32;
const QUOTIENT_SCALE_MAX: i64 = 1000;

fn decimal(operator: Operator, left: &Decimal, right: &Decimal) -> Result<Decimal, Failure> {
    let zero = right.unscaled.sign() == Sign::NoSign;
    match operator {
        Operator::Add => sum(left, right),
        Operator::Subtract => sum(
            left,
            &Decimal {
                unscaled: -&right.unscaled,
                scale: right.scale,
            },
        ),
        Operator::Multiply => {
            let scale = i64::from(left.scale) + i64::from(right.scale);
            rounded(&left.unscaled * &right.unscaled, scale)
        }
        Operator::Divide if zero => Err("BigInteger divide by zero".into()),
        Operator::Modulo if zero && left.unscaled.sign() == Sign::NoSign => Err("Division undefined".into()),
        Operator::Modulo if zero => Err("Division by zero".into()),
        Operator::Divide => quotient(left, right),
        Operator::Modulo => remainder(left, right),
    }
}

fn sum(left: &Decimal, right: &Decimal) -> Result<Decimal, Failure> {
    let scale = left.scale.max(right.scale);
    let padded = |value: &Decimal| i64::from(scale) - i64::from(value.scale);
    // Beyond the digits of a result the smaller number does not show.
    for (value, other) in [(left, right), (right, left)] {
        if padded(value) > 2 * PRECISION_MAX + precision(&other.unscaled) {
            return Ok(if value.unscaled.sign() == Sign::NoSign {
                other.clone()
            } else {
                value.clone()
            });
        }
    }
    let aligned = |value: &Decimal| &value.unscaled * ten_to(padded(value) as u32);
    rounded(aligned(left) + aligned(right), scale.into())
}

/// A result of no more digits than there may be.
fn rounded(unscaled: BigInt, scale: i64) -> Result<Decimal, Failure> {
    let surplus = (precision(&unscaled) - PRECISION_MAX).max(0);
    let unscaled = if surplus > 0 {
        divided_half_up(&unscaled, &ten_to(surplus as u32))
    } else {
        unscaled
    };
    let overflow = |_| if scale > 0 { "Underflow" } else { "Overflow" }.to_owned();
    Ok(Decimal {
        unscaled,
        scale: i32::try_from(scale - surplus).map_err(overflow)?,
    })
}

fn quotient(left: &Decimal, right: &Decimal) -> Result<Decimal, Failure> {
    let before_point = |value: &Decimal| precision(&value.unscaled) - i64::from(value.scale);
    let first_digit = before_point(left) - before_point(right);
    let (left_scale, right_scale) = (i64::from(left.scale), i64::from(right.scale));
    let scale = (QUOTIENT_DIGITS_MIN - first_digit)
        .max(left_scale)
        .max(right_scale);
    let scale = scale.clamp(QUOTIENT_SCALE_MIN, QUOTIENT_SCALE_MAX);
    // left / right = unscaled / 10^scale
    let power = scale + right_scale - left_scale;
    if power.abs() > 10 * PRECISION_MAX {
        return if power > 0 {
            Err("Overflow".into())
        } else {
            Ok(Decimal {
                unscaled: BigInt::ZERO,
                scale: 0,
            })
        };
    }
    let ten = ten_to(power.unsigned_abs() as u32);
    let unscaled = if power >= 0 {
        divided_half_up(&(&left.unscaled * ten), &right.unscaled)
    } else {
        divided_half_up(&left.unscaled, &(&right.unscaled * ten))
    };
    Ok(stripped(Decimal {
        unscaled,
        scale: scale as i32,
    }))
}

fn remainder(left: &Decimal, right: &Decimal) -> Result<Decimal, Failure> {
    let scale = left.scale.max(right.scale);
    let padded = |value: &Decimal| i64::from(scale) - i64::from(value.scale);
    if padded(left).max(padded(right)) > 10 * PRECISION_MAX {
        return Err("Overflow".into());
    }
    let aligned = |value: &Decimal| &value.unscaled * ten_to(padded(value) as u32);
    let (a, b) = (aligned(left), aligned(right));
    let whole = &a / &b;
    // The quotient keeps as few zeros as the scales ask for, and the remainder takes its scale from it.
    let mut quotient_scale = i64::from(left.scale) - i64::from(right.scale);
    if quotient_scale < 0 && whole.sign() != Sign::NoSign {
        let digits = whole.to_string();
        let zeros = (digits.len() - digits.trim_end_matches('0').len()) as i64;
        quotient_scale = quotient_scale.max(-zeros);
    }
    let result_scale = i64::from(left.scale).max(quotient_scale + i64::from(right.scale));
    let rest = a % b;
    let less = i64::from(scale) - result_scale;
    let unscaled = if less > 0 {
        rest / ten_to(less as u32)
    } else {
        rest
    };
    Ok(Decimal {
        unscaled,
        scale: result_scale as i32,
    })
}

/// The opposite number.
pub(super) fn negated(number: Number) -> Number {
    match number {
        Number::Whole(value) => Number::Whole(value.wrapping_neg()),
        Number::Float(value) => Number::Float(-value),
        Number::Double(value) => Number::Double(-value),
        Number::Varint(value) => Number::Varint(-value),
        Number::Decimal(value) => Number::Decimal(Decimal {
            unscaled: -value.unscaled,
            scale: value.scale,
        }),
    }
}

const DAY_MS: i64 = 86_400_000;

/// A date or timestamp, moved by a duration forwards or backwards.
pub(super) fn moved(
    native: Native,
    value: &[u8],
    by: &[u8],
    operator: Operator,
) -> Result<Option<Vec<u8>>, Failure> {
    let Some(duration) = Duration::of(by) else {
        return Ok(None);
    };
    let sign = if operator == Operator::Subtract { -1 } else { 1 };
    let (months, days) = (sign * i64::from(duration.months), sign * i64::from(duration.days));
    let overflow = || "long overflow".to_owned();
    if native == Native::Date {
        if duration.nanoseconds != 0 {
            return Err(format!("The duration must have a day precision. Was: {duration}"));
        }
        let Ok(date) = value.try_into().map(u32::from_be_bytes) else {
            return Ok(None);
        };
        let day = add_months(i64::from(date) - (1 << 31), months) + days;
        return Ok(Some(((day + (1 << 31)) as u32).to_be_bytes().to_vec()));
    }
    if duration.nanoseconds % 1_000_000 != 0 {
        return Err(format!(
            "The duration must have a millisecond precision. Was: {duration}"
        ));
    }
    let Ok(timestamp) = value.try_into().map(i64::from_be_bytes) else {
        return Ok(None);
    };
    let day = add_months(timestamp.div_euclid(DAY_MS), months) + days;
    let moved = day
        .checked_mul(DAY_MS)
        .and_then(|start| start.checked_add(timestamp.rem_euclid(DAY_MS)));
    let moved = moved.and_then(|moved| moved.checked_add(sign * (duration.nanoseconds / 1_000_000)));
    Ok(Some(moved.ok_or_else(overflow)?.to_be_bytes().to_vec()))
}

/// The same day so many months later, or the last one that the month has.
pub(super) fn add_months(days: i64, months: i64) -> i64 {
    if months == 0 {
        return days;
    }
    let (year, month, day) = moments::date_of(days);
    let month = year * 12 + i64::from(month) - 1 + months;
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) as u32 + 1);
    moments::days_of(year, month, day.min(moments::days_in(year, month)))
}
