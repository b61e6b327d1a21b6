//! The table of guardrails.
//!
//! In texts `{what}` is what a statement is about, `{value}` what it has, `{limit}` what is allowed, and `{level}` whether
//! that is the warning's or the failure's threshold.

/// Something that is counted or measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threshold {
    BatchSize,
    UnloggedBatch,
    Keyspaces,
    Tables,
    Columns,
    Indexes,
    Views,
    Fields,
    KeysInSelect,
    Combinations,
    PageSize,
    Items,
    CollectionSize,
    ValueSize,
    Dimensions,
    ReplicasMax,
    TimestampMax,
    TimestampMin,
    ReplicasMin,
    StringTerm,
    FrozenTerm,
    VectorTerm,
    Tombstones,
    DiskUsage,
}

/// What its numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Count,
    Bytes,
    /// Of a duration before or after the present.
    Micros,
}

/// One line of thresholds.
#[derive(Debug)]
pub(super) struct Line {
    /// The name; with `_warn_threshold` and `_fail_threshold` behind it that of the settings.
    pub(super) name: &'static str,
    pub(super) unit: Unit,
    pub(super) default: (Option<i64>, Option<i64>),
    pub(super) warning: &'static str,
    pub(super) failure: &'static str,
}

/// A key that no setting has: of a limit that can only be warned of.
pub(super) const UNKNOWN_KEY: &str = "";
/// The failure of what never fails.
const UNTOLD: &str = "-";

impl Line {
    pub(super) fn warn_key(&self) -> String {
        format!("{}_warn_threshold", self.name)
    }

    pub(super) fn fail_key(&self) -> String {
        match (self.name, self.failure) {
            ("tombstone", _) => "tombstone_failure_threshold".to_owned(),
            (_, "") => UNKNOWN_KEY.to_owned(),
            _ => format!("{}_fail_threshold", self.name),
        }
    }
}

const fn counted(name: &'static str, warning: &'static str, failure: &'static str) -> Line {
    Line {
        name,
        unit: Unit::Count,
        default: (None, None),
        warning,
        failure,
    }
}

const fn sized(name: &'static str, text: &'static str) -> Line {
    Line {
        name,
        unit: Unit::Bytes,
        default: (None, None),
        warning: text,
        failure: text,
    }
}

const fn timed(name: &'static str, text: &'static str) -> Line {
    Line {
        name,
        unit: Unit::Micros,
        default: (None, None),
        warning: text,
        failure: text,
    }
}

/// Of a term of a storage-attached index.
const fn term(name: &'static str, warn: i64, fail: i64) -> Line {
    Line {
        default: (Some(warn), Some(fail)),
        ..sized(name, TERM)
    }
}

const TERM: &str =
    "Value of column '{what}' has size {value}, this exceeds the {level} threshold of {limit}.";
const FEW_REPLICAS: &str =
    "The keyspace {what} has a replication factor of {value}, below the {level} threshold of {limit}.";
const DIMENSIONS: &str =
    "{what} has a vector of {value} dimensions, this exceeds the {level} threshold of {limit}.";
const ITEMS: &str =
    "Detected collection {what} with {value} items, this exceeds the {level} threshold of {limit}.";
const REPLICAS: &str =
    "The keyspace {what} has a replication factor of {value}, above the {level} threshold of {limit}.";

/// Of SSTables, of which there are none: taken and shown, and nothing is beyond it.
const fn untold(name: &'static str, unit: Unit, warn: Option<i64>) -> Line {
    Line {
        unit,
        default: (warn, None),
        ..counted(name, "", UNTOLD)
    }
}

/// In the order of [`Threshold`]. The first two and tombstones are told to everybody, and have texts of their own.
pub(super) const THRESHOLDS: [Line; 27] = [
    Line {
        name: "batch_size",
        unit: Unit::Bytes,
        default: (Some(5 << 10), Some(50 << 10)),
        warning: "Batch for {what} is of size {value}, exceeding specified threshold of {limit} by {over}.",
        failure: "Batch too large",
    },
    Line {
        name: "unlogged_batch_across_partitions",
        unit: Unit::Count,
        default: (Some(10), None),
        warning: "Unlogged batch covering {value} partitions detected against {what}. You should use a logged batch for \
                  atomicity, or asynchronous writes for performance.",
        failure: "",
    },
    counted(
        "keyspaces",
        "Creating keyspace {what}, current number of keyspaces {value} exceeds warning threshold of {limit}.",
        "Cannot have more than {limit} keyspaces, aborting the creation of keyspace {what}",
    ),
    counted(
        "tables",
        "Creating table {what}, current number of tables {value} exceeds warning threshold of {limit}.",
        "Cannot have more than {limit} tables, aborting the creation of table {what}",
    ),
    counted(
        "columns_per_table",
        "The table {what} has {value} columns, this exceeds the warning threshold of {limit}.",
        "Tables cannot have more than {limit} columns, but {value} provided for table {what}",
    ),
    counted(
        "secondary_indexes_per_table",
        "Creating secondary index {what}, current number of indexes {value} exceeds warning threshold of {limit}.",
        "Tables cannot have more than {limit} secondary indexes, aborting the creation of secondary index {what}",
    ),
    counted(
        "materialized_views_per_table",
        "Creating materialized view {what}, current number of views {value} exceeds warning threshold of {limit}.",
        "Tables cannot have more than {limit} materialized views, aborting the creation of materialized view {what}",
    ),
    counted(
        "fields_per_udt",
        "The user type {what} has {value} columns, this exceeds the warning threshold of {limit}.",
        "User types cannot have more than {limit} columns, but {value} provided for user type {what}.",
    ),
    counted(
        "partition_keys_in_select",
        "Query with partition keys in IN clause on table {what}, with number of partition keys {value} exceeds warning \
         threshold of {limit}.",
        "Aborting query with partition keys in IN clause on table {what}, number of partition keys {value} exceeds fail \
         threshold of {limit}.",
    ),
    counted(
        "in_select_cartesian_product",
        "The cartesian product of the IN restrictions on {what} produces {value} values, this exceeds warning threshold of \
         {limit}.",
        "Aborting query because the cartesian product of the IN restrictions on {what} produces {value} values, this exceeds \
         fail threshold of {limit}.",
    ),
    counted(
        "page_size",
        "Query for table {what} with page size {value} exceeds warning threshold of {limit}.",
        "Aborting query for table {what}, page size {value} exceeds fail threshold of {limit}.",
    ),
    counted("items_per_collection", ITEMS, ITEMS),
    sized(
        "collection_size",
        "Detected collection {what} of size {value}, this exceeds the {level} threshold of {limit}.",
    ),
    sized(
        "column_value_size",
        "Value of column '{what}' has size {value}, this exceeds the {level} threshold of {limit}.",
    ),
    counted("vector_dimensions", DIMENSIONS, DIMENSIONS),
    counted("maximum_replication_factor", REPLICAS, REPLICAS),
    timed(
        "maximum_timestamp",
        "The modification to table {what} has a timestamp {value} after the maximum allowable {level} threshold {limit}. \
         Timestamps too far in the future can lead to data that can't be easily overwritten",
    ),
    timed(
        "minimum_timestamp",
        "The modification to table {what} has a timestamp {value} before the minimum allowable {level} threshold {limit}. \
         Timestamps too far in the past can cause writes can be unexpectedly lost",
    ),
    counted("minimum_replication_factor", FEW_REPLICAS, FEW_REPLICAS),
    term("sai_string_term_size", 1 << 10, 8 << 10),
    term("sai_frozen_term_size", 1 << 10, 8 << 10),
    term("sai_vector_term_size", 16 << 10, 32 << 10),
    Line {
        name: "tombstone",
        unit: Unit::Count,
        default: (Some(1000), Some(100_000)),
        warning: "Read {live} live rows and {value} tombstone cells for query {what}",
        failure: "READ_TOO_MANY_TOMBSTONES",
    },
    counted(
        "data_disk_usage_percentage",
        "Replica disk usage exceeds warning threshold",
        "Write request failed because disk usage exceeds failure threshold",
    ),
    untold("partition_size", Unit::Bytes, None),
    untold("partition_tombstones", Unit::Count, None),
    untold("sai_sstable_indexes_per_query", Unit::Count, Some(32)),
];

/// Something that may be forbidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Switch {
    AllowFiltering,
    GroupBy,
    DropTable,
    DropKeyspace,
    AlterTable,
    UserTimestamps,
    Indexes,
    Uncompressed,
    CompactTables,
    SimpleStrategy,
    ListReads,
    Vectors,
    ZeroTtl,
    IndexesOfAll,
}

/// One line of switches.
#[derive(Debug)]
pub(super) struct SwitchLine {
    /// The setting.
    pub(super) key: &'static str,
    /// The name in the text.
    pub(super) name: &'static str,
    /// What is not allowed; empty: who asks says it.
    pub(super) what: &'static str,
    /// Why.
    pub(super) reason: &'static str,
}

const fn switch(key: &'static str, name: &'static str, what: &'static str) -> SwitchLine {
    SwitchLine {
        key,
        name,
        what,
        reason: "",
    }
}

/// In the order of [`Switch`]. Behind those are what only several replicas that answer together could run into.
pub(super) const SWITCHES: [SwitchLine; 16] = [
    SwitchLine {
        key: "allow_filtering_enabled",
        name: "allow_filtering",
        what: "Querying with ALLOW FILTERING",
        reason: "ALLOW FILTERING can potentially visit all the data in the table and have unpredictable performance.",
    },
    switch("group_by_enabled", "group_by", "GROUP BY functionality"),
    switch(
        "drop_truncate_table_enabled",
        "drop_truncate_table_enabled",
        "DROP and TRUNCATE TABLE functionality",
    ),
    switch(
        "drop_keyspace_enabled",
        "drop_keyspace_enabled",
        "DROP KEYSPACE functionality",
    ),
    switch(
        "alter_table_enabled",
        "alter_table",
        "ALTER TABLE changing columns",
    ),
    switch(
        "user_timestamps_enabled",
        "user_timestamps",
        "User provided timestamps (USING TIMESTAMP)",
    ),
    switch(
        "secondary_indexes_enabled",
        "secondary_indexes",
        "Creating secondary indexes",
    ),
    switch(
        "uncompressed_tables_enabled",
        "uncompressed_tables_enabled",
        "Uncompressed table",
    ),
    switch(
        "compact_tables_enabled",
        "compact_tables",
        "Creation of new COMPACT STORAGE tables",
    ),
    switch("simplestrategy_enabled", "simplestrategy", "SimpleStrategy"),
    switch(
        "read_before_write_list_operations_enabled",
        "read_before_write_list_operations",
        "",
    ),
    switch("vector_type_enabled", "vector_type_enabled", ""),
    SwitchLine {
        key: "zero_ttl_on_twcs_enabled",
        name: "zero_ttl_on_twcs",
        what: "0 default_time_to_live on a table with TimeWindowCompactionStrategy compaction strategy",
        reason: "It is suspicious to use default_time_to_live set to 0 with such compaction strategy. Please keep in mind that \
                 data will not start to automatically expire after they are older than a respective compaction window unit \
                 of a certain size. Please set TTL for your INSERT or UPDATE statements if you expect data to be expired as \
                 table settings will not do it. ",
    },
    SwitchLine {
        key: "non_partition_restricted_index_query_enabled",
        name: "non_partition_restricted_index_query_enabled",
        what: "Non-partition key restricted query",
        reason: "Executing a query on secondary indexes without partition key restriction might degrade performance",
    },
    switch("intersect_filtering_query_enabled", "", ""),
    switch("intersect_filtering_query_warned", "", ""),
];

/// Words that are warned of, ignored or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    PropertiesWarned,
    PropertiesIgnored,
    PropertiesDisallowed,
    ReadLevelsWarned,
    ReadLevelsDisallowed,
    WriteLevelsWarned,
    WriteLevelsDisallowed,
}

/// One line of words.
#[derive(Debug)]
pub(super) struct WordsLine {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) what: &'static str,
}

const fn words(key: &'static str, name: &'static str, what: &'static str) -> WordsLine {
    WordsLine { key, name, what }
}

/// In the order of [`Words`].
pub(super) const WORDS: [WordsLine; 7] = [
    words("table_properties_warned", "table_properties", "Table Properties"),
    words("table_properties_ignored", "table_properties", "Table Properties"),
    words(
        "table_properties_disallowed",
        "table_properties",
        "Table Properties",
    ),
    words(
        "read_consistency_levels_warned",
        "read_consistency_levels",
        "read consistency levels",
    ),
    words(
        "read_consistency_levels_disallowed",
        "read_consistency_levels",
        "read consistency levels",
    ),
    words(
        "write_consistency_levels_warned",
        "write_consistency_levels",
        "write consistency levels",
    ),
    words(
        "write_consistency_levels_disallowed",
        "write_consistency_levels",
        "write consistency levels",
    ),
];
