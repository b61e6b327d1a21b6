#!/bin/bash
# A real Apache Kafka broker (KRaft, one node) from Maven Central, on 127.0.0.1:$PORT; the controller is on PORT+1.
#   kafka.sh start | stop      env: PORT, DATA (a folder), HEAP (512m), EXTRA (a file of further server.properties)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${PORT:?}" "${DATA:?}"
case ${1:?start or stop} in
start)
    lib=$("$here/../clients/install.sh" kafka)
    mkdir -p "$DATA"
    cat >"$DATA/server.properties" <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((PORT + 1))
listeners=PLAINTEXT://127.0.0.1:$PORT,CONTROLLER://127.0.0.1:$((PORT + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$PORT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=$DATA/logs
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
EOF
    [ -z "${EXTRA:-}" ] || cat "$EXTRA" >>"$DATA/server.properties"
    if [ ! -f "$DATA/logs/meta.properties" ]; then
        id=$(python3 -c "import base64, uuid; print(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip('='))")
        java -Xmx256m -cp "$lib/*" kafka.tools.StorageTool format -t "$id" -c "$DATA/server.properties" >"$DATA/format.log" 2>&1
    fi
    nohup java -Xmx"${HEAP:-512m}" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$lib/*" \
        kafka.Kafka "$DATA/server.properties" </dev/null >>"$DATA/out.log" 2>&1 &
    echo $! >"$DATA/pid"
    for _ in $(seq 1200); do
        (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null && exit 0
        kill -0 "$(cat "$DATA/pid")" 2>/dev/null || break
        sleep 0.1
    done
    echo "kafka.sh: the broker did not start; see $DATA/out.log" >&2
    exit 1
    ;;
stop)
    kill "$(cat "$DATA/pid")"
    ;;
esac
