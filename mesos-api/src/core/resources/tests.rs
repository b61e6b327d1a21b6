use super::*;
use mesos_proto::v1::value::Range;
use proptest::prelude::*;

fn ports(pairs: &[(u64, u64)]) -> Resource {
    let range = pairs.iter().map(|&(begin, end)| Range { begin, end });
    Resource {
        name: "ports".to_owned(),
        r#type: value::Type::Ranges as i32,
        ranges: Some(value::Ranges {
            range: range.collect(),
        }),
        ..Resource::default()
    }
}

#[test]
fn a_tenth_ten_times_is_one() {
    let tenth = Resources::of(&[scalar("cpus", 0.1)]).unwrap();
    let mut all = Resources::of(&[scalar("cpus", 1.0)]).unwrap();
    (0..10).for_each(|_| all.subtract(&tenth));
    assert!(all.is_empty());
}

#[test]
fn what_makes_no_sense_is_refused() {
    for wrong in [
        scalar("", 1.0),
        scalar("cpus", -1.0),
        scalar("cpus", f64::NAN),
        scalar("cpus", 1e300),
        ports(&[(2, 1)]),
        Resource {
            set: Some(value::Set::default()),
            ..scalar("cpus", 1.0)
        },
    ] {
        assert!(Resources::of(std::slice::from_ref(&wrong)).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_reservation_is_open_to_its_role_alone() {
    let reserved = Resource {
        role: Some("web".to_owned()),
        ..scalar("mem", 64.0)
    };
    let all = Resources::of(&[scalar("cpus", 2.0), reserved]).unwrap();
    let open_to = |role: &str| all.filter(|kind| is_open_to(kind, role));
    assert_eq!(open_to("web"), all);
    assert_eq!(open_to("web/front"), all);
    assert_eq!(open_to("webs"), Resources::of(&[scalar("cpus", 2.0)]).unwrap());
}

proptest! {
    #[test]
    fn what_is_taken_comes_back(
        cpus in 0_u32..5000, taken in 0_u32..5000,
        own in prop::collection::vec((0_u64..200, 0_u64..20), 0..8),
        other in prop::collection::vec((0_u64..200, 0_u64..20), 0..8),
    ) {
        let spans = |list: &[(u64, u64)]| ports(&list.iter().map(|(a, n)| (*a, a + n)).collect::<Vec<_>>());
        let all = Resources::of(&[scalar("cpus", f64::from(cpus) / 1000.0), spans(&own)]).unwrap();
        let some = Resources::of(&[scalar("cpus", f64::from(taken) / 1000.0), spans(&other)]).unwrap();
        let mut sum = all.clone();
        sum.add(&some);
        prop_assert!(sum.contains(&some));
        let mut left = all.clone();
        left.subtract(&some);
        prop_assert!(all.contains(&left));
        if all.contains(&some) {
            left.add(&some);
            prop_assert_eq!(left.scalar("cpus"), all.scalar("cpus"));
            prop_assert!(left.contains(&all) && all.contains(&left));
        }
        prop_assert_eq!(Resources::of(&all.to_list()).unwrap(), all);
    }
}
