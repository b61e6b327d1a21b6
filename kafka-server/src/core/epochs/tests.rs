use super::*;
use proptest::prelude::*;

fn epochs(begun: &[(i32, u64)]) -> Epochs {
    let mut epochs = Epochs::default();
    for (epoch, start) in begun {
        epochs.begin(*epoch, *start);
    }
    epochs
}

#[test]
fn ends_are_those_of_the_original() {
    let known = epochs(&[(2, 10), (4, 20), (7, 30)]);
    for (asked, answer) in [
        (0, Some((0, 10))),
        (2, Some((2, 20))),
        (3, Some((2, 20))),
        (4, Some((4, 30))),
        (6, Some((4, 30))),
        (7, Some((7, 35))),
        (8, None),
    ] {
        assert_eq!(known.end_of(asked, 35), answer, "epoch {asked}");
    }
    assert_eq!(Epochs::default().end_of(0, 35), None);
}

#[test]
fn an_epoch_that_wrote_nothing_leaves_no_trace() {
    assert_eq!(
        epochs(&[(0, 0), (1, 5), (2, 5), (3, 5)]),
        epochs(&[(0, 0), (3, 5)])
    );
    assert_eq!(epochs(&[(0, 0), (1, 0)]), epochs(&[(1, 0)]));
}

proptest! {
    /// A log is the epochs of its records; what is known of it answers as if each were looked at.
    #[test]
    fn answers_are_those_of_the_records(
        writes in prop::collection::vec((0..3_i32, 0..4_usize), 0..12),
        gone in 0..20_usize,
        asked in -1..40_i32,
    ) {
        let (mut log, mut known, mut epoch) = (Vec::new(), Epochs::default(), 0);
        known.begin(0, 0);
        for (step, records) in writes {
            epoch += step;
            known.begin(epoch, log.len() as u64);
            log.extend(std::iter::repeat_n(epoch, records));
        }
        let start = gone.min(log.len());
        known.trim(start as u64);
        let end = log.len();
        let held = &log[start..];

        let after = held.iter().position(|of| *of > asked).map(|at| start + at);
        let up_to = held.iter().copied().filter(|of| *of <= asked).max();
        let expected = match after {
            _ if asked > epoch => None,
            _ if asked == epoch => Some((epoch, end as u64)),
            Some(after) => Some((up_to.unwrap_or(asked), after as u64)),
            // Only the leader of now comes after, and has written nothing.
            None => Some((up_to.unwrap_or(asked), end as u64)),
        };
        prop_assert_eq!(known.end_of(asked, end as u64), expected);
        for (at, of) in held.iter().enumerate() {
            prop_assert_eq!(known.at((start + at) as u64), Some(*of));
        }
        prop_assert_eq!(known.at(end as u64), Some(epoch));
    }
}
