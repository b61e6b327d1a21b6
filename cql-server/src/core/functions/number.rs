//! Numbers of every type, turned into each other as Java turns them.

use crate::core::types::{Native, decimal, decimal::Decimal, show};
use num_bigint::{BigInt, Sign};

/// Numbers longer than this are not calculated with.
const DIGITS_MAX: i64 = 100_000;

/// A number in the form in which its type calculates.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    /// tinyint, smallint, int, bigint and counter.
    Whole(i64),
    Float(f32),
    Double(f64),
    Varint(BigInt),
    Decimal(Decimal),
}

/// The types of numbers, as the original lists them.
pub(super) const NUMERIC: [Native; 9] = [
    Native::Tinyint,
    Native::Smallint,
    Native::Int,
    Native::Bigint,
    Native::Float,
    Native::Double,
    Native::Varint,
    Native::Decimal,
    Native::Counter,
];

/// Why a number has no other form; the original's words.
pub(super) type Failure = String;

impl Number {
    /// Of the bytes of a value; `None` where it is empty, or longer than is calculated with.
    pub(super) fn of(native: Native, value: &[u8]) -> Option<Number> {
        Some(match native {
            Native::Tinyint => Number::Whole(i8::from_be_bytes(value.try_into().ok()?).into()),
            Native::Smallint => Number::Whole(i16::from_be_bytes(value.try_into().ok()?).into()),
            Native::Int => Number::Whole(i32::from_be_bytes(value.try_into().ok()?).into()),
            Native::Bigint | Native::Counter => Number::Whole(i64::from_be_bytes(value.try_into().ok()?)),
            Native::Float => Number::Float(f32::from_be_bytes(value.try_into().ok()?)),
            Native::Double => Number::Double(f64::from_be_bytes(value.try_into().ok()?)),
            Native::Varint => Number::Varint(decimal::varint(value)?),
            Native::Decimal => Number::Decimal(Decimal::of(value)?),
            _ => return None,
        })
    }

    /// The bytes of it as a value of a type whose form it has.
    pub(super) fn to_bytes(&self, native: Native) -> Vec<u8> {
        match self {
            Number::Whole(value) => match native {
                Native::Tinyint => (*value as i8).to_be_bytes().to_vec(),
                Native::Smallint => (*value as i16).to_be_bytes().to_vec(),
                Native::Int => (*value as i32).to_be_bytes().to_vec(),
                _ => value.to_be_bytes().to_vec(),
            },
            Number::Float(value) => value.to_be_bytes().to_vec(),
            Number::Double(value) => value.to_be_bytes().to_vec(),
            Number::Varint(value) => decimal::varint_bytes(value),
            Number::Decimal(value) => value.to_bytes(),
        }
    }

    /// In the form of another type.
    pub(super) fn to(&self, native: Native) -> Result<Number, Failure> {
        Ok(match native {
            Native::Tinyint => Number::Whole((self.low_bits(32)? as i8).into()),
            Native::Smallint => Number::Whole((self.low_bits(32)? as i16).into()),
            Native::Int => Number::Whole((self.low_bits(32)? as i32).into()),
            Native::Float => Number::Float(match self {
                Number::Whole(value) => *value as f32,
                Number::Float(value) => *value,
                Number::Double(value) => *value as f32,
                Number::Varint(value) => value.to_string().parse().unwrap_or(f32::NAN),
                Number::Decimal(value) => value.to_string().parse().unwrap_or(f32::NAN),
            }),
            Native::Double => Number::Double(self.to_double()),
            Native::Varint => Number::Varint(self.to_varint()?),
            Native::Decimal => Number::Decimal(self.to_decimal()?),
            _ => Number::Whole(self.low_bits(64)?),
        })
    }

    /// Java's narrowing: floats stop at the bounds of the wider type, all others lose their upper bits.
    fn low_bits(&self, bits: u32) -> Result<i64, Failure> {
        Ok(match self {
            Number::Whole(value) => *value,
            Number::Float(value) if bits == 32 => (*value as i32).into(),
            Number::Float(value) => *value as i64,
            Number::Double(value) if bits == 32 => (*value as i32).into(),
            Number::Double(value) => *value as i64,
            Number::Varint(_) | Number::Decimal(_) => {
                let bytes = self.to_varint()?.to_signed_bytes_be();
                let sign = if bytes.first().is_some_and(|first| first & 0x80 != 0) {
                    -1
                } else {
                    0
                };
                bytes
                    .iter()
                    .fold(sign, |value, byte| value << 8 | i64::from(*byte))
            }
        })
    }

    pub(super) fn to_double(&self) -> f64 {
        match self {
            Number::Whole(value) => *value as f64,
            Number::Float(value) => (*value).into(),
            Number::Double(value) => *value,
            Number::Varint(value) => value.to_string().parse().unwrap_or(f64::NAN),
            Number::Decimal(value) => value.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    pub(super) fn to_varint(&self) -> Result<BigInt, Failure> {
        Ok(match self {
            Number::Whole(value) => BigInt::from(*value),
            Number::Varint(value) => value.clone(),
            Number::Decimal(value) => whole_part(value)?,
            Number::Float(_) | Number::Double(_) => whole_part(&self.to_decimal()?)?,
        })
    }

    /// As operators see it: whole numbers take the way of floats, and with it one zero behind the point.
    pub(super) fn to_decimal(&self) -> Result<Decimal, Failure> {
        let double = match self {
            Number::Varint(value) => {
                return Ok(Decimal {
                    unscaled: value.clone(),
                    scale: 0,
                });
            }
            Number::Decimal(value) => return Ok(value.clone()),
            Number::Whole(_) | Number::Float(_) | Number::Double(_) => self.to_double(),
        };
        if double.is_nan() {
            return Err("A NaN cannot be converted into a decimal".into());
        }
        if double.is_infinite() {
            return Err("An infinite number cannot be converted into a decimal".into());
        }
        let shown = show::text(Native::Double, &double.to_be_bytes());
        Decimal::parse(&shown).ok_or_else(|| format!("{shown} is no decimal"))
    }

    /// As CAST sees it: whole numbers stay whole, and floats are read as they are shown.
    pub(super) fn cast(&self, native: Native) -> Result<Number, Failure> {
        let shown = match (native, self) {
            (Native::Decimal, Number::Whole(value)) => {
                return Ok(Number::Decimal(Decimal {
                    unscaled: BigInt::from(*value),
                    scale: 0,
                }));
            }
            (Native::Varint, Number::Float(_) | Number::Double(_)) => {
                return Ok(Number::Varint(BigInt::from(self.low_bits(64)?)));
            }
            (Native::Decimal, Number::Float(value)) => show::text(Native::Float, &value.to_be_bytes()),
            (Native::Decimal, Number::Double(value)) => show::text(Native::Double, &value.to_be_bytes()),
            _ => return self.to(native),
        };
        let first = shown
            .chars()
            .find(|c| c.is_alphabetic() && *c != 'E')
            .unwrap_or(' ');
        Decimal::parse(&shown).map(Number::Decimal).ok_or_else(|| {
            format!(
                "Character {first} is neither a decimal digit number, decimal point, nor \"e\" notation exponential mark."
            )
        })
    }
}

/// What stands before the point.
pub(super) fn whole_part(value: &Decimal) -> Result<BigInt, Failure> {
    let digits = i64::from(value.scale);
    if value.unscaled.sign() == Sign::NoSign || digits > DIGITS_MAX {
        return Ok(BigInt::ZERO);
    }
    if -digits > DIGITS_MAX {
        return Err("Overflow".into());
    }
    let power = ten_to(digits.unsigned_abs() as u32);
    Ok(if digits < 0 {
        &value.unscaled * power
    } else {
        &value.unscaled / power
    })
}

/// 10 to a power.
pub(super) fn ten_to(power: u32) -> BigInt {
    BigInt::from(10).pow(power)
}

/// How many digits a number has.
pub(super) fn precision(number: &BigInt) -> i64 {
    if number.sign() == Sign::NoSign {
        1
    } else {
        number.magnitude().to_string().len() as i64
    }
}

/// The same number with `scale` digits behind the point, rounded half up where digits are lost.
pub(super) fn rescaled_half_up(value: &Decimal, scale: i32) -> Option<Decimal> {
    let more = i64::from(scale) - i64::from(value.scale);
    if more.abs() > DIGITS_MAX {
        return (value.unscaled.sign() == Sign::NoSign || more < 0).then_some(Decimal {
            unscaled: BigInt::ZERO,
            scale,
        });
    }
    let power = ten_to(more.unsigned_abs() as u32);
    let unscaled = if more >= 0 {
        &value.unscaled * power
    } else {
        divided_half_up(&value.unscaled, &power)
    };
    Some(Decimal { unscaled, scale })
}

/// A quotient, rounded away from zero from the half on.
pub(super) fn divided_half_up(dividend: &BigInt, divisor: &BigInt) -> BigInt {
    let quotient = dividend / divisor;
    let rest = dividend - &quotient * divisor;
    if rest.magnitude() * 2_u32 >= *divisor.magnitude() && rest.sign() != Sign::NoSign {
        let away = if dividend.sign() == divisor.sign() { 1 } else { -1 };
        return quotient + away;
    }
    quotient
}

/// Without zeros at the end, and zero without a scale.
pub(super) fn stripped(mut value: Decimal) -> Decimal {
    if value.unscaled.sign() == Sign::NoSign {
        return Decimal {
            unscaled: BigInt::ZERO,
            scale: 0,
        };
    }
    let digits = value.unscaled.to_string();
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    value.unscaled /= ten_to(zeros as u32);
    value.scale = value.scale.saturating_sub(zeros as i32);
    value
}
