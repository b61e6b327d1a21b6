//! Time zones by the names that the original's clients use: those of the tz database, and Java's short ones.

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

/// Java's names of three letters that the tz database lacks, or has for something else.
const OF_JAVA: &[(&str, &str)] = &[
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

/// The zone of a name. One that nobody knows is UTC: so it is in Java, and jobs of the original rely on it.
pub(super) fn named_or_utc(name: &str) -> TimeZone {
    let known = OF_JAVA.iter().find(|(short, _)| *short == name);
    let name = known.map_or(name, |(_, long)| long);
    match name {
        "" | "UTC" | "GMT" | "Z" => TimeZone::UTC,
        name => by_offset(name)
            .or_else(|| TimeZoneDatabase::bundled().get(name).ok())
            .unwrap_or(TimeZone::UTC),
    }
}

/// `GMT+2`, `GMT-03:30`.
fn by_offset(name: &str) -> Option<TimeZone> {
    offset(name.strip_prefix("GMT")?)
}

/// `+2`, `+02`, `+0230`, `-02:30`.
pub(super) fn offset(text: &str) -> Option<TimeZone> {
    let (negative, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (false, digits),
        ("-", digits) => (true, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "0"),
    };
    let number = |text: &str| match text.bytes().all(|one| one.is_ascii_digit()) {
        true => text.parse::<i32>().ok(),
        false => None,
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    let offset = Offset::from_seconds(if negative { -seconds } else { seconds }).ok()?;
    Some(TimeZone::fixed(offset))
}
