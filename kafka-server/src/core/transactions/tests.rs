use super::{
    Effect, Event, Marker, Members, NO_EPOCH, NO_PRODUCER_ID, Producer, State, Transaction, Version,
};
use crate::wire::ResponseError::{
    self, ConcurrentTransactions, InvalidProducerIdMapping, InvalidTxnState, ProducerFenced,
    TransactionAbortable,
};

const NOW: i64 = 1_000;
const TIMEOUT_MS: i32 = 60_000;
const FRESH: i64 = 900;
const LAST: i16 = i16::MAX - 1;

fn producer(id: i64, epoch: i16) -> Producer {
    Producer { id, epoch }
}

/// A transactional id with producer id 7 in `state`, under `epoch`.
fn at(state: State, epoch: i16) -> Transaction {
    let mut transaction = Transaction::new(7, TIMEOUT_MS);
    transaction.epoch = epoch;
    transaction.previous_producer_id = 7;
    transaction.state = state;
    transaction.updated_ms = NOW;
    if state != State::Empty {
        transaction.start_ms = NOW;
    }
    if state == State::Ongoing || state.is_prepared() {
        transaction.members = some_members();
    }
    transaction
}

fn some_members() -> Members {
    let mut members = Members::of_partitions([("orders", 0), ("orders", 2), ("users", 1)]);
    members.groups.insert("readers".to_owned());
    members
}

fn stored(transaction: &Transaction, event: Event<'_>) -> Transaction {
    match transaction.step(NOW + 10, &event, Some(FRESH)) {
        Ok(Effect::Store(next)) => *next,
        other => panic!("{other:?}"),
    }
}

fn refused(transaction: &Transaction, event: Event<'_>) -> ResponseError {
    transaction.step(NOW + 10, &event, Some(FRESH)).unwrap_err()
}

fn init(expected: Option<Producer>) -> Event<'static> {
    Event::Init {
        expected,
        timeout_ms: TIMEOUT_MS,
    }
}

fn end(epoch: i16, commit: bool, version: Version) -> Event<'static> {
    Event::End {
        producer: producer(7, epoch),
        commit,
        version,
    }
}

#[test]
fn a_new_id_starts_at_epoch_0_and_each_init_bumps_it() {
    let first = stored(&Transaction::new(7, TIMEOUT_MS), init(None));
    assert_eq!((first.producer(), first.state), (producer(7, 0), State::Empty));
    let second = stored(&first, init(None));
    assert_eq!(second.producer(), producer(7, 1));
    assert_eq!(second.last_epoch, NO_EPOCH);
}

#[test]
fn a_producer_that_says_who_it_was_is_bumped_and_its_retry_is_not() {
    let before = at(State::Empty, 4);
    let after = stored(&before, init(Some(producer(7, 4))));
    assert_eq!((after.producer(), after.last_epoch), (producer(7, 5), 4));
    let retried = stored(&after, init(Some(producer(7, 4))));
    assert_eq!((retried.producer(), retried.last_epoch), (producer(7, 5), 4));
}

#[test]
fn a_producer_that_was_replaced_is_fenced() {
    let replaced = stored(&at(State::Empty, 4), init(None));
    assert_eq!(refused(&replaced, init(Some(producer(7, 4)))), ProducerFenced);
    assert_eq!(refused(&replaced, init(Some(producer(8, 5)))), ProducerFenced);
}

#[test]
fn used_up_epochs_lead_to_a_new_producer_id() {
    for expected in [None, Some(producer(7, LAST))] {
        let next = stored(&at(State::CompleteCommit, LAST), init(expected));
        assert_eq!(next.producer(), producer(FRESH, 0));
        assert_eq!(next.last_epoch, expected.map_or(NO_EPOCH, |_| LAST));
    }
    let rotated = stored(&at(State::Empty, LAST), init(Some(producer(7, LAST))));
    let retried = stored(&rotated, init(Some(producer(7, LAST))));
    assert_eq!(retried.producer(), producer(FRESH, 0));
}

#[test]
fn init_waits_for_a_decision_to_be_carried_out() {
    for state in [State::PrepareCommit, State::PrepareAbort] {
        assert_eq!(refused(&at(state, 4), init(None)), ConcurrentTransactions);
    }
}

#[test]
fn init_aborts_what_is_going_on_first() {
    let ongoing = at(State::Ongoing, 4);
    let Ok(Effect::AbortFirst(aborting)) = ongoing.step(NOW, &init(None), None) else {
        panic!("not aborted first");
    };
    assert_eq!(aborting.state, State::PrepareAbort);
    assert_eq!(aborting.producer(), producer(7, 5));
    assert_eq!(aborting.members, ongoing.members);
    let aborted = aborting.completed(NOW);
    assert_eq!(stored(&aborted, init(None)).producer(), producer(7, 6));
    // The producer that was going on itself, after an error: it is given the epoch that fenced it.
    assert_eq!(
        stored(&aborted, init(Some(producer(7, 4)))).producer(),
        producer(7, 5)
    );
}

#[test]
fn fencing_the_last_epoch_leaves_the_id_with_a_new_producer_id() {
    let Ok(Effect::AbortFirst(aborting)) = at(State::Ongoing, LAST).step(NOW, &init(None), Some(FRESH))
    else {
        panic!("not aborted first");
    };
    assert_eq!(aborting.producer(), producer(7, i16::MAX));
    assert_eq!(aborting.completed(NOW).producer(), producer(FRESH, 0));
}

#[test]
fn the_first_members_begin_a_transaction_and_known_ones_change_nothing() {
    let members = some_members();
    let add = Event::Add {
        producer: producer(7, 4),
        members: &members,
        version: Version::V1,
    };
    for state in [State::Empty, State::CompleteCommit, State::CompleteAbort] {
        let ongoing = stored(&at(state, 4), add);
        assert_eq!((ongoing.state, ongoing.start_ms), (State::Ongoing, NOW + 10));
        assert_eq!(ongoing.members, members);
        assert_eq!(ongoing.step(NOW + 20, &add, None), Ok(Effect::Nothing));
    }
}

#[test]
fn more_members_do_not_begin_it_anew() {
    let members = Members::of_partitions([("orders", 1)]);
    let add = Event::Add {
        producer: producer(7, 4),
        members: &members,
        version: Version::V1,
    };
    let more = stored(&at(State::Ongoing, 4), add);
    assert_eq!(more.start_ms, NOW);
    assert!(more.members.has("orders", 1) && more.members.has("users", 1));
    assert!(more.members.groups.contains("readers"));
}

#[test]
fn only_the_newest_producer_adds_members() {
    let members = some_members();
    let add = |producer| Event::Add {
        producer,
        members: &members,
        version: Version::V2,
    };
    assert_eq!(
        refused(&at(State::Empty, 4), add(producer(8, 4))),
        InvalidProducerIdMapping
    );
    assert_eq!(refused(&at(State::Empty, 4), add(producer(7, 3))), ProducerFenced);
    assert_eq!(refused(&at(State::Empty, 4), add(producer(7, 5))), ProducerFenced);
    assert_eq!(
        refused(&at(State::PrepareCommit, 4), add(producer(7, 4))),
        ConcurrentTransactions
    );
}

#[test]
fn members_are_verified() {
    let ongoing = at(State::Ongoing, 4);
    assert_eq!(ongoing.verify(producer(7, 4), "orders", 2), Ok(()));
    assert_eq!(
        ongoing.verify(producer(7, 4), "orders", 1),
        Err(TransactionAbortable)
    );
    assert_eq!(ongoing.verify(producer(7, 3), "orders", 2), Err(ProducerFenced));
    assert_eq!(
        ongoing.verify(producer(9, 4), "orders", 2),
        Err(InvalidProducerIdMapping)
    );
    assert_eq!(ongoing.verify_group(producer(7, 4), "readers"), Ok(()));
    assert_eq!(
        ongoing.verify_group(producer(7, 4), "others"),
        Err(TransactionAbortable)
    );
    let prepared = at(State::PrepareAbort, 4);
    assert_eq!(
        prepared.verify(producer(7, 4), "orders", 2),
        Err(ConcurrentTransactions)
    );
    let complete = at(State::CompleteCommit, 4);
    assert_eq!(
        complete.verify(producer(7, 4), "orders", 2),
        Err(TransactionAbortable)
    );
}

#[test]
fn ends_of_v1_keep_the_epoch() {
    for (commit, prepared, complete) in [
        (true, State::PrepareCommit, State::CompleteCommit),
        (false, State::PrepareAbort, State::CompleteAbort),
    ] {
        let decided = stored(&at(State::Ongoing, 4), end(4, commit, Version::V1));
        assert_eq!((decided.state, decided.producer()), (prepared, producer(7, 4)));
        assert_eq!(
            decided.marker(),
            Some(Marker {
                producer: producer(7, 4),
                commit
            })
        );
        let done = stored(&decided, Event::Complete);
        assert_eq!((done.state, done.producer()), (complete, producer(7, 4)));
        assert_eq!((done.marker(), done.members), (None, Members::default()));
    }
}

#[test]
fn ends_of_v1_by_state() {
    let table = [
        (State::Empty, true, Err(InvalidTxnState)),
        (State::Empty, false, Err(InvalidTxnState)),
        (State::PrepareCommit, true, Err(ConcurrentTransactions)),
        (State::PrepareCommit, false, Err(InvalidTxnState)),
        (State::PrepareAbort, true, Err(InvalidTxnState)),
        (State::PrepareAbort, false, Err(ConcurrentTransactions)),
        (State::CompleteCommit, true, Ok(Effect::Nothing)),
        (State::CompleteCommit, false, Err(InvalidTxnState)),
        (State::CompleteAbort, true, Err(InvalidTxnState)),
        (State::CompleteAbort, false, Ok(Effect::Nothing)),
    ];
    for (state, commit, expected) in table {
        let answer = at(state, 4).step(NOW, &end(4, commit, Version::V1), None);
        assert_eq!(answer, expected, "{state:?} commit={commit}");
        for stale in [3, 5] {
            assert_eq!(
                refused(&at(state, 4), end(stale, commit, Version::V1)),
                ProducerFenced
            );
        }
    }
}

#[test]
fn ends_of_v2_bump_the_epoch() {
    let decided = stored(&at(State::Ongoing, 4), end(4, true, Version::V2));
    assert_eq!((decided.producer(), decided.last_epoch), (producer(7, 5), 4));
    assert_eq!(decided.marker().unwrap().producer, producer(7, 5));
    assert_eq!(decided.completed(NOW).producer(), producer(7, 5));
}

/// Its epoch was given to another producer, which ended under it: the producer before must not take that for its own.
#[test]
fn an_end_of_v1_is_no_retry_of_the_epoch_before() {
    for (state, commit) in [
        (State::PrepareCommit, true),
        (State::PrepareAbort, false),
        (State::CompleteCommit, true),
        (State::CompleteAbort, false),
    ] {
        let ended_by_v1 = at(state, 4);
        assert_eq!(refused(&ended_by_v1, end(3, commit, Version::V2)), ProducerFenced);
    }
}

#[derive(Debug, PartialEq)]
enum Answer {
    Fenced,
    InvalidState,
    Concurrent,
    AsBefore,
    Bumped,
}

#[test]
fn ends_of_v2_by_state() {
    use Answer::{AsBefore, Bumped, Concurrent, Fenced, InvalidState};
    // State, commit, then the answers to the epoch before (a retry), the current one, and one that never was.
    let table = [
        (State::Empty, false, Fenced, Bumped),
        (State::Empty, true, Fenced, InvalidState),
        (State::Ongoing, false, Fenced, Bumped),
        (State::Ongoing, true, Fenced, Bumped),
        (State::PrepareAbort, false, Concurrent, Concurrent),
        (State::PrepareAbort, true, InvalidState, Concurrent),
        (State::PrepareCommit, false, InvalidState, Concurrent),
        (State::PrepareCommit, true, Concurrent, Concurrent),
        (State::CompleteAbort, false, AsBefore, Bumped),
        (State::CompleteAbort, true, InvalidState, InvalidState),
        (State::CompleteCommit, false, InvalidState, Bumped),
        (State::CompleteCommit, true, AsBefore, InvalidState),
    ];
    for (state, commit, retry, current) in table {
        let mut transaction = at(state, 4);
        transaction.version = Version::V2;
        let answer = |epoch| match transaction.step(NOW, &end(epoch, commit, Version::V2), None) {
            Ok(Effect::Nothing) => AsBefore,
            Ok(Effect::Store(next)) => {
                assert!(next.state.is_prepared() && next.epoch == 5 && next.start_ms == NOW);
                Bumped
            }
            Ok(Effect::AbortFirst(_)) => panic!("an end aborts nothing first"),
            Err(ProducerFenced) => Fenced,
            Err(InvalidTxnState) => InvalidState,
            Err(ConcurrentTransactions) => Concurrent,
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(answer(3), retry, "{state:?} commit={commit} retry");
        assert_eq!(answer(4), current, "{state:?} commit={commit} current");
        assert_eq!(answer(9), Fenced);
        assert_eq!(
            refused(
                &transaction,
                Event::End {
                    producer: producer(8, 4),
                    commit,
                    version: Version::V2
                }
            ),
            InvalidProducerIdMapping
        );
    }
}

#[test]
fn the_end_of_v2_in_the_last_epoch_goes_on_with_a_new_producer_id() {
    let decided = stored(&at(State::Ongoing, LAST), end(LAST, true, Version::V2));
    assert_eq!(decided.producer(), producer(7, i16::MAX));
    assert_eq!(decided.next_producer_id, FRESH);
    let done = stored(&decided, Event::Complete);
    assert_eq!((done.producer(), done.last_epoch), (producer(FRESH, 0), LAST));
    assert_eq!(done.next_producer_id, NO_PRODUCER_ID);
    let retry = done.step(NOW, &end(LAST, true, Version::V2), None);
    assert_eq!(retry, Ok(Effect::Nothing));
}

#[test]
fn what_lasts_too_long_is_aborted_and_its_producer_fenced() {
    let ongoing = at(State::Ongoing, 4);
    let late = NOW + i64::from(TIMEOUT_MS);
    assert_eq!(ongoing.step(late, &Event::TimeOut, None), Ok(Effect::Nothing));
    let Ok(Effect::Store(aborted)) = ongoing.step(late + 1, &Event::TimeOut, None) else {
        panic!("not aborted");
    };
    assert_eq!(
        (aborted.state, aborted.producer()),
        (State::PrepareAbort, producer(7, 5))
    );
    assert_eq!(
        refused(&aborted.completed(late), end(4, true, Version::V1)),
        ProducerFenced
    );
    assert_eq!(
        refused(&aborted.completed(late), end(4, true, Version::V2)),
        InvalidTxnState
    );
}

#[test]
fn only_idle_ids_expire() {
    for (_, state) in State::NAMES {
        let Some(state) = state else { continue };
        let idle = matches!(state, State::Empty | State::CompleteCommit | State::CompleteAbort);
        assert_eq!(at(state, 4).expired(NOW + 100, 100), idle, "{state:?}");
        assert!(!at(state, 4).expired(NOW + 99, 100));
    }
}
