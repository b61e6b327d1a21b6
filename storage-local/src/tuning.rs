//! RocksDB's options, each with its why. None of them changes what is stored or answered, only what that costs.

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, DBCompressionType, DataBlockIndexType, Options,
};

/// What is buffered in memory before it becomes a sorted file. The larger it is, the less often what is stored is merged again.
const WRITE_BUFFER_BYTES: usize = 32 << 20;
/// Buffers: one takes writes, the others are on their way to the disk. With only one of these a burst has to wait.
const WRITE_BUFFERS_MAX: i32 = 4;
/// Of a buffer's memory, what tells which keys it does not have: a point read passes it by.
const WRITE_BUFFER_FILTER_SHARE: f64 = 0.05;
/// Blocks of sorted files, of their indexes and filters, that are kept in memory.
const BLOCK_CACHE_BYTES: usize = 128 << 20;
/// The write-ahead log is cut by flushing the buffers beyond this, so that opening after a crash stays fast.
const WAL_BYTES_MAX: u64 = 64 << 20;
/// What is compressed, read and kept in memory together. Twice the default: what is stored takes less space and is merged
/// with less work, and a point read that has to unpack a block still takes microseconds.
const BLOCK_BYTES: usize = 8 << 10;
/// Sorted files that are open at the same time at the most.
const OPEN_FILES_MAX: i32 = 256;
/// Of the places of a block's hash table, how many are taken.
const HASH_FILL: f64 = 0.75;

/// How each level is compressed; the last one told is that of all below.
const FLUSHED_AS_IT_IS: [DBCompressionType; 2] = [DBCompressionType::None, DBCompressionType::Lz4];

/// The options of a store without a merge function.
pub(crate) fn options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&tables());
    options.set_compression_type(DBCompressionType::Lz4);
    // What was just flushed is soon merged with what is below, and compressed there.
    options.set_compression_per_level(&FLUSHED_AS_IT_IS);
    // Levels are filled from the top: with the default, what is flushed is merged into the lowest one at once, so that a
    // store of a few hundred megabytes is written over and over.
    options.set_level_compaction_dynamic_level_bytes(false);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_max_write_buffer_number(WRITE_BUFFERS_MAX);
    options.set_memtable_prefix_bloom_ratio(WRITE_BUFFER_FILTER_SHARE);
    options.set_memtable_whole_key_filtering(true);
    options.set_max_total_wal_size(WAL_BYTES_MAX);
    options.set_max_open_files(OPEN_FILES_MAX);
    options.set_max_background_jobs(2);
    // The default of 16 threads that open table files costs more than it saves a store this small.
    options.set_max_file_opening_threads(1);
    options.set_skip_stats_update_on_db_open(true);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(1 << 20);
    options.set_log_level(rocksdb::LogLevel::Warn);
    options
}

/// How sorted files are laid out and cached.
fn tables() -> BlockBasedOptions {
    let mut table = BlockBasedOptions::default();
    // Reads of all threads look into it at once: this one takes no lock for that.
    table.set_block_cache(&Cache::new_hyper_clock_cache(BLOCK_CACHE_BYTES, 0));
    table.set_block_size(BLOCK_BYTES);
    table.set_bloom_filter(10.0, false);
    // Indexes and filters grow with what is stored, so they have to share the cache. Undivided, those of one file are a
    // block of a megabyte each: where the cache has no room for it, every single point read unpacks all of it.
    table.set_cache_index_and_filter_blocks(true);
    table.set_cache_index_and_filter_blocks_with_high_priority(true);
    table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    table.set_partition_filters(true);
    table.set_pin_top_level_index_and_filter(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    // Within a block a key is found by its hash, without comparisons.
    table.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
    table.set_data_block_hash_ratio(HASH_FILL);
    table
}
