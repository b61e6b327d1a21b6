//! Produce (0): appends batches to partitions.
//!
//! Two stages: the place in the order is taken when everything is appended, the answer follows when it is durable.

use super::{Context, Reply};
use crate::{
    core::{producers::Producers, transactions::Producer},
    error::{ApiError, Close},
    partition::{AppendError, Appended, Partition, Unpacking},
    topics::{Image, Topic},
    wire::{
        self, ResponseError,
        messages::{
            ProduceRequest, ProduceResponse,
            produce_request::{PartitionProduceData, TopicProduceData},
            produce_response::{BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse},
        },
        records::{Header, RecordError},
        text,
    },
};
use bytes::Bytes;
use std::sync::Arc;
use storage::Slice;

/// The first version that names topics by id.
const TOPIC_IDS_FROM: i16 = 13;
/// The first version that adds partitions to a transaction by writing to them (KIP-890).
const IMPLICIT_FROM: i16 = 12;
/// The first version whose clients know TRANSACTION_ABORTABLE.
const ABORTABLE_FROM: i16 = 11;
/// Topics that only the broker itself writes to.
pub(crate) const INTERNAL_TOPICS: [&str; 2] = ["__consumer_offsets", "__transaction_state"];
/// The client id under which the original's own tools may write to internal topics.
const ADMIN_CLIENT_ID: &str = "__admin_client";

pub(crate) async fn answer(cx: Context, body: Bytes) -> Result<Reply, Close> {
    let request: ProduceRequest = wire::decode(body, cx.version())?;
    let acks = request.acks;
    let placed = place(&cx, request).await;
    cx.order_taken();
    if acks == 0 {
        return unacknowledged(&placed);
    }
    let mut responses = Vec::with_capacity(placed.len());
    for topic in placed {
        responses.push(acknowledge(topic).await);
    }
    let response = ProduceResponse::default().with_responses(responses);
    cx.broker.errors.count(super::PRODUCE, &response);
    let frame = wire::encode(cx.header.correlation_id, cx.version(), &response)?;
    Ok(Reply::Frame(vec![Slice::Memory(frame)]))
}

/// What became of one partition's batch.
type Outcome = Result<(Arc<Partition>, Appended), AppendError>;

/// A topic of the request, and what became of its batches.
struct Placed {
    topic: TopicProduceData,
    partitions: Vec<(i32, Outcome)>,
}

async fn place(cx: &Context, request: ProduceRequest) -> Vec<Placed> {
    let image = cx.broker.topics.image();
    let transaction = Transaction::begin(cx, &image, &request).await;
    let mut unpacking = Unpacking::new(&cx.broker.unpacking);
    let mut placed = Vec::with_capacity(request.topic_data.len());
    for mut data in request.topic_data {
        let topic = match matches!(request.acks, -1..=1) {
            true => find(cx, &image, &data),
            false => Err(ResponseError::InvalidRequiredAcks.into()),
        };
        let mut partitions = Vec::with_capacity(data.partition_data.len());
        for part in std::mem::take(&mut data.partition_data) {
            let appended = match &topic {
                Ok(topic) => append(cx, topic, &part, &transaction, &mut unpacking).await,
                Err(error) => Err(error.clone().into()),
            };
            partitions.push((part.index, appended));
        }
        placed.push(Placed {
            topic: data,
            partitions,
        });
    }
    placed
}

fn find<'a>(cx: &Context, image: &'a Image, data: &TopicProduceData) -> Result<&'a Arc<Topic>, ApiError> {
    let topic = match cx.version() >= TOPIC_IDS_FROM {
        true => image.by_id(&data.topic_id).ok_or(ResponseError::UnknownTopicId),
        false => image
            .get(&data.name)
            .ok_or(ResponseError::UnknownTopicOrPartition),
    }?;
    let name = topic.record.name.as_str();
    if INTERNAL_TOPICS.contains(&name) && cx.header.client_id.as_deref() != Some(ADMIN_CLIENT_ID) {
        return Err(ResponseError::InvalidTopicException.into());
    }
    Ok(topic)
}

async fn append(
    cx: &Context,
    topic: &Topic,
    part: &PartitionProduceData,
    transaction: &Transaction,
    unpacking: &mut Unpacking<'_>,
) -> Outcome {
    let records = part.records.as_ref();
    let partition = topic
        .partition(part.index)
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    let opened = partition.open().await?;
    let admit = |producers: &Producers| transaction.admit(cx, partition, producers, records);
    let checked = partition.check(records, cx.version(), unpacking).await?;
    let appended = partition.append(opened, &checked, cx.version(), admit)?;
    Ok((partition.clone(), appended))
}

/// The transaction that the request's batches belong to, where they do.
struct Transaction {
    id: Option<String>,
    /// Why its coordinator did not take the partitions that are new to it.
    refused: Option<ApiError>,
}

impl Transaction {
    /// From [`IMPLICIT_FROM`] on a producer adds partitions by writing to them: the coordinator is told before the
    /// first record is in.
    async fn begin(cx: &Context, image: &Image, request: &ProduceRequest) -> Self {
        let id = request.transactional_id.as_ref().map(|id| id.to_string());
        let mut refused = None;
        if let Some(id) = id.as_ref().filter(|_| cx.version() >= IMPLICIT_FROM)
            && let Some((producer, new)) = new_partitions(cx, image, request).await
        {
            let transactions = &cx.broker.transactions;
            let added = transactions.partition_added(id, producer.0, producer.1, &new);
            refused = added.await.err();
        }
        Transaction { id, refused }
    }

    /// Whether the batch may be written: one of a transaction that the coordinator knows to be under way here.
    fn admit(
        &self,
        cx: &Context,
        partition: &Partition,
        producers: &Producers,
        records: Option<&Bytes>,
    ) -> Result<(), ApiError> {
        let Some(header) = transactional(records) else {
            return Ok(());
        };
        let Some(id) = &self.id else {
            return Err(ResponseError::TransactionalIdAuthorizationFailed.into());
        };
        if producers.in_transaction(header.producer_id, header.producer_epoch) {
            return Ok(());
        }
        if cx.version() >= IMPLICIT_FROM {
            return self.refused.clone().map_or(Ok(()), Err);
        }
        let producer = Producer {
            id: header.producer_id,
            epoch: header.producer_epoch,
        };
        if !cx
            .broker
            .dynamic
            .load()
            .get("transaction.partition.verification.enable", true)
        {
            return Ok(());
        }
        let abortable = cx.version() >= ABORTABLE_FROM;
        let transactions = &cx.broker.transactions;
        transactions.verify(id, producer, &partition.topic, partition.index, abortable)
    }
}

/// The header of a transaction's batch.
fn transactional(records: Option<&Bytes>) -> Option<Header> {
    let header = Header::read(records?).ok()?;
    header.attributes.is_transactional().then_some(header)
}

/// Id and epoch of the producer, and the partitions in which it has no transaction open yet.
async fn new_partitions(
    cx: &Context,
    image: &Image,
    request: &ProduceRequest,
) -> Option<((i64, i16), Vec<(String, i32)>)> {
    let (mut producer, mut new) = (None, Vec::new());
    for data in &request.topic_data {
        let Ok(topic) = find(cx, image, data) else {
            continue;
        };
        for part in &data.partition_data {
            let Some(header) = transactional(part.records.as_ref()) else {
                continue;
            };
            let Some(partition) = topic.partition(part.index) else {
                continue;
            };
            let Ok(opened) = partition.open().await else {
                continue;
            };
            if !opened.in_transaction(header.producer_id, header.producer_epoch) {
                producer = Some((header.producer_id, header.producer_epoch));
                new.push((topic.record.name.clone(), part.index));
            }
        }
    }
    producer.map(|producer| (producer, new))
}

/// Waits until everything of `placed` is as durable as promised.
async fn acknowledge(placed: Placed) -> TopicProduceResponse {
    let mut partitions = Vec::with_capacity(placed.partitions.len());
    for (index, result) in placed.partitions {
        let response = PartitionProduceResponse::default().with_index(index);
        let result = match result {
            Ok((partition, appended)) => durable(&partition, appended).await.map_err(AppendError::from),
            Err(error) => Err(error),
        };
        partitions.push(match result {
            Ok(done) => response
                .with_base_offset(i64::try_from(done.base_offset).unwrap_or(i64::MAX))
                .with_log_append_time_ms(done.log_append_time)
                .with_log_start_offset(i64::try_from(done.log_start).unwrap_or(i64::MAX)),
            Err(refused) => refusal(response, refused),
        });
    }
    TopicProduceResponse::default()
        .with_name(placed.topic.name)
        .with_topic_id(placed.topic.topic_id)
        .with_partition_responses(partitions)
}

/// What of an append the answer tells.
struct Done {
    base_offset: u64,
    log_append_time: i64,
    log_start: u64,
}

async fn durable(partition: &Partition, appended: Appended) -> Result<Done, ApiError> {
    appended.ticket.wait().await?;
    if appended.sync {
        partition.open().await?.log.sync().await?;
    }
    Ok(Done {
        base_offset: appended.base_offset,
        log_append_time: appended.log_append_time,
        log_start: appended.log_start,
    })
}

fn refusal(response: PartitionProduceResponse, refused: AppendError) -> PartitionProduceResponse {
    let error = |record: RecordError| {
        BatchIndexAndErrorMessage::default()
            .with_batch_index(record.index)
            .with_batch_index_error_message(Some(text(record.message)))
    };
    response
        .with_base_offset(-1)
        .with_error_code(refused.error.wire())
        .with_error_message(refused.error.message.map(text))
        .with_record_errors(refused.records.into_iter().map(error).collect())
}

/// With acks=0 the only way to tell the client of an error is to leave it.
fn unacknowledged(placed: &[Placed]) -> Result<Reply, Close> {
    let results = placed.iter().flat_map(|topic| &topic.partitions);
    match results.filter_map(|(_, result)| result.as_ref().err()).next() {
        Some(refused) => Err(Close::Unacknowledged(refused.error.clone())),
        None => Ok(Reply::Nothing),
    }
}
