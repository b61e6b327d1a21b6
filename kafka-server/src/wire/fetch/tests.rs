use super::*;
use crate::wire::{self, messages::fetch_response as api, text};
use proptest::prelude::*;

/// The same answer as `kafka_protocol` has it.
fn message(version: i16, fetched: &Fetched<Bytes>) -> wire::messages::FetchResponse {
    let partition = |p: &FetchedPartition<Bytes>| {
        let mut to = api::PartitionData::default()
            .with_partition_index(p.index)
            .with_error_code(p.error_code)
            .with_high_watermark(p.high_watermark)
            .with_last_stable_offset(p.last_stable_offset)
            .with_aborted_transactions(p.aborted.as_ref().map(|all| {
                all.iter()
                    .map(|(id, first)| {
                        api::AbortedTransaction::default()
                            .with_producer_id((*id).into())
                            .with_first_offset(*first)
                    })
                    .collect()
            }))
            .with_records(Some(Bytes::from(p.records.concat())));
        if version >= 5 {
            to = to.with_log_start_offset(p.log_start_offset);
        }
        if version >= 11 {
            to = to.with_preferred_read_replica(p.preferred_read_replica.into());
        }
        if let (12.., Some((epoch, end))) = (version, p.diverging_epoch) {
            to = to.with_diverging_epoch(
                api::EpochEndOffset::default()
                    .with_epoch(epoch)
                    .with_end_offset(end),
            );
        }
        if let (12.., Some((id, epoch))) = (version, p.current_leader) {
            to = to.with_current_leader(
                api::LeaderIdAndEpoch::default()
                    .with_leader_id(id.into())
                    .with_leader_epoch(epoch),
            );
        }
        to
    };
    let topic = |t: &FetchedTopic<Bytes>| {
        let to = api::FetchableTopicResponse::default()
            .with_partitions(t.partitions.iter().map(partition).collect());
        match version {
            13.. => to.with_topic_id(t.id),
            _ => to.with_topic(wire::messages::TopicName(t.name.clone())),
        }
    };
    let mut to =
        wire::messages::FetchResponse::default().with_responses(fetched.topics.iter().map(topic).collect());
    if version >= 7 {
        to = to
            .with_error_code(fetched.error_code)
            .with_session_id(fetched.session_id);
    }
    if version >= 16 {
        to = to.with_node_endpoints(
            fetched
                .endpoints
                .iter()
                .map(|e| {
                    api::NodeEndpoint::default()
                        .with_node_id(e.node_id.into())
                        .with_host(e.host.clone())
                        .with_port(e.port)
                        .with_rack(e.rack.clone())
                })
                .collect(),
        );
    }
    to
}

fn partition() -> impl Strategy<Value = FetchedPartition<Bytes>> {
    let records = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..4);
    let aborted = proptest::option::of(proptest::collection::vec((any::<i64>(), any::<i64>()), 0..4));
    let numbers = (any::<i32>(), any::<i16>(), any::<[i64; 3]>(), any::<i32>());
    // What equals the default of a tagged field is not written, by the rule: -1 is no diverging epoch.
    let tags = (
        proptest::option::of((0..i32::MAX, any::<i64>())),
        proptest::option::of((0..i32::MAX, any::<i32>())),
    );
    (numbers, aborted, tags, records).prop_map(|(numbers, aborted, tags, records)| FetchedPartition {
        index: numbers.0,
        error_code: numbers.1,
        high_watermark: numbers.2[0],
        last_stable_offset: numbers.2[1],
        log_start_offset: numbers.2[2],
        aborted,
        preferred_read_replica: numbers.3,
        diverging_epoch: tags.0,
        current_leader: tags.1,
        records_bytes: records.iter().map(Vec::len).sum(),
        records: records.into_iter().map(Bytes::from).collect(),
    })
}

fn fetched() -> impl Strategy<Value = Fetched<Bytes>> {
    let topic = (
        "[a-z]{0,200}",
        any::<u128>(),
        proptest::collection::vec(partition(), 0..4),
    )
        .prop_map(|(name, id, partitions)| FetchedTopic {
            name: text(name),
            id: Uuid::from_u128(id),
            partitions,
        });
    let endpoint = (
        any::<i32>(),
        "[a-z]{0,20}",
        any::<i32>(),
        proptest::option::of("[a-z]{1,9}"),
    )
        .prop_map(|(node_id, host, port, rack)| Endpoint {
            node_id,
            host: text(host),
            port,
            rack: rack.map(text),
        });
    (
        any::<i16>(),
        any::<i32>(),
        proptest::collection::vec(topic, 0..4),
        proptest::collection::vec(endpoint, 0..3),
    )
        .prop_map(|(error_code, session_id, topics, endpoints)| Fetched {
            error_code,
            session_id,
            topics,
            endpoints,
        })
}

proptest! {
    #[test]
    fn every_version_is_written_as_the_library_writes_it(response in fetched()) {
        for version in 4..=18 {
            let expected = wire::encode(77, version, &message(version, &response)).unwrap();
            let parts = encode(77, version, response.clone(), |bytes| bytes).unwrap();
            prop_assert_eq!(Bytes::from(parts.concat()), expected, "version {}", version);
        }
    }
}

#[test]
fn records_pass_through_uncopied() {
    let records = Bytes::from(vec![7; 100]);
    let response = Fetched {
        error_code: 0,
        session_id: 0,
        topics: vec![FetchedTopic {
            name: text("t"),
            id: Uuid::nil(),
            partitions: vec![FetchedPartition {
                records: vec![records.clone()],
                records_bytes: 100,
                ..FetchedPartition::failed(0, 0)
            }],
        }],
        endpoints: Vec::new(),
    };
    let parts = encode(1, 12, response, |bytes| bytes).unwrap();
    assert!(parts.iter().any(|part| part.as_ptr() == records.as_ptr()));
}
