//! Options of tables and views: defaults, checks, and the original's words for what does not pass.

use crate::error::{CqlError, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An option's value as a statement gives it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Given<'a> {
    Text(&'a str),
    Map(&'a [(String, String)]),
}

/// The options of a table, but for `default_time_to_live`, which every write reads from the table itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    pub(crate) additional_write_policy: String,
    /// `None`: never said, which counts as true.
    pub(crate) allow_auto_snapshot: Option<bool>,
    pub(crate) bloom_filter_fp_chance: f64,
    pub(crate) caching: BTreeMap<String, String>,
    pub(crate) cdc: Option<bool>,
    pub(crate) comment: String,
    pub(crate) compaction: BTreeMap<String, String>,
    pub(crate) compression: BTreeMap<String, String>,
    pub(crate) crc_check_chance: f64,
    pub(crate) extensions: BTreeMap<String, String>,
    pub(crate) gc_grace_seconds: i32,
    pub(crate) incremental_backups: Option<bool>,
    pub(crate) max_index_interval: i32,
    pub(crate) memtable: Option<String>,
    pub(crate) memtable_flush_period_in_ms: i32,
    pub(crate) min_index_interval: i32,
    pub(crate) read_repair: String,
    pub(crate) speculative_retry: String,
}

impl Eq for Options {}

impl Default for Options {
    fn default() -> Self {
        Options {
            additional_write_policy: "99p".to_owned(),
            allow_auto_snapshot: None,
            bloom_filter_fp_chance: 0.01,
            caching: owned(&[("keys", "ALL"), ("rows_per_partition", "NONE")]),
            cdc: None,
            comment: String::new(),
            compaction: owned(&[
                (
                    "class",
                    "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy",
                ),
                ("max_threshold", "32"),
                ("min_threshold", "4"),
            ]),
            compression: owned(&[
                ("chunk_length_in_kb", "16"),
                ("class", "org.apache.cassandra.io.compress.LZ4Compressor"),
            ]),
            crc_check_chance: 1.0,
            extensions: BTreeMap::new(),
            gc_grace_seconds: 864_000,
            incremental_backups: None,
            max_index_interval: 2048,
            memtable: None,
            memtable_flush_period_in_ms: 0,
            min_index_interval: 128,
            read_repair: "BLOCKING".to_owned(),
            speculative_retry: "99p".to_owned(),
        }
    }
}

fn owned(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn config(message: impl Into<String>) -> CqlError {
    CqlError::Config(message.into())
}

fn text<'a>(name: &str, given: Given<'a>) -> Result<&'a str> {
    match given {
        Given::Text(text) => Ok(text),
        Given::Map(_) => Err(CqlError::Syntax(format!(
            "Invalid value for property '{name}'. It should be a string"
        ))),
    }
}

/// A property that has to be a map.
pub(crate) fn map<'a>(name: &str, given: Given<'a>) -> Result<&'a [(String, String)]> {
    match given {
        Given::Map(map) => Ok(map),
        Given::Text(_) => Err(CqlError::Syntax(format!(
            "Invalid value for property '{name}'. It should be a map."
        ))),
    }
}

/// A property that has to be true or false.
pub(crate) fn boolean(name: &str, given: Given<'_>) -> Result<bool> {
    let text = text(name, given)?;
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" => Ok(true),
        "0" | "false" | "no" => Ok(false),
        _ => Err(CqlError::Syntax(format!(
            "Invalid boolean value {text} for '{name}'. Positive values can be '1', 'true' or 'yes'. \
             Negative values can be '0', 'false' or 'no'."
        ))),
    }
}

fn integer(name: &str, given: Given<'_>) -> Result<i32> {
    let text = text(name, given)?;
    text.parse()
        .map_err(|_| CqlError::Syntax(format!("Invalid integer value {text} for '{name}'")))
}

fn at_least(name: &str, least: i32, value: i32) -> Result<()> {
    if value < least {
        return Err(config(format!(
            "{name} must be greater than or equal to {least} (got {value})"
        )));
    }
    Ok(())
}

fn number(name: &str, given: Given<'_>) -> Result<f64> {
    let text = text(name, given)?;
    text.parse()
        .map_err(|_| CqlError::Syntax(format!("Invalid double value {text} for '{name}'")))
}

/// A floating-point number as the original shows it.
pub(crate) fn shown(value: f64) -> String {
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        return format!("{value:?}");
    }
    let scientific = format!("{value:E}");
    match scientific.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
        _ => scientific,
    }
}

/// Seconds of 20 years.
const TIME_TO_LIVE_MAX: i32 = 630_720_000;

/// The smallest chance of a false positive that a filter can have.
const FP_CHANCE_MIN: f64 = 6.71e-5;

impl Options {
    /// Whether there is an option of that name.
    pub(crate) fn knows(name: &str) -> bool {
        const NAMES: [&str; 19] = [
            "additional_write_policy",
            "allow_auto_snapshot",
            "bloom_filter_fp_chance",
            "caching",
            "cdc",
            "comment",
            "compaction",
            "compression",
            "crc_check_chance",
            "default_time_to_live",
            "extensions",
            "gc_grace_seconds",
            "incremental_backups",
            "max_index_interval",
            "memtable",
            "memtable_flush_period_in_ms",
            "min_index_interval",
            "read_repair",
            "speculative_retry",
        ];
        NAMES.contains(&name)
    }

    /// Sets one option. `default_time_to_live` is the table's own.
    pub(crate) fn set(&mut self, default_time_to_live: &mut i32, name: &str, given: Given<'_>) -> Result<()> {
        match name {
            "additional_write_policy" => self.additional_write_policy = retry(name, text(name, given)?)?,
            "speculative_retry" => self.speculative_retry = retry(name, text(name, given)?)?,
            "allow_auto_snapshot" => self.allow_auto_snapshot = Some(boolean(name, given)?),
            "bloom_filter_fp_chance" => self.bloom_filter_fp_chance = number(name, given)?,
            "caching" => self.caching = caching(map(name, given)?)?,
            "cdc" => self.cdc = Some(boolean(name, given)?),
            "comment" => self.comment = text(name, given)?.to_owned(),
            "compaction" => self.set_compaction(map(name, given)?)?,
            "compression" => self.compression = compression(map(name, given)?)?,
            "crc_check_chance" => self.crc_check_chance = number(name, given)?,
            "default_time_to_live" => *default_time_to_live = integer(name, given)?,
            // Read, and kept by nobody: in the original too.
            "extensions" => drop(map(name, given)?),
            "gc_grace_seconds" => self.gc_grace_seconds = integer(name, given)?,
            "incremental_backups" => self.incremental_backups = Some(boolean(name, given)?),
            "max_index_interval" => self.max_index_interval = integer(name, given)?,
            "min_index_interval" => self.min_index_interval = integer(name, given)?,
            "memtable" => self.memtable = memtable(text(name, given)?)?,
            "memtable_flush_period_in_ms" => {
                self.memtable_flush_period_in_ms = integer(name, given)?;
            }
            "read_repair" => self.read_repair = read_repair(text(name, given)?)?,
            _ => return Err(CqlError::Syntax(format!("Unknown property '{name}'"))),
        }
        Ok(())
    }

    /// What follows for a new table from the options that it was given.
    pub(crate) fn complete(&mut self, properties: &[&str]) {
        // A smaller filter where every read touches few files.
        let leveled = self
            .compaction
            .get("class")
            .is_some_and(|class| class.ends_with("LeveledCompactionStrategy"));
        if leveled && !properties.contains(&"bloom_filter_fp_chance") {
            self.bloom_filter_fp_chance = 0.1;
        }
    }

    /// Whether the values are ones that an option may have. They were read before: the original reads all first.
    pub(crate) fn check(&self, default_time_to_live: i32) -> Result<()> {
        check_chances(self.bloom_filter_fp_chance, self.crc_check_chance)?;
        at_least("default_time_to_live", 0, default_time_to_live)?;
        if default_time_to_live > TIME_TO_LIVE_MAX {
            return Err(config(format!(
                "default_time_to_live must be less than or equal to {TIME_TO_LIVE_MAX} (got {default_time_to_live})"
            )));
        }
        at_least("gc_grace_seconds", 0, self.gc_grace_seconds)?;
        at_least("min_index_interval", 1, self.min_index_interval)?;
        if self.max_index_interval < self.min_index_interval {
            return Err(config(format!(
                "max_index_interval must be greater than or equal to min_index_interval ({}) (got {})",
                self.min_index_interval, self.max_index_interval
            )));
        }
        at_least("memtable_flush_period_in_ms", 0, self.memtable_flush_period_in_ms)
    }

    fn set_compaction(&mut self, given: &[(String, String)]) -> Result<()> {
        const PACKAGE: &str = "org.apache.cassandra.db.compaction.";
        const STRATEGIES: [&str; 4] = [
            "SizeTieredCompactionStrategy",
            "LeveledCompactionStrategy",
            "TimeWindowCompactionStrategy",
            "UnifiedCompactionStrategy",
        ];
        let mut given: BTreeMap<String, String> = given.iter().cloned().collect();
        let Some(class) = given.remove("class") else {
            return Err(config("Missing sub-option 'class' for the 'compaction' option"));
        };
        let full = if class.contains('.') {
            class
        } else {
            format!("{PACKAGE}{class}")
        };
        let Some(strategy) = full
            .strip_prefix(PACKAGE)
            .filter(|name| STRATEGIES.contains(name))
        else {
            return Err(config(format!(
                "Unable to find compaction strategy class '{full}'"
            )));
        };
        let unknown: Vec<&str> = given
            .keys()
            .map(String::as_str)
            .filter(|name| !knows_compaction(strategy, name))
            .collect();
        if !unknown.is_empty() {
            return Err(config(format!(
                "Properties specified [{}] are not understood by {strategy}",
                unknown.join(", ")
            )));
        }
        if strategy != "UnifiedCompactionStrategy" {
            thresholds(&mut given)?;
        }
        given.insert("class".to_owned(), full.clone());
        self.compaction = given;
        Ok(())
    }
}

/// Whether a compaction strategy has an option of that name.
fn knows_compaction(strategy: &str, name: &str) -> bool {
    const ALL: [&str; 9] = [
        "enabled",
        "log_all",
        "tombstone_threshold",
        "tombstone_compaction_interval",
        "unchecked_tombstone_compaction",
        "only_purge_repaired_tombstones",
        "provide_overlapping_tombstones",
        "min_threshold",
        "max_threshold",
    ];
    let own: &[&str] = match strategy {
        "LeveledCompactionStrategy" => &["sstable_size_in_mb", "fanout_size", "single_sstable_uplevel"],
        "TimeWindowCompactionStrategy" => &[
            "compaction_window_unit",
            "compaction_window_size",
            "timestamp_resolution",
            "expired_sstable_check_frequency_seconds",
            "unsafe_aggressive_sstable_expiration",
            "bucket_low",
            "bucket_high",
            "min_sstable_size",
        ],
        "UnifiedCompactionStrategy" => &[
            "scaling_parameters",
            "min_sstable_size",
            "flush_size_override",
            "base_shard_count",
            "sstable_growth",
            "target_sstable_size",
            "max_sstables_to_compact",
            "expired_sstable_check_frequency_seconds",
            "unsafe_aggressive_sstable_expiration",
            "overlap_inclusion_method",
            "parallelize_output_shards",
        ],
        _ => &["bucket_low", "bucket_high", "min_sstable_size"],
    };
    ALL.contains(&name) || own.contains(&name)
}

fn thresholds(given: &mut BTreeMap<String, String>) -> Result<()> {
    let mut bound = |name: &str, default: &str| {
        let text = given.entry(name.to_owned()).or_insert_with(|| default.to_owned());
        text.parse::<i64>().map_err(|_| {
            config(format!(
                "Invalid value {text} for '{name}' compaction sub-option - must be an integer"
            ))
        })
    };
    let (max, min) = (bound("max_threshold", "32")?, bound("min_threshold", "4")?);
    if min < 2 {
        return Err(config(format!(
            "Min compaction threshold cannot be less than 2 (got {min})"
        )));
    }
    if min > max {
        return Err(config(format!(
            "Min compaction threshold (got {min}) cannot be greater than max compaction threshold (got {max})"
        )));
    }
    Ok(())
}

fn compression(given: &[(String, String)]) -> Result<BTreeMap<String, String>> {
    const PACKAGE: &str = "org.apache.cassandra.io.compress.";
    const CLASSES: [&str; 5] = [
        "LZ4Compressor",
        "SnappyCompressor",
        "DeflateCompressor",
        "ZstdCompressor",
        "NoopCompressor",
    ];
    let mut given: BTreeMap<String, String> = given.iter().cloned().collect();
    let disabled = given
        .get("enabled")
        .is_some_and(|value| value.eq_ignore_ascii_case("false"));
    if disabled && given.len() > 1 {
        return Err(config(
            "If the 'enabled' option is set to false no other options must be specified",
        ));
    }
    if given.is_empty() || disabled || given.get("class").is_some_and(String::is_empty) {
        return Ok(owned(&[("enabled", "false")]));
    }
    given.remove("enabled");
    let Some(class) = given.get_mut("class") else {
        return Err(config("Missing sub-option 'class' for the 'compression' option."));
    };
    if !class.contains('.') {
        *class = format!("{PACKAGE}{class}");
    }
    if !class
        .strip_prefix(PACKAGE)
        .is_some_and(|name| CLASSES.contains(&name))
    {
        return Err(config(format!("Could not create Compression for type {class}")));
    }
    let length = given
        .entry("chunk_length_in_kb".to_owned())
        .or_insert_with(|| "16".to_owned());
    match length.parse::<u32>() {
        Ok(kb) if kb.is_power_of_two() => Ok(given),
        Ok(_) => Err(config("chunk_length_in_kb must be a power of 2")),
        Err(_) => Err(config(format!(
            "Invalid value for chunk_length_in_kb: For input string: \"{length}\""
        ))),
    }
}

fn caching(given: &[(String, String)]) -> Result<BTreeMap<String, String>> {
    let mut found = Options::default().caching;
    let unknown: Vec<&str> = given
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !found.contains_key(*name))
        .collect();
    if !unknown.is_empty() {
        return Err(config(format!(
            "Invalid caching sub-options [{}]: only 'keys' and 'rows_per_partition' are allowed",
            unknown.join(", ")
        )));
    }
    for (name, value) in given {
        let upper = value.to_ascii_uppercase();
        let is_word = upper == "ALL" || upper == "NONE";
        let is_count = name == "rows_per_partition" && value.parse::<u32>().is_ok();
        if !is_word && !is_count {
            let allowed = if name == "keys" {
                "only 'ALL' and 'NONE' are allowed"
            } else {
                "only 'ALL', 'NONE', and integer values are allowed"
            };
            return Err(config(format!(
                "Invalid value '{value}' for caching sub-option '{name}': {allowed}"
            )));
        }
        found.insert(name.clone(), upper);
    }
    Ok(found)
}

fn check_chances(fp: f64, crc: f64) -> Result<()> {
    if fp <= FP_CHANCE_MIN || fp > 1.0 {
        return Err(config(format!(
            "bloom_filter_fp_chance must be larger than 6.71E-5 and less than or equal to 1.0 (got {})",
            shown(fp)
        )));
    }
    if !(0.0..=1.0).contains(&crc) {
        return Err(config(format!(
            "crc_check_chance must be larger than or equal to 0 and smaller than or equal to 1.0 (got {})",
            shown(crc)
        )));
    }
    Ok(())
}

fn memtable(given: &str) -> Result<Option<String>> {
    match given {
        "default" => Ok(None),
        other => Err(config(format!("Memtable configuration \"{other}\" not found."))),
    }
}

fn read_repair(given: &str) -> Result<String> {
    let upper = given.to_ascii_uppercase();
    if upper == "BLOCKING" || upper == "NONE" {
        return Ok(upper);
    }
    Err(CqlError::Server(format!(
        "java.lang.IllegalArgumentException: No enum constant \
         org.apache.cassandra.service.reads.repair.ReadRepairStrategy.{upper}"
    )))
}

/// A speculative retry policy, in the form in which the original keeps it.
fn retry(name: &str, given: &str) -> Result<String> {
    policy(given).ok_or_else(|| {
        let number = given.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let is_percentile = given.len() > number.len() && !given.to_ascii_uppercase().ends_with("MS");
        config(if is_percentile && number.parse::<f64>().is_ok() {
            format!("Invalid value {given} for PERCENTILE option '{name}': must be between (0.0 and 100.0)")
        } else {
            format!("Invalid value {given} for option '{name}'")
        })
    })
}

fn policy(given: &str) -> Option<String> {
    let upper = given.to_ascii_uppercase();
    if upper == "ALWAYS" || upper == "NEVER" || upper == "NONE" {
        return Some(if upper == "NONE" {
            "NEVER".to_owned()
        } else {
            upper
        });
    }
    if let Some((hybrid, rest)) = upper.split_once('(') {
        let (one, other) = rest.strip_suffix(')')?.split_once(',')?;
        let hybrid = matches!(hybrid, "MIN" | "MAX").then_some(hybrid)?;
        return Some(format!(
            "{hybrid}({},{})",
            policy(one.trim())?,
            policy(other.trim())?
        ));
    }
    let fixed = upper
        .strip_suffix("MS")
        .filter(|text| text.parse::<f64>().is_ok_and(|ms| ms >= 0.0));
    if let Some(ms) = fixed {
        return Some(format!("{ms}ms"));
    }
    let percentile = upper
        .strip_suffix("PERCENTILE")
        .or_else(|| upper.strip_suffix('P'))?;
    let value: f64 = percentile.parse().ok()?;
    (value > 0.0 && value < 100.0).then(|| format!("{percentile}p"))
}
