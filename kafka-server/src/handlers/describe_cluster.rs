//! DescribeCluster (60).

use super::{Context, operations};
use crate::wire::{
    ResponseError,
    messages::{
        BrokerId, DescribeClusterRequest, DescribeClusterResponse,
        describe_cluster_response::DescribeClusterBroker,
    },
    text,
};

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(crate) async fn handle(cx: Context, request: DescribeClusterRequest) -> DescribeClusterResponse {
    let response = DescribeClusterResponse::default();
    if cx.version() >= 1 && request.endpoint_type != BROKERS {
        let (error, wanted) = match request.endpoint_type {
            CONTROLLERS => (ResponseError::MismatchedEndpointType, "CONTROLLER"),
            _ => (ResponseError::UnsupportedEndpointType, "UNKNOWN"),
        };
        let why = format!(
            "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type {wanted}"
        );
        return response
            .with_error_code(error.code())
            .with_error_message(Some(text(why)));
    }
    let me = BrokerId(cx.broker.config.node_id);
    let (host, port) = cx.broker.address(&cx.listener);
    let broker = DescribeClusterBroker::default()
        .with_broker_id(me)
        .with_host(text(host))
        .with_port(i32::from(port))
        .with_rack(cx.broker.rack().map(text));
    let response = response
        .with_error_message(None)
        .with_cluster_id(text(&cx.broker.cluster_id))
        .with_controller_id(me)
        .with_brokers(vec![broker]);
    if request.include_cluster_authorized_operations {
        response.with_cluster_authorized_operations(operations::CLUSTER)
    } else {
        response
    }
}
