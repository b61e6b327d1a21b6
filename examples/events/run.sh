# COUNT events are posted, RATE a second; Spark's jobs run on MASTER.
COUNT=${COUNT:-5000} RATE=${RATE:-500} MASTER=${MASTER:-mesos://$MESOS}

if [ "${1:-}" = clean ]; then
  topic delete events
  cql -e "DROP KEYSPACE IF EXISTS events"
  exit
fi

install spark spark "Spark (300 MB)"
install connectors spark-connectors "Spark's connectors"
export SPARK_HOME SPARK_LOCAL_IP=127.0.0.1 PYSPARK_PYTHON=$spark/bin/python
SPARK_HOME=$(echo "$spark"/lib/python3*/site-packages/pyspark)
if [[ $MASTER = mesos:* ]]; then
  need Mesos "$MESOS"
  export MESOS_NATIVE_JAVA_LIBRARY=${MESOS_NATIVE_JAVA_LIBRARY:-${CARGO_TARGET_DIR:-$HOME/.cache/smack/target}/release/libmesos.so}
  [ -f "$MESOS_NATIVE_JAVA_LIBRARY" ] || { echo "there is no $MESOS_NATIVE_JAVA_LIBRARY: \`make up\` builds it" >&2; exit 1; }
fi

# submit SCRIPT ARGUMENTS...: a Spark application.
submit() {
  local lean='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'
  exec "$SPARK_HOME/bin/spark-submit" --master "$MASTER" --jars "$(echo "$connectors"/lib/*.jar | tr ' ' ',')" \
    --driver-memory 512m --driver-java-options "$lean" --conf "spark.executor.extraJavaOptions=$lean" \
    --conf spark.executor.memory=512m --conf spark.cores.max=2 --conf spark.sql.shuffle.partitions=2 \
    --conf spark.sql.session.timeZone=UTC --conf spark.ui.enabled=false --conf spark.driver.host=127.0.0.1 \
    --conf "spark.cassandra.connection.host=${CASSANDRA%:*}" --conf "spark.cassandra.connection.port=${CASSANDRA#*:}" "$@"
}

counted() { cql -e "SELECT sum(n) AS counted FROM events.activity" | grep -w "$COUNT" >/dev/null; }
stored() { cql -e "SELECT count(*) AS stored FROM events.event" | grep -w "$COUNT" >/dev/null; }

say "tables and topic"
cql -f "$example/schema.cql"
topic new events 3

say "the endpoint, and Spark's stream on $MASTER"
start endpoint run_java Endpoint
await "the endpoint" grep -q "^http" "$work/endpoint.log"
url=$(grep "^http" "$work/endpoint.log")
start stream submit "$example/stream.py" "$KAFKA" "$work/checkpoints"

say "posting $COUNT events to $url"
python3 "$example/post.py" "$url" "$COUNT" "$RATE"

say "waiting until all of them are stored and counted"
await "the events" stored
await "the counts" counted
stop stream

say "the report: a batch job of Spark joins campaigns and events"
(submit "$example/report.py") >"$work/report.log" 2>&1
cql -e "SELECT id, views, clicks FROM events.campaign_report"

cat <<TEXT
Look further:
  $python/bin/python -m cqlshlib ${CASSANDRA/:/ } -e 'SELECT * FROM events.activity LIMIT 20'
  kcat -b $KAFKA -t events -C -e -c 5 -f '%k %s\\n'
  http://$MESOS/state   the frameworks and tasks that were
  examples/run events clean   removes the tables and the topic
TEXT
