use super::*;
use proptest::prelude::*;

fn parse(text: &str, zone: &str) -> Schedule {
    Schedule::parse(text, zone, 0).unwrap()
}

fn dues(text: &str, zone: &str, count: u64) -> Vec<String> {
    let schedule = parse(text, zone);
    (0..count)
        .filter_map(|at| schedule.due(at))
        .map(time_text)
        .collect()
}

#[test]
fn a_number_of_times_or_for_ever() {
    let some = dues("R2/2012-10-01T05:52:00Z/PT2S", "", 9);
    assert_eq!(some, ["2012-10-01T05:52:00.000Z", "2012-10-01T05:52:02.000Z"]);
    assert_eq!(dues("R/2012-10-01T05:52:00Z/PT2S", "", 9).len(), 9);
    assert_eq!(dues("R0/2012-10-01T05:52:00Z/PT2S", "", 9).len(), 0);
}

#[test]
fn starts_may_be_short_or_have_offsets() {
    for (start, told) in [
        ("2014-10-10", "2014-10-10T00:00:00.000Z"),
        ("2014-10", "2014-10-01T00:00:00.000Z"),
        ("2014-10-10T18", "2014-10-10T18:00:00.000Z"),
        ("2014-10-10T18:32", "2014-10-10T18:32:00.000Z"),
        ("2014-10-10T18:32:05.45+01:00", "2014-10-10T17:32:05.450Z"),
        ("2014-10-10T18:32:05-0230", "2014-10-10T21:02:05.000Z"),
    ] {
        assert_eq!(dues(&format!("R1/{start}/P1D"), "", 1), [told], "{start}");
    }
    let now = Schedule::parse("R1//PT24H", "", 10_000).unwrap();
    assert_eq!(now.due(0), Some(9_000));
}

#[test]
fn what_is_none_is_refused() {
    for text in [
        "",
        "R",
        "R/P1D",
        "X/2014-10-10/P1D",
        "R-1/2014-10-10/P1D",
        "Rx/2014-10-10/P1D",
        "R/2014-13-10/P1D",
        "R/2014-10-10T25:00:00Z/P1D",
        "R/2014-10-10T18:32:00Q/P1D",
        "R/yesterday/P1D",
        "R/2014-10-10/1D",
        "R/2014-10-10/P",
        "R/2014-10-10/PT0S",
        "R/2014-10-10/-P1D",
        "R/2014-10-10/P-1D",
        "R99999999999999999999/2014-10-10/P1D",
    ] {
        assert!(Schedule::parse(text, "", 0).is_err(), "{text}");
    }
}

#[test]
fn a_zone_takes_the_place_of_an_offset() {
    let told = dues("R1/2014-10-10T18:32:00Z/PT60M", "PST", 1);
    assert_eq!(told, ["2014-10-11T01:32:00.000Z"]);
    let told = dues("R1/2014-10-10T18:32:00Z/PT60M", "GMT+2", 1);
    assert_eq!(told, ["2014-10-10T16:32:00.000Z"]);
    // Java takes what it does not know for GMT.
    let told = dues("R1/2014-10-10T18:32:00Z/PT60M", "Nowhere/Land", 1);
    assert_eq!(told, ["2014-10-10T18:32:00.000Z"]);
}

#[test]
fn days_keep_the_time_of_the_clock_and_hours_do_not() {
    // Clocks go forward on 29 March 2026 at 02:00, and back on 25 October at 03:00.
    let days = dues("R3/2026-03-28T09:00:00/P1D", "Europe/Berlin", 3);
    assert_eq!(
        days,
        [
            "2026-03-28T08:00:00.000Z",
            "2026-03-29T07:00:00.000Z",
            "2026-03-30T07:00:00.000Z"
        ]
    );
    let hours = dues("R3/2026-03-28T09:00:00/PT24H", "Europe/Berlin", 3);
    assert_eq!(
        hours,
        [
            "2026-03-28T08:00:00.000Z",
            "2026-03-29T08:00:00.000Z",
            "2026-03-30T08:00:00.000Z"
        ]
    );
    // 02:30 does not exist that day: it is an hour later on the clock, and back at 02:30 the day after.
    let gap = dues("R3/2026-03-28T02:30:00/P1D", "Europe/Berlin", 3);
    assert_eq!(
        gap,
        [
            "2026-03-28T01:30:00.000Z",
            "2026-03-29T01:30:00.000Z",
            "2026-03-30T00:30:00.000Z"
        ]
    );
    // 02:30 is there twice: it is due once, the first time.
    let twice = dues("R2/2026-10-24T02:30:00/P1D", "Europe/Berlin", 2);
    assert_eq!(twice, ["2026-10-24T00:30:00.000Z", "2026-10-25T00:30:00.000Z"]);
}

#[test]
fn months_and_years_are_those_of_the_calendar() {
    let months = dues("R4/2023-12-31T12:00:00Z/P1M", "", 4);
    assert_eq!(
        months,
        [
            "2023-12-31T12:00:00.000Z",
            "2024-01-31T12:00:00.000Z",
            "2024-02-29T12:00:00.000Z",
            "2024-03-31T12:00:00.000Z"
        ]
    );
    let years = dues("R3/2024-02-29T00:00:00Z/P1Y", "", 3);
    assert_eq!(
        years,
        [
            "2024-02-29T00:00:00.000Z",
            "2025-02-28T00:00:00.000Z",
            "2026-02-28T00:00:00.000Z"
        ]
    );
    assert_eq!(
        dues("R2/2024-01-01T00:00:00Z/P1Y2M1W1DT1H1M1.5S", "", 2)[1],
        "2025-03-09T01:01:01.500Z"
    );
}

#[test]
fn the_rest_is_a_schedule_again() {
    let schedule = parse("R5/2014-10-10T18:32:00Z/PT1H", "PST");
    assert_eq!(schedule.rest(0), "R5/2014-10-10T18:32:00.000-07:00/PT1H");
    assert_eq!(schedule.rest(2), "R3/2014-10-10T20:32:00.000-07:00/PT1H");
    assert_eq!(schedule.rest(5), "R0/2014-10-10T23:32:00.000-07:00/PT1H");
    let again = parse(&schedule.rest(2), "PST");
    assert_eq!(again.due(0), schedule.due(2));
    assert_eq!(again.due(2), schedule.due(4));
    assert_eq!(again.due(3), None);
}

#[test]
fn long_ago_costs_no_more_than_yesterday() {
    let schedule = parse("R/1970-01-01T00:00:00Z/PT1S", "");
    assert_eq!(schedule.first_not_before(0, 1_700_000_000_001), 1_700_000_001);
    assert_eq!(schedule.first_not_before(5, 0), 5);
    let ended = parse("R10/1970-01-01T00:00:00Z/PT1S", "");
    assert_eq!(ended.first_not_before(0, 1_700_000_000_001), 10);
    assert!(ended.is_over(10) && !ended.is_over(9));
}

#[test]
fn epsilons_are_lengths() {
    assert_eq!(period_ms("PT15M"), Some(900_000));
    assert_eq!(period_ms("P1D"), Some(86_400_000));
    assert_eq!(period_ms("PT0S"), Some(0));
    assert_eq!(period_ms("soon"), None);
}

proptest! {
    #[test]
    fn no_text_is_too_wild(text in ".{0,40}", zone in ".{0,12}") {
        let _ = Schedule::parse(&text, &zone, 1_700_000_000_000);
        let _ = Schedule::parse(&format!("R/{text}/P1D"), &zone, 1_700_000_000_000);
        let _ = Schedule::parse(&format!("R//P{text}"), &zone, 1_700_000_000_000);
    }

    #[test]
    fn the_first_not_before_is_the_first(
        start in 0_i64..4_000_000_000_000,
        days in 0_u32..40,
        months in 0_u32..14,
        seconds in 1_u32..100_000,
        after in -1_000_000_000_i64..100_000_000_000,
        zone in prop::sample::select(vec!["", "Europe/Berlin", "America/New_York", "Pacific/Apia"]),
    ) {
        let text = format!("R/{}/P{months}M{days}DT{seconds}S", time_text(start));
        let schedule = parse(&text, zone);
        let time = schedule.start_ms() + after;
        let first = schedule.first_not_before(0, time);
        prop_assert!(schedule.due(first).unwrap() >= time);
        prop_assert!(first == 0 || schedule.due(first - 1).unwrap() < time);
    }
}
