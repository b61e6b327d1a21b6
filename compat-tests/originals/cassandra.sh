#!/bin/bash
# A real Apache Cassandra (one node) from Maven Central: native protocol on 127.0.0.1:$PORT, further ports up to PORT+3.
#   cassandra.sh start | stop      env: PORT, DATA (a folder), HEAP (1g), AUTH=1 (PasswordAuthenticator, cassandra/cassandra),
#   EXTRA (a file of further cassandra.yaml), JAVA_OPTS (further options of its virtual machine)
set -eo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${PORT:?}" "${DATA:?}"
D=$DATA
CP="$D/conf:$("$here/../clients/install.sh" cassandra)/*"
if [ -n "$AUTH" ]; then AUTHN=PasswordAuthenticator AUTHZ=CassandraAuthorizer; else AUTHN=AllowAllAuthenticator AUTHZ=AllowAllAuthorizer; fi
case $1 in
start)
 mkdir -p $D/conf $D/triggers
 cat > $D/conf/cassandra.yaml <<EOP
cluster_name: 'Test Cluster'
num_tokens: 16
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
data_file_directories: [$D/data]
commitlog_directory: $D/commitlog
saved_caches_directory: $D/saved_caches
hints_directory: $D/hints
cdc_raw_directory: $D/cdc
commitlog_sync: periodic
commitlog_sync_period: 10000ms
endpoint_snitch: SimpleSnitch
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
native_transport_port: $PORT
storage_port: $((PORT+1))
ssl_storage_port: $((PORT+2))
start_native_transport: true
materialized_views_enabled: true
sasi_indexes_enabled: true
authenticator: $AUTHN
authorizer: $AUTHZ
memtable_heap_space: 128MiB
memtable_offheap_space: 128MiB
disk_optimization_strategy: ssd
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "127.0.0.1:$((PORT+1))"
EOP
 [ -z "$EXTRA" ] || cat "$EXTRA" >> $D/conf/cassandra.yaml
 OPENS="--add-exports java.base/jdk.internal.misc=ALL-UNNAMED --add-exports java.base/jdk.internal.ref=ALL-UNNAMED --add-exports java.base/sun.nio.ch=ALL-UNNAMED --add-exports java.management.rmi/com.sun.jmx.remote.internal.rmi=ALL-UNNAMED --add-exports java.rmi/sun.rmi.registry=ALL-UNNAMED --add-exports java.rmi/sun.rmi.server=ALL-UNNAMED --add-exports java.rmi/sun.rmi.transport.tcp=ALL-UNNAMED --add-exports java.sql/java.sql=ALL-UNNAMED --add-exports jdk.unsupported/sun.misc=ALL-UNNAMED --add-opens java.base/java.lang.module=ALL-UNNAMED --add-opens java.base/jdk.internal.loader=ALL-UNNAMED --add-opens java.base/jdk.internal.ref=ALL-UNNAMED --add-opens java.base/jdk.internal.reflect=ALL-UNNAMED --add-opens java.base/jdk.internal.math=ALL-UNNAMED --add-opens java.base/jdk.internal.module=ALL-UNNAMED --add-opens java.base/jdk.internal.util.jar=ALL-UNNAMED --add-opens java.base/java.lang=ALL-UNNAMED --add-opens java.base/java.io=ALL-UNNAMED --add-opens java.base/java.nio=ALL-UNNAMED --add-opens java.base/sun.nio.ch=ALL-UNNAMED --add-opens java.base/java.util=ALL-UNNAMED --add-opens java.base/java.util.concurrent=ALL-UNNAMED --add-opens java.base/java.util.concurrent.atomic=ALL-UNNAMED --add-opens jdk.management/com.sun.management.internal=ALL-UNNAMED"
 nohup java -Xms256m -Xmx${HEAP:-1g} $JAVA_OPTS -Djdk.attach.allowAttachSelf=true $OPENS -Dcassandra.storagedir=$D -Dcassandra.triggers_dir=$D/triggers -Dcassandra-foreground=yes -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.ring_delay_ms=500 -Dcassandra.jmx.local.port=$((PORT+3)) -Dcassandra.consistent.rangemovement=false -Dcassandra.config=file://$D/conf/cassandra.yaml -cp "$CP" org.apache.cassandra.service.CassandraDaemon </dev/null > $D/out.log 2>&1 & echo $! > $D/pid
 for i in $(seq 240); do python3 -c "import socket;socket.create_connection(('127.0.0.1',$PORT),1)" 2>/dev/null && exit 0; sleep 0.5; kill -0 $(cat $D/pid) || exit 1; done; exit 1;;
stop) kill $(cat $D/pid);;
esac
