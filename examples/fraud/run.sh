# ACCOUNTS trade TRADES times each, RATE trades a second in all. PROTOCOL is how the group agrees: classic or consumer.
ACCOUNTS=${ACCOUNTS:-20} TRADES=${TRADES:-60} RATE=${RATE:-100} PROTOCOL=${PROTOCOL:-consumer}

if [ "${1:-}" = clean ]; then
  topic delete trades
  cql -e "DROP KEYSPACE IF EXISTS fraud"
  exit
fi

member() { start "member-$1" run_java Member "member-$1" "$PROTOCOL"; }
has_partitions() { grep -q takes "$work/member-$1.log"; }
followed() { cql -e "SELECT sum(seq) AS followed FROM fraud.account" | grep -w $((ACCOUNTS * TRADES)) >/dev/null; }

say "tables and topic"
cql -f "$example/schema.cql"
topic new trades 6

say "three members ($PROTOCOL protocol), and $ACCOUNTS accounts that trade $TRADES times each"
member 1
member 2
member 3
await "the members" has_partitions 3
(run_java Traders "$ACCOUNTS" "$TRADES" "$RATE") &

say "a fourth member comes, the first one leaves"
member 4
await "the fourth member" has_partitions 4
stop member-1
await "the last trades" followed
cat "$work"/member-?.log

say "what was flagged"
cql -e "SELECT account, seq, amount, average, member FROM fraud.flag"

cat <<TEXT
Look further:
  $python/bin/python -m cqlshlib ${CASSANDRA/:/ } -e 'SELECT * FROM fraud.account'
  kcat -b $KAFKA -t trades -C -e -K ': ' | grep '^account-7:'
  examples/run fraud clean   removes the tables and the topic
TEXT
