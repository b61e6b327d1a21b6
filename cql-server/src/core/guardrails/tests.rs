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
