//! A client for tests of handlers: requests as frames, answers decoded.

use super::{Reply, Session, dispatch};
use crate::{
    broker::Broker,
    config::Config,
    wire::{messages::*, text},
};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, HeaderVersion, Request};
use std::{ops::RangeInclusive, sync::Arc};

pub(super) struct Client(pub(super) Arc<Session>);

impl Client {
    pub(super) async fn new() -> Self {
        Client::of(Broker::in_memory(Config::default()).await)
    }

    pub(super) fn of(broker: Arc<Broker>) -> Self {
        Client(Session::new(
            broker,
            ([127, 0, 0, 1], 1).into(),
            "PLAINTEXT".into(),
        ))
    }

    pub(super) async fn ask<R: Request>(&self, version: i16, request: &R) -> R::Response {
        let mut frame = BytesMut::new();
        frame.put_slice(&R::KEY.to_be_bytes());
        frame.put_i16(version);
        frame.put_i32(7);
        frame.put_i16(-1);
        if R::header_version(version) >= 2 {
            frame.put_u8(0);
        }
        request.encode(&mut frame, version).unwrap();
        let Reply::Frame(parts) = dispatch(&self.0, 1, frame.freeze())
            .unwrap()
            .answer
            .await
            .unwrap()
        else {
            panic!("no answer");
        };
        let mut body = BytesMut::new();
        for part in parts {
            body.extend_from_slice(&part.load().unwrap());
        }
        let mut body: Bytes = body.freeze();
        assert_eq!(body.get_i32() as usize, body.len());
        assert_eq!(body.get_i32(), 7);
        if R::Response::header_version(version) >= 1 {
            assert_eq!(body.get_u8(), 0);
        }
        let response = R::Response::decode(&mut body, version).unwrap();
        assert!(body.is_empty());
        response
    }

    /// Asks in every version, and answers what the last one was told.
    pub(super) async fn ask_all<R: Request>(
        &self,
        versions: RangeInclusive<i16>,
        request: impl Fn(i16) -> R,
    ) -> R::Response {
        let (first, last) = versions.into_inner();
        for version in first..last {
            self.ask(version, &request(version)).await;
        }
        self.ask(last, &request(last)).await
    }

    pub(super) async fn create(&self, name: &str, partitions: i32) {
        let topic = create_topics_request::CreatableTopic::default()
            .with_name(TopicName(text(name)))
            .with_num_partitions(partitions)
            .with_replication_factor(1);
        let request = CreateTopicsRequest::default().with_topics(vec![topic]);
        assert_eq!(self.ask(7, &request).await.topics[0].error_code, 0);
    }
}
