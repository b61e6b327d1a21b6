# What the run scripts of the examples share. Sourced, with bash's -euo pipefail, by examples/run.

export KAFKA=${KAFKA:-127.0.0.1:9092} CASSANDRA=${CASSANDRA:-127.0.0.1:9042} MESOS=${MESOS:-127.0.0.1:5050}
example=$here/$name
clients=$here/../compat-tests/clients/install.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/smack-$name-XXXXXX")
declare -A running

say() { printf '\n== %s\n' "$*"; }

# Whatever way the script ends, what it started ends, too.
leave() {
  local code=$?
  trap - EXIT
  [ -z "${installing:-}" ] || kill -- "-$installing" 2>/dev/null || true
  for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
  wait
  if [ $code -ne 0 ]; then
    for log in "$work"/*.log; do [ ! -s "$log" ] || { echo "--- $(basename "$log")" && tail -n 40 "$log"; } >&2; done
  fi
  rm -rf "$work"
  exit $code
}
trap leave EXIT
trap 'exit 130' INT TERM

# need SERVER ADDRESS: somebody answers there.
need() {
  (: <"/dev/tcp/${2%:*}/${2#*:}") 2>/dev/null || { echo "$1 does not answer at $2: run \`make up\` in another terminal" >&2; exit 1; }
}

# install VARIABLE SET WHAT: puts a set of clients into the cache that the tests use as well, and its folder into a variable.
install() {
  local seconds=0
  # A group of its own: pip and mvn end with it.
  setsid "$clients" "$2" >"$work/installed" 2>"$work/install.log" &
  installing=$!
  while kill -0 $installing 2>/dev/null; do
    sleep 0.2
    seconds=$((seconds + 1))
    [ $((seconds % 25)) -ne 10 ] || printf '   installing %s, for the first time: %s s\n' "$3" $((seconds / 5))
  done
  wait $installing
  unset installing
  printf -v "$1" %s "$(tail -n 1 "$work/installed")"
}

# start LABEL COMMAND...: runs in the background, its output in a log that is shown should the example fail.
start() {
  : >"$work/$1.log"
  "${@:2}" >"$work/$1.log" 2>&1 &
  running[$1]=$!
}

# stop LABEL: ends what was started under it, and waits for it.
stop() {
  kill "${running[$1]}" 2>/dev/null || true
  wait "${running[$1]}" || true
  unset "running[$1]"
}

# await WHAT COMMAND...: until a command succeeds, for three minutes at the most, and not once something that was started ended.
await() {
  for _ in $(seq 180); do
    if "${@:2}" 2>/dev/null; then return; fi
    for pid in "${running[@]}"; do kill -0 "$pid" 2>/dev/null || { echo "a part of the example ended early" >&2; return 1; }; done
    sleep 1
  done
  echo "waited in vain for $1" >&2
  return 1
}

# cql OPTIONS...: cqlsh, without its remark that the server is newer than itself.
cql() {
  "$python/bin/python" -W ignore -m cqlshlib "${CASSANDRA%:*}" "${CASSANDRA#*:}" --request-timeout=60 "$@" \
    2> >(grep -v '^$\|^WARNING: cqlsh was built against' >&2)
}

# run_java CLASS ARGUMENTS...: a class of this example.
run_java() {
  exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx256m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -cp "$java/classes:$java/lib/*" "$@"
}

# topic new|delete NAME...: topics made anew, or gone.
topic() { (run_java Topic "$@"); }

"$here/../scripts/setup" examples
need Kafka "$KAFKA"
need Cassandra "$CASSANDRA"
install python cql-python cqlsh
install java "example-$name" "the example's libraries"
