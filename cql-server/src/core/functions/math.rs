//! abs, exp, log, log10 and round of every type of number.

use super::number::{Failure, Number, precision, rescaled_half_up, ten_to, whole_part};
use super::operators::negated;
use crate::core::types::{Native, decimal::Decimal};
use num_bigint::{BigInt, Sign};

/// A function of one number that gives one of the same type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Math {
    Abs,
    Exp,
    Log,
    Log10,
    Round,
    Negate,
}

impl Math {
    /// Every one of them, by its name.
    pub(super) const ALL: [(&'static str, Math); 6] = [
        ("abs", Math::Abs),
        ("exp", Math::Exp),
        ("log", Math::Log),
        ("log10", Math::Log10),
        ("round", Math::Round),
        ("_negate", Math::Negate),
    ];

    /// Of `number`, which is of type `native`.
    pub(super) fn of(self, native: Native, number: Number) -> Result<Number, Failure> {
        match self {
            Math::Negate => Ok(negated(number)),
            Math::Abs => Ok(match number {
                Number::Whole(value) => Number::Whole(value.wrapping_abs()),
                Number::Float(value) => Number::Float(value.abs()),
                Number::Double(value) => Number::Double(value.abs()),
                Number::Varint(value) => Number::Varint(BigInt::from(value.magnitude().clone())),
                Number::Decimal(Decimal { unscaled, scale }) => Number::Decimal(Decimal {
                    unscaled: BigInt::from(unscaled.magnitude().clone()),
                    scale,
                }),
            }),
            Math::Round => Ok(match number {
                Number::Float(value) => Number::Float((f64::from(value) + 0.5).floor() as i32 as f32),
                Number::Double(value) => Number::Double(java_round(value) as f64),
                Number::Decimal(value) => {
                    Number::Decimal(rescaled_half_up(&value, 0).ok_or_else(|| "Overflow".to_owned())?)
                }
                whole => whole,
            }),
            Math::Exp | Math::Log | Math::Log10 => match number {
                Number::Decimal(value) => self.exactly(&value).map(Number::Decimal),
                Number::Varint(value) => {
                    let result = self.exactly(&Decimal {
                        unscaled: value,
                        scale: 0,
                    })?;
                    whole_part(&result).map(Number::Varint)
                }
                other => Number::Double(self.roughly(other.to_double())).to(native),
            },
        }
    }

    fn roughly(self, value: f64) -> f64 {
        match self {
            Math::Exp => value.exp(),
            Math::Log => value.ln(),
            // As the original's processor has it.
            _ if value < 0.0 => -f64::NAN,
            _ => value.log10(),
        }
    }

    /// To as many digits as the number has, but at least 32.
    fn exactly(self, value: &Decimal) -> Result<Decimal, Failure> {
        let digits = precision(&value.unscaled);
        if digits > DIGITS_MAX {
            return Err("Overflow".into());
        }
        let digits = digits.max(32) as u32;
        let positive = value.unscaled.sign() == Sign::Plus;
        match self {
            Math::Exp => exponential(value, digits),
            Math::Log if !positive => Err("Natural log of number zero or less".into()),
            Math::Log10 if !positive => Err("Log10 of number zero or less".into()),
            Math::Log => {
                let fixed = logarithm(value, digits + GUARD);
                Ok(rounded(&fixed, digits + GUARD, digits))
            }
            _ => common_logarithm(value, digits),
        }
    }
}

/// Numbers of more digits have no exact functions here.
const DIGITS_MAX: i64 = 1000;
/// Digits that are calculated beyond those that are shown.
const GUARD: u32 = 16;

/// The nearest whole number, the greater one of two.
fn java_round(value: f64) -> i64 {
    let floor = value.floor();
    let whole = if value - floor >= 0.5 { floor + 1.0 } else { floor };
    whole as i64
}

/// `fixed` stands for fixed / 10^scale; the same number with `digits` digits, without zeros that say nothing.
fn rounded(fixed: &BigInt, scale: u32, digits: u32) -> Decimal {
    let surplus = precision(fixed) - i64::from(digits);
    let value = Decimal {
        unscaled: fixed.clone(),
        scale: scale as i32,
    };
    let to = i64::from(scale) - surplus;
    rescaled_half_up(&value, to as i32).unwrap_or(value)
}

/// value * 10^scale, as far as it is whole.
fn fixed_point(value: &Decimal, scale: u32) -> BigInt {
    let more = i64::from(scale) - i64::from(value.scale);
    let power = ten_to(more.unsigned_abs() as u32);
    if more >= 0 {
        &value.unscaled * power
    } else {
        &value.unscaled / power
    }
}

/// e to a power that is small: its series, after halving the power often enough to be short.
fn exp_fixed(power: &BigInt, scale: u32) -> BigInt {
    let one = ten_to(scale);
    let halvings = power.bits().saturating_sub(one.bits()) + 8;
    let small = power >> halvings;
    let (mut term, mut sum) = (one.clone(), one.clone());
    let mut n = 1_u32;
    loop {
        term = &term * &small / (&one * n);
        if term.sign() == Sign::NoSign || n > 10_000 {
            break;
        }
        sum += &term;
        n += 1;
    }
    for _ in 0..halvings {
        sum = &sum * &sum / &one;
    }
    sum
}

fn exponential(value: &Decimal, digits: u32) -> Result<Decimal, Failure> {
    if value.unscaled.sign() == Sign::NoSign {
        return Ok(Decimal {
            unscaled: BigInt::from(1),
            scale: 0,
        });
    }
    let rough: f64 = value.to_string().parse().unwrap_or(f64::INFINITY);
    // So near to zero that no digit of the result shows it, and its own digits would be billions.
    if i64::from(value.scale) - precision(&value.unscaled) > 10 * DIGITS_MAX {
        return Ok(Decimal {
            unscaled: BigInt::from(1),
            scale: 0,
        });
    }
    if rough.abs() > 20_000.0 {
        return Err(if rough > 0.0 { "Overflow" } else { "Underflow" }.into());
    }
    // Digits before the point, and those that halving and squaring lose.
    let wide = digits + GUARD + (rough.abs() / 2.0) as u32 + 8;
    let result = exp_fixed(&fixed_point(value, wide), wide);
    Ok(rounded(&result, wide, digits))
}

/// The natural logarithm with `scale` digits behind the point: powers of ten apart, the rest by Newton's method.
fn logarithm(value: &Decimal, scale: u32) -> BigInt {
    let digits = precision(&value.unscaled);
    let near_one = Decimal {
        unscaled: value.unscaled.clone(),
        scale: digits as i32,
    };
    let wide = scale + GUARD;
    let power = digits - i64::from(value.scale);
    let mut result = log_near_one(&fixed_point(&near_one, wide), wide);
    if power != 0 {
        result += log_near_one(&(ten_to(wide) * 10), wide) * power;
    }
    result / ten_to(GUARD)
}

/// ln x = y where e^y = x: each step triples the digits that are right.
fn log_near_one(x: &BigInt, scale: u32) -> BigInt {
    let one = ten_to(scale);
    let rough: f64 = Decimal {
        unscaled: x.clone(),
        scale: scale as i32,
    }
    .to_string()
    .parse()
    .unwrap_or(1.0);
    let start = Decimal::parse(&format!("{:.17}", rough.ln()));
    let mut y = start.map_or(BigInt::ZERO, |start| fixed_point(&start, scale));
    let mut right = 15;
    while right < scale {
        let e = exp_fixed(&y, scale);
        y += (x - &e) * &one * 2 / (x + &e);
        right *= 3;
    }
    y
}

fn common_logarithm(value: &Decimal, digits: u32) -> Result<Decimal, Failure> {
    // Powers of ten have exact logarithms.
    let text = value.unscaled.to_string();
    if text.starts_with('1') && text[1..].bytes().all(|byte| byte == b'0') {
        let power = text.len() as i64 - 1 - i64::from(value.scale);
        let result = Decimal {
            unscaled: BigInt::from(power),
            scale: 0,
        };
        return Ok(if value.scale >= 0 {
            result
        } else {
            rescaled_half_up(&result, digits as i32 - 1).unwrap_or(result)
        });
    }
    let wide = digits + GUARD;
    let ten = logarithm(
        &Decimal {
            unscaled: BigInt::from(10),
            scale: 0,
        },
        wide,
    );
    let fixed = logarithm(value, wide) * ten_to(wide) / ten;
    Ok(rounded(&fixed, wide, digits))
}
