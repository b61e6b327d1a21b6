//! Configurations, from frame to frame, in every version.

use super::client_tests::Client;
use crate::wire::{ResponseError, messages::*, text};
use kafka_protocol::protocol::StrBytes;

#[tokio::test]
async fn configurations_are_described_in_every_version() {
    let client = Client::new().await;
    client.create("t", 1).await;
    let resource = |kind: i8, name: &str| {
        describe_configs_request::DescribeConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(name))
            .with_configuration_keys(None)
    };
    let all = client
        .ask_all(1..=4, |version| {
            DescribeConfigsRequest::default()
                .with_resources(vec![
                    resource(2, "t"),
                    resource(4, "1"),
                    resource(4, ""),
                    resource(8, "1"),
                    resource(16, "m"),
                    resource(32, "g"),
                    resource(2, "none"),
                    resource(4, "7"),
                    resource(99, "x"),
                ])
                .with_include_synonyms(true)
                .with_include_documentation(version >= 3)
        })
        .await;
    let sizes: Vec<_> = all
        .results
        .iter()
        .map(|result| (result.configs.len(), result.error_code))
        .collect();
    let (unknown, invalid) = (
        ResponseError::UnknownTopicOrPartition.code(),
        ResponseError::InvalidRequest.code(),
    );
    assert_eq!(
        sizes,
        [
            (33, 0),
            (340, 0),
            (0, 0),
            (7, 0),
            (3, 0),
            (17, 0),
            (0, unknown),
            (0, invalid),
            (0, invalid)
        ]
    );
    assert!(
        all.results[0]
            .configs
            .iter()
            .all(|config| config.documentation.is_some())
    );
    let mut one = resource(2, "t");
    one.configuration_keys = Some(vec![StrBytes::from_static_str("retention.ms")]);
    let one = client
        .ask(4, &DescribeConfigsRequest::default().with_resources(vec![one]))
        .await;
    assert_eq!(one.results[0].configs.len(), 1);
}

#[tokio::test]
async fn configurations_are_altered_both_ways() {
    let client = Client::new().await;
    client.create("t", 1).await;
    let set = |name: &'static str, value: &'static str| {
        incremental_alter_configs_request::AlterableConfig::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
    };
    let resource = incremental_alter_configs_request::AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("t"));
    let good = resource
        .clone()
        .with_configs(vec![set("retention.ms", "5"), set("segment.ms", "6")]);
    let config = || {
        client
            .0
            .broker
            .topics
            .image()
            .get("t")
            .unwrap()
            .record
            .config
            .clone()
    };
    client
        .ask_all(0..=1, |_| {
            IncrementalAlterConfigsRequest::default().with_resources(vec![good.clone()])
        })
        .await;
    assert_eq!(config().len(), 2);
    let bad = resource.with_configs(vec![set("retention.ms", "x")]);
    let refused = client
        .ask(
            1,
            &IncrementalAlterConfigsRequest::default().with_resources(vec![bad]),
        )
        .await;
    assert_eq!(
        refused.responses[0].error_code,
        ResponseError::InvalidConfig.code()
    );
    let whole = alter_configs_request::AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("t"))
        .with_configs(vec![
            alter_configs_request::AlterableConfig::default()
                .with_name(text("retention.ms"))
                .with_value(Some(text("7"))),
        ]);
    client
        .ask_all(0..=2, |_| {
            AlterConfigsRequest::default().with_resources(vec![whole.clone()])
        })
        .await;
    assert_eq!(
        config().into_iter().collect::<Vec<_>>(),
        [("retention.ms".to_owned(), "7".to_owned())]
    );
    let listed = client.ask(1, &ListConfigResourcesRequest::default()).await;
    assert_eq!(listed.config_resources.len(), 3);
    let listed = client.ask(0, &ListConfigResourcesRequest::default()).await;
    assert!(listed.config_resources.is_empty());
}

fn altered(kind: i8, name: &str, changes: &[(&str, i8, &str)]) -> IncrementalAlterConfigsRequest {
    use incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
    let change = |(name, operation, value): &(&str, i8, &str)| {
        AlterableConfig::default()
            .with_name(text(*name))
            .with_config_operation(*operation)
            .with_value(Some(text(*value)))
    };
    let resource = AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configs(changes.iter().map(change).collect());
    IncrementalAlterConfigsRequest::default().with_resources(vec![resource])
}

#[tokio::test]
async fn a_resource_named_twice_is_refused_both_times() {
    let client = Client::new().await;
    client.create("t", 1).await;
    let mut request = altered(2, "t", &[("retention.ms", 0, "5")]);
    request.resources.push(request.resources[0].clone());
    let answer = client.ask(1, &request).await;
    let codes: Vec<i16> = answer.responses.iter().map(|one| one.error_code).collect();
    assert_eq!(codes, [ResponseError::InvalidRequest.code(); 2]);
}

#[tokio::test]
async fn only_what_the_original_changes_while_it_runs_can_be_changed() {
    let client = Client::new().await;
    let code = async |name: &str, value: &str| {
        let answer = client.ask(1, &altered(4, "", &[(name, 0, value)])).await;
        answer.responses[0].error_code
    };
    for (name, value) in [
        ("max.connections", "100"),
        ("max.connections.per.ip", "10"),
        ("max.connections.per.ip.overrides", "127.0.0.1:20"),
        ("max.connection.creation.rate", "50"),
        ("producer.id.expiration.ms", "1000"),
        ("log.cleaner.backoff.ms", "5"),
    ] {
        assert_eq!(code(name, value).await, 0, "{name}");
        let now = client.0.broker.dynamic.load();
        assert_eq!(now.value(name).map(|(value, _)| value), Some(value));
    }
    for name in [
        "group.max.session.timeout.ms",
        "offsets.retention.minutes",
        "transaction.max.timeout.ms",
        "num.partitions",
    ] {
        assert_eq!(
            code(name, "1").await,
            ResponseError::InvalidRequest.code(),
            "{name}"
        );
    }
}

/// In tests the log is not this server's own, so that a level that is taken ends in an error of the server.
#[tokio::test]
async fn levels_of_loggers_are_checked_as_the_original_does() {
    let client = Client::new().await;
    let code = async |broker: &str, change: (&str, i8, &str)| {
        let answer = client.ask(1, &altered(8, broker, &[change])).await;
        ResponseError::try_from_code(answer.responses[0].error_code)
    };
    let invalid = Some(ResponseError::InvalidRequest);
    assert_eq!(code("7", ("root", 0, "INFO")).await, invalid);
    assert_eq!(code("1", ("root", 1, "")).await, invalid);
    assert_eq!(code("1", ("root", 2, "INFO")).await, invalid);
    assert_eq!(code("1", ("root", 3, "INFO")).await, invalid);
    let config = Some(ResponseError::InvalidConfig);
    assert_eq!(code("1", ("root", 0, "LOUD")).await, config);
    assert_eq!(code("1", ("nosuch", 0, "INFO")).await, config);
    let unknown = Some(ResponseError::UnknownServerError);
    assert_eq!(code("1", ("kafka_server", 0, "DEBUG")).await, unknown);
}
