//! The suite that every backend must pass, for their own tests to call: `storage::contract_tests!(factory)`.
//!
//! Knows: the traits and what they promise, crashes included. Never: a backend.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "these are tests, compiled into the library for the backends to call; their names say what they check"
)]

mod framing;
mod kv;
mod log;
mod model;

pub use framing::{TestFraming, entry, entry_of, options, read_all};
pub use kv::*;
pub use log::*;
pub use model::*;

use crate::{MergeFn, Shard};
use std::sync::Arc;

/// Opens shards over one storage, which is empty at first.
pub trait Factory {
    /// A new owner's shard, over what earlier ones left behind. They were dropped, but not shut down in any way.
    /// Merges fold by [`concatenate`].
    fn open(&self) -> Shard;
}

/// A merge function: the value, then each operand, in order.
pub fn concatenate() -> MergeFn {
    Arc::new(|_, value, operands| {
        let mut folded = value.unwrap_or_default().to_vec();
        operands
            .iter()
            .for_each(|operand| folded.extend_from_slice(operand));
        folded
    })
}

/// One test for each promise, over a factory made anew by `$factory` for each.
#[macro_export]
macro_rules! contract_tests {
    ($factory:expr) => {
        $crate::contract_tests!(@each $factory;
            kv_reads_what_was_committed,
            kv_applies_a_batch_in_order,
            kv_applies_nothing_where_an_expectation_fails,
            kv_lets_one_of_many_expectations_win,
            kv_scans_in_pages_both_ways,
            kv_snapshots_do_not_change,
            kv_merges_operands_in_order,
            kv_removes_ranges,
            kv_reclaims_only_what_was_removed,
            kv_estimates_what_it_holds,
            kv_tells_the_space_it_takes,
            kv_keeps_acknowledged_commits,
            leases_grow_with_each_owner,
            log_reads_what_was_appended,
            log_refuses_offsets_that_do_not_ascend,
            log_reads_within_limits,
            log_reads_from_the_middle_of_an_entry,
            log_finds_entries_by_time,
            log_rolls_and_lists_chunks,
            log_trims_for_good,
            log_truncates_for_good,
            log_rewrites_closed_chunks,
            log_keeps_slices_that_are_held,
            log_is_empty_and_open_at_first,
            log_removal_is_final,
            log_lists_names,
            log_keeps_acknowledged_appends,
            log_settles_and_goes_on,
            log_syncs_many_at_once,
            log_opens_once,
            log_behaves_like_its_model,
        );
    };
    (@each $factory:expr; $($case:ident,)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::contract::$case(&$factory).await;
            }
        )*
    };
}
