use super::{
    Guardrails, Setting, Switch, Threshold, Watch, Words,
    table::{SWITCHES, THRESHOLDS, WORDS},
};
use crate::error::CqlError;

fn text(text: &str) -> Setting {
    Setting::Text(text.to_owned())
}

#[test]
fn every_line_stands_where_its_name_says() {
    assert_eq!(
        THRESHOLDS[Threshold::TimestampMin as usize].name,
        "minimum_timestamp"
    );
    assert_eq!(THRESHOLDS[Threshold::PageSize as usize].name, "page_size");
    assert_eq!(
        SWITCHES[Switch::IndexesOfAll as usize].key,
        "non_partition_restricted_index_query_enabled"
    );
    assert_eq!(
        WORDS[Words::WriteLevelsDisallowed as usize].key,
        "write_consistency_levels_disallowed"
    );
}

#[test]
fn what_is_shown_can_be_set_again() {
    let defaults = Guardrails::default();
    let mut again = defaults.clone();
    for (key, value) in defaults.settings().collect::<Vec<_>>() {
        let Some(value) = value else { continue };
        let setting = match value.strip_prefix('[') {
            Some(_) => Setting::List(Vec::new()),
            None => Setting::Text(value),
        };
        again.set(&key, setting).unwrap();
    }
    assert_eq!(again, defaults);
}

#[test]
fn settings_are_read_and_refused() {
    let mut guardrails = Guardrails::default();
    guardrails.set("batch_size_warn_threshold", text("1MiB")).unwrap();
    guardrails.set("page_size_fail_threshold", text("-1")).unwrap();
    assert_eq!(guardrails.limit(Threshold::BatchSize).warn, Some(1 << 20));
    assert_eq!(guardrails.limit(Threshold::PageSize).fail, None);
    for (key, value) in [
        ("batch_size_warn_threshold", "5"),
        ("page_size_fail_threshold", "x"),
        ("group_by_enabled", "yes"),
        ("table_properties_warned", "comment"),
        ("unlogged_batch_across_partitions_fail_threshold", "3"),
        ("colour", "red"),
    ] {
        assert!(guardrails.set(key, text(value)).is_err(), "{key}");
    }
}

#[test]
fn a_failure_tells_what_was_warned_of_before() {
    let mut guardrails = Guardrails::default();
    guardrails.set("page_size_warn_threshold", text("10")).unwrap();
    guardrails.set("group_by_enabled", text("false")).unwrap();
    let mut watch = Watch::new(&guardrails);
    watch.count(Threshold::PageSize, 11, "t").unwrap();
    let Err(CqlError::Guardrail { message, warnings }) = watch.allow(Switch::GroupBy) else {
        panic!("it is forbidden");
    };
    assert_eq!(
        message,
        "Guardrail group_by violated: GROUP BY functionality is not allowed"
    );
    assert_eq!(
        warnings[0],
        "Guardrail page_size violated: Query for table t with page size 11 exceeds warning threshold of 10."
    );
    assert_eq!(warnings[1], message);
}

#[test]
fn a_disk_is_full_beyond_what_it_may_be() {
    let mut guardrails = Guardrails::default();
    assert!(!guardrails.limits_disk());
    for (key, value) in [
        ("data_disk_usage_percentage_warn_threshold", "70"),
        ("data_disk_usage_percentage_fail_threshold", "90"),
        ("data_disk_usage_max_disk_size", "1GiB"),
        ("partition_size_fail_threshold", "1MiB"),
        ("sai_sstable_indexes_per_query_warn_threshold", "2"),
        ("intersect_filtering_query_enabled", "false"),
    ] {
        guardrails.set(key, text(value)).unwrap();
    }
    assert!(guardrails.limits_disk());
    assert_eq!(guardrails.disk_max(), Some(1 << 30));
    for (percent, told, fails) in [(70, 0, false), (71, 1, false), (90, 1, false), (91, 1, true)] {
        for tells in [false, true] {
            let mut watch = Watch::new(&guardrails);
            let warnings = match watch.disk(percent, |failure| tells && failure == fails) {
                Ok(()) => (false, watch.warnings.len()),
                Err(error) => (true, error.warnings().len()),
            };
            assert_eq!(warnings, (fails, told * usize::from(tells)), "{percent}");
        }
    }
}
