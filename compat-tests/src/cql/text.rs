//! Numbers, times and strings as the corpus writes them.

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits.
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    (0..digits.len().div_ceil(2))
        .map(|i| u8::from_str_radix(digits.get(2 * i..2 * i + 2)?, 16).ok())
        .collect()
}

/// A string between quotes, its further lines indented below the first.
pub fn quoted(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(one_line).collect();
    format!("'{}'", lines.join("\n    ").replace('\'', "''"))
}

/// A string with what would break its line escaped.
pub fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            c if c.is_control() => c.escape_unicode().to_string(),
            c => c.to_string(),
        })
        .collect()
}

/// A two's complement number of any size.
pub fn big_integer(bytes: &[u8]) -> String {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut magnitude: Vec<u32> = bytes
        .iter()
        .map(|byte| u32::from(if negative { !byte } else { *byte }))
        .collect();
    if negative {
        for digit in magnitude.iter_mut().rev() {
            *digit += 1;
            if *digit < 256 {
                break;
            }
            *digit = 0;
        }
        // The carry out of all ones is a zero magnitude, which only no bytes at all have.
    }
    let mut digits = Vec::new();
    while magnitude.iter().any(|digit| *digit != 0) {
        let mut rest = 0;
        for digit in &mut magnitude {
            let value = rest << 8 | *digit;
            (*digit, rest) = (value / 10, value % 10);
        }
        digits.push(char::from_digit(rest, 10).unwrap_or('?'));
    }
    if digits.is_empty() {
        return "0".to_owned();
    }
    if negative {
        digits.push('-');
    }
    digits.iter().rev().collect()
}

/// An unscaled number and its scale: with a point where that is short, with an exponent where it is not.
pub fn decimal(scale: i32, unscaled: &[u8]) -> String {
    let number = big_integer(unscaled);
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number.as_str()),
    };
    match scale {
        0 => number,
        1..=40 => {
            let scale = scale as usize;
            let padded = format!("{digits:0>width$}", width = scale + 1);
            let (whole, fraction) = padded.split_at(padded.len() - scale);
            format!("{sign}{whole}.{fraction}")
        }
        _ => format!("{number}E{}", -i64::from(scale)),
    }
}

/// Days since 1970.
pub fn date(days: i64) -> String {
    // The civil calendar counts from March, so that a leap day ends its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Nanoseconds since midnight.
pub fn time(nanoseconds: i64) -> String {
    let seconds = nanoseconds.div_euclid(1_000_000_000);
    format!(
        "{:02}:{:02}:{:02}.{:09}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        nanoseconds.rem_euclid(1_000_000_000)
    )
}

/// Milliseconds since 1970.
pub fn timestamp(milliseconds: i64) -> String {
    let (days, rest) = (
        milliseconds.div_euclid(86_400_000),
        milliseconds.rem_euclid(86_400_000),
    );
    let time = time(rest * 1_000_000);
    format!("{}T{}Z", date(days), time.trim_end_matches("000000"))
}

/// The usual form of a UUID.
pub fn uuid(bytes: [u8; 16]) -> String {
    let digits = hex(&bytes);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}
