use super::{CONSUMER_OFFSETS, TRANSACTION_STATE};
use crate::{broker::Broker, config::Config, core::topics::Wanted, wire::ResponseError};

async fn broker() -> std::sync::Arc<Broker> {
    Broker::in_memory(Config::default()).await
}

fn wanted(name: &str) -> Wanted {
    Wanted::by_default(name)
}

#[tokio::test]
async fn topics_are_made_once_and_never_collide() {
    let broker = broker().await;
    let made = broker.create_topics(&[wanted("a.b"), wanted("c")], false).await;
    assert!(made.iter().all(Result::is_ok));
    let again = broker
        .create_topics(&[wanted("a_b"), wanted("c"), wanted("d e")], false)
        .await;
    let said: Vec<_> = again
        .into_iter()
        .map(|made| made.unwrap_err())
        .map(|e| (e.code, e.message.unwrap()))
        .collect();
    assert_eq!(
        said[0],
        (
            ResponseError::InvalidTopicException,
            "Topic 'a_b' collides with existing topic: a.b".to_owned()
        )
    );
    assert_eq!(
        said[1],
        (
            ResponseError::TopicAlreadyExists,
            "Topic 'c' already exists.".to_owned()
        )
    );
    assert_eq!(said[2].0, ResponseError::InvalidTopicException);
}

#[tokio::test]
async fn validation_makes_nothing() {
    let broker = broker().await;
    assert!(broker.create_topics(&[wanted("t")], true).await[0].is_ok());
    assert!(broker.topics.image().get("t").is_none());
}

#[tokio::test]
async fn a_request_for_too_many_partitions_makes_nothing() {
    let broker = broker().await;
    let many = Wanted {
        partitions: 9_999,
        ..wanted("many")
    };
    let two = Wanted {
        partitions: 2,
        ..wanted("two")
    };
    let refused = broker.create_topics(&[many, two], false).await;
    assert!(refused.iter().all(|made| {
        made.as_ref()
            .is_err_and(|e| e.code == ResponseError::PolicyViolation)
    }));
    assert!(broker.topics.image().iter().next().is_none());
}

#[tokio::test]
async fn internal_topics_are_compacted_and_made_once() {
    let broker = broker().await;
    for name in [CONSUMER_OFFSETS, TRANSACTION_STATE] {
        broker.ensure_internal_topic(name).await.unwrap();
        broker.ensure_internal_topic(name).await.unwrap();
        let image = broker.topics.image();
        let topic = image.get(name).unwrap();
        assert_eq!(topic.partitions.len(), 50);
        assert!(topic.config.compact && !topic.config.delete);
    }
}

#[tokio::test]
async fn what_a_crash_left_of_a_deleted_topic_is_swept() {
    let broker = broker().await;
    broker
        .create_topics(&[wanted("kept"), wanted("gone")], false)
        .await;
    for name in ["kept", "gone"] {
        let image = broker.topics.image();
        image.get(name).unwrap().partitions[0]
            .open()
            .await
            .map(|_| ())
            .unwrap();
    }
    assert_eq!(broker.shard.logs.list().await.unwrap().len(), 2);
    // As a crash right after the record was removed leaves it.
    let gone = broker.topics.image().get("gone").unwrap().record.uuid();
    broker.topics.remove(&[gone]).await.unwrap();
    broker.sweep_deleted().await.unwrap();
    let kept = broker.topics.image().get("kept").unwrap().partitions[0].log_name();
    assert_eq!(broker.shard.logs.list().await.unwrap(), [kept]);
}
