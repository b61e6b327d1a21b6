use super::*;

#[test]
fn errors_are_counted_by_api_and_code() {
    let counts = ErrorCounts::default();
    let part = |code| produce_response::PartitionProduceResponse::default().with_error_code(code);
    let topic = produce_response::TopicProduceResponse::default().with_partition_responses(vec![
        part(0),
        part(3),
        part(3),
        part(-1),
    ]);
    counts.count(0, &ProduceResponse::default().with_responses(vec![topic]));
    counts.count(12, &HeartbeatResponse::default().with_error_code(25));
    counts.add(12, i16::MAX);
    let told: Vec<_> = counts.told().collect();
    let expected = [
        ("Produce", "UNKNOWN_SERVER_ERROR", 1),
        ("Produce", "UNKNOWN_TOPIC_OR_PARTITION", 2),
        ("Heartbeat", "UNKNOWN_MEMBER_ID", 1),
        ("Heartbeat", "UNKNOWN(158)", 1),
    ];
    assert_eq!(
        told,
        expected.map(|(api, error, count)| (api, error.to_owned(), count))
    );
}
