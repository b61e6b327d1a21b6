//! Numbers of any size: `varint`, and `decimal` with its scale.

use super::compare::canonical_varint;
use num_bigint::{BigInt, Sign};
use std::cmp::Ordering;

/// log2(10), for estimates of how many digits a number has.
const BITS_PER_DIGIT: f64 = std::f64::consts::LOG2_10;

/// Scales further apart than this are not brought together: megabytes of digits are told apart by their magnitude alone.
const APART_MAX: u64 = 200_000;

/// Compares two decimals by their value. Scales are brought together only where the magnitudes are alike, which bounds
/// the digits of the greater number by those of the longer one.
pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (Some(left), Some(right)) = (split(a), split(b)) else {
        return a.cmp(b);
    };
    let (sign_left, sign_right) = (sign(left.1), sign(right.1));
    if sign_left != sign_right || sign_left == 0 {
        return sign_left.cmp(&sign_right);
    }
    let (a, b) = (magnitude(left), magnitude(right));
    let scales_apart = i64::from(left.0).abs_diff(right.0.into());
    // Each estimate is off by less than one digit.
    if (a - b).abs() < 1.5 && scales_apart <= APART_MAX {
        return compare_exactly(left, right);
    }
    let order = a.total_cmp(&b);
    if sign_left < 0 { order.reverse() } else { order }
}

fn split(value: &[u8]) -> Option<(i32, &[u8])> {
    let (scale, unscaled) = value.split_first_chunk()?;
    (!unscaled.is_empty()).then(|| (i32::from_be_bytes(*scale), canonical_varint(unscaled)))
}

fn sign(unscaled: &[u8]) -> i8 {
    match unscaled {
        [0] => 0,
        [first, ..] if first & 0x80 != 0 => -1,
        _ => 1,
    }
}

/// About how many digits stand before the point.
fn magnitude((scale, unscaled): (i32, &[u8])) -> f64 {
    let first = unscaled.first().copied().unwrap_or(0);
    let leading = if first & 0x80 == 0 {
        first.leading_zeros()
    } else {
        first.leading_ones()
    };
    let bits = unscaled.len() as f64 * 8.0 - f64::from(leading);
    bits / BITS_PER_DIGIT - f64::from(scale)
}

fn compare_exactly(left: (i32, &[u8]), right: (i32, &[u8])) -> Ordering {
    let (a, b) = (
        BigInt::from_signed_bytes_be(left.1),
        BigInt::from_signed_bytes_be(right.1),
    );
    let apart = i64::from(left.0) - i64::from(right.0);
    let power = || BigInt::from(10).pow(u32::try_from(apart.unsigned_abs()).unwrap_or(0));
    match apart.cmp(&0) {
        Ordering::Less => (a * power()).cmp(&b),
        Ordering::Equal => a.cmp(&b),
        Ordering::Greater => a.cmp(&(b * power())),
    }
}

/// A decimal taken apart so that equal numbers are alike: `0.digits * 100^exponent`, no zero at either end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Normal {
    pub(super) negative: bool,
    pub(super) exponent: i64,
    /// Digits of base 100; none of zero.
    pub(super) digits: Vec<u8>,
}

impl Normal {
    /// Of the bytes of a decimal that has a number.
    pub(super) fn of(value: &[u8]) -> Option<Normal> {
        let (scale, unscaled) = split(value)?;
        let number = BigInt::from_signed_bytes_be(unscaled);
        let negative = number.sign() == Sign::Minus;
        if number.sign() == Sign::NoSign {
            return Some(Normal {
                negative,
                exponent: 0,
                digits: Vec::new(),
            });
        }
        // An odd scale leaves half a base-100 digit behind the point: one more zero fills it.
        let odd = scale.rem_euclid(2) == 1;
        let number = if odd { number * 10 } else { number };
        let scale = (i64::from(scale) + i64::from(odd)) / 2;
        let mut digits = number.magnitude().to_radix_be(100);
        let exponent = digits.len() as i64 - scale;
        digits.truncate(
            digits
                .iter()
                .rposition(|digit| *digit != 0)
                .map_or(0, |last| last + 1),
        );
        Some(Normal {
            negative,
            exponent,
            digits,
        })
    }

    /// Bytes of the same number: as many decimals as it needs, and no exponent where it is not far from one.
    pub(super) fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut number = BigInt::from_radix_be(
            if self.negative { Sign::Minus } else { Sign::Plus },
            &self.digits,
            100,
        )?;
        let mut scale = (self.digits.len() as i64 - self.exponent) * 2;
        if self.digits.is_empty() {
            scale = 0;
        }
        if self.digits.last().is_some_and(|last| last % 10 == 0) {
            number /= 10;
            scale -= 1;
        }
        if (-PLAIN_ZEROS_MAX..0).contains(&scale) {
            number *= BigInt::from(10).pow(scale.unsigned_abs() as u32);
            scale = 0;
        }
        let mut out = i32::try_from(scale).ok()?.to_be_bytes().to_vec();
        out.extend_from_slice(&number.to_signed_bytes_be());
        Some(out)
    }
}

/// Integers with so many zeros at their end are still written out.
const PLAIN_ZEROS_MAX: i64 = 40;

/// More digits than this are neither read nor written: their cost grows with the square of their number.
const DIGITS_MAX: usize = 100_000;
/// The bytes of a number of about so many digits.
const BYTES_MAX: usize = 42_000;

/// A whole number as Java reads one.
pub(crate) fn parse_integer(text: &str) -> Option<BigInt> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain =
        !digits.is_empty() && digits.len() <= DIGITS_MAX && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// The bytes of a varint.
pub(crate) fn varint_bytes(number: &BigInt) -> Vec<u8> {
    number.to_signed_bytes_be()
}

/// A decimal: its value is `unscaled` with the point moved `scale` digits to the left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub(crate) unscaled: BigInt,
    pub(crate) scale: i32,
}

impl Decimal {
    /// Of its bytes; `None` where they are none, or too many to calculate with.
    pub(crate) fn of(value: &[u8]) -> Option<Decimal> {
        let (scale, unscaled) = split(value)?;
        (unscaled.len() <= BYTES_MAX).then(|| Decimal {
            unscaled: BigInt::from_signed_bytes_be(unscaled),
            scale,
        })
    }

    /// Its bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.scale.to_be_bytes().to_vec();
        out.extend(varint_bytes(&self.unscaled));
        out
    }

    /// As Java reads one: digits with or without a point, and an exponent.
    pub(crate) fn parse(text: &str) -> Option<Decimal> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let bare = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        if bare.is_empty() && fraction.is_empty() || fraction.starts_with(['-', '+']) {
            return None;
        }
        let unscaled = parse_integer(&format!("{whole}{fraction}"))?;
        let scale = i64::try_from(fraction.len()).ok()? - i64::from(exponent);
        Some(Decimal {
            unscaled,
            scale: i32::try_from(scale).ok()?,
        })
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.unscaled.magnitude().to_string();
        let scale = i64::from(self.scale);
        let adjusted = digits.len() as i64 - 1 - scale;
        if self.unscaled.sign() == Sign::Minus {
            f.write_str("-")?;
        }
        if scale == 0 {
            return f.write_str(&digits);
        }
        if scale > 0 && adjusted >= -6 {
            let digits = format!("{digits:0>width$}", width = scale as usize + 1);
            let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
            return write!(f, "{whole}.{fraction}");
        }
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{first}{point}{rest}E{adjusted:+}")
    }
}

/// The number of a varint, if it is short enough to calculate with.
pub(crate) fn varint(value: &[u8]) -> Option<BigInt> {
    let value = canonical_varint(value);
    (!value.is_empty() && value.len() <= BYTES_MAX).then(|| BigInt::from_signed_bytes_be(value))
}
