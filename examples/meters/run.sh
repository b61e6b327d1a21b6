# METERS post four readings an hour, for HOURS hours, in four areas.
METERS=${METERS:-40} HOURS=${HOURS:-6}
areas=(east north south west)

if [ "${1:-}" = clean ]; then
  topic delete readings
  cql -e "DROP KEYSPACE IF EXISTS meters"
  exit
fi

service() {
  start service run_java "-Dconfig.file=$example/application.conf" Service "${areas[@]}"
  await "the service" grep -q "^http" "$work/service.log"
  url=$(grep "^http" "$work/service.log")
}
everything() { python3 "$example/table.py" "$url/areas" "$METERS" "$HOURS" "${areas[@]}" >"$work/table"; }

say "journal and topic, empty"
cql -e "DROP KEYSPACE IF EXISTS meters"
topic new readings 4

say "the service: an actor for each meter and each area, in shards"
service
echo "   $url shows it while it goes on"

say "$METERS meters post $((4 * HOURS)) readings each"
(run_java Simulate "$METERS" "$HOURS" "${areas[@]}")
await "the readings" everything

say "the service starts again: what the actors know comes back from their journals"
stop service
service
await "what the actors knew" everything
cat "$work/table"

cat <<TEXT

Look further:
  $python/bin/python -m cqlshlib ${CASSANDRA/:/ } -e 'SELECT persistence_id, sequence_nr, timestamp FROM meters.messages LIMIT 20'
  kcat -b $KAFKA -t readings -C -e -c 5
  examples/run meters clean   removes the journal and the topic
TEXT
