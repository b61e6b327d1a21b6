use super::*;
use prometheus_client::encoding::text::encode;

#[derive(Debug)]
struct Two(Latency, Latency);

impl Collector for Two {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        Latency::encode(
            &mut encoder,
            "api",
            [("asked", &self.0), ("never", &self.1)].into_iter(),
        )
    }
}

#[test]
fn what_was_asked_is_told_in_buckets_of_seconds() {
    let two = Two(Latency::default(), Latency::default());
    for us in [50, 51, 5_000_001] {
        two.0.answered(Duration::from_micros(us));
    }
    let mut registry = Registry::default();
    registry.register_collector(Box::new(two));
    let mut told = String::new();
    encode(&mut told, &registry).unwrap();
    for line in [
        "request_seconds_bucket{le=\"0.00005\",api=\"asked\"} 1",
        "request_seconds_bucket{le=\"0.0001\",api=\"asked\"} 2",
        "request_seconds_bucket{le=\"+Inf\",api=\"asked\"} 3",
        "request_seconds_count{api=\"asked\"} 3",
    ] {
        assert!(told.contains(line), "{line} in {told}");
    }
    assert!(!told.contains("never"));
}

#[test]
fn quantiles_are_bounds() {
    let latency = Latency::default();
    (0..98).for_each(|_| latency.answered(Duration::from_micros(60)));
    (0..2).for_each(|_| latency.answered(Duration::from_secs(9)));
    assert_eq!(latency.count(), 100);
    assert_eq!(latency.quantile(0.5), Duration::from_micros(100));
    assert_eq!(latency.quantile(0.98), Duration::from_micros(100));
    assert_eq!(latency.quantile(0.99), Duration::from_secs(10));
}
