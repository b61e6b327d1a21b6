//! ListTransactions (66): transactional ids by state, producer id, duration and pattern.

use super::Context;
use crate::{
    core::transactions::{State, Transaction},
    error::ApiError,
    wire::{
        ResponseError, StrBytes,
        messages::{
            ListTransactionsRequest, ListTransactionsResponse, ProducerId, TransactionalId,
            list_transactions_response::TransactionState,
        },
        text,
    },
};
use regex::{Regex, RegexBuilder};
use std::collections::HashSet;

/// Bytes a client's pattern may take once compiled.
const PATTERN_BYTES_MAX: usize = 1 << 20;

pub(crate) async fn handle(cx: Context, request: ListTransactionsRequest) -> ListTransactionsResponse {
    let filter = match Filter::new(&request, cx.broker.clock.now_ms()) {
        Ok(filter) => filter,
        Err(error) => return ListTransactionsResponse::default().with_error_code(error.wire()),
    };
    let mut found: Vec<_> = cx.broker.transactions.list();
    found.retain(|(id, transaction)| filter.admits(id, transaction));
    found.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    let listed = found.iter().map(|(id, transaction)| {
        TransactionState::default()
            .with_transactional_id(TransactionalId(text(id)))
            .with_producer_id(ProducerId(transaction.producer_id))
            .with_transaction_state(text(transaction.state.name()))
    });
    ListTransactionsResponse::default()
        .with_unknown_state_filters(filter.unknown_states)
        .with_transaction_states(listed.collect())
}

struct Filter {
    /// None: any.
    states: Option<Vec<State>>,
    unknown_states: Vec<StrBytes>,
    /// Empty: any.
    producer_ids: HashSet<i64>,
    /// Negative: any.
    duration_ms: i64,
    pattern: Option<Regex>,
    now_ms: i64,
}

impl Filter {
    fn new(request: &ListTransactionsRequest, now_ms: i64) -> Result<Self, ApiError> {
        let mut states = Vec::new();
        let mut unknown_states = Vec::new();
        for name in &request.state_filters {
            match State::NAMES.iter().find(|(known, _)| *known == name.as_str()) {
                Some((_, state)) => states.extend(*state),
                None => unknown_states.push(name.clone()),
            }
        }
        let pattern = request
            .transactional_id_pattern
            .as_deref()
            .filter(|pattern| !pattern.is_empty());
        let compiled = pattern.map(|pattern| {
            let whole = format!("^(?:{pattern})$");
            RegexBuilder::new(&whole).size_limit(PATTERN_BYTES_MAX).build()
        });
        Ok(Filter {
            states: (!request.state_filters.is_empty()).then_some(states),
            unknown_states,
            producer_ids: request.producer_id_filters.iter().map(|id| id.0).collect(),
            duration_ms: request.duration_filter,
            pattern: compiled
                .transpose()
                .map_err(|_| ResponseError::InvalidRegularExpression)?,
            now_ms,
        })
    }

    fn admits(&self, id: &str, transaction: &Transaction) -> bool {
        let lasts = self.now_ms.saturating_sub(transaction.start_ms);
        (self.producer_ids.is_empty() || self.producer_ids.contains(&transaction.producer_id))
            && self
                .states
                .as_ref()
                .is_none_or(|states| states.contains(&transaction.state))
            && (self.duration_ms < 0 || lasts > self.duration_ms)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(id))
    }
}
