#!/bin/bash
# Installs one set of stock clients, pinned by its lock files, into a cache outside the clone, and prints its folder.
#   install.sh python | node | go | rdkafka | kafka | cassandra | java VERSION | streams | connect | connect-cassandra | fraud | akka | pekko
#   install.sh mesos-python | mesos-pymesos | mesos-go | mesos-java VERSION | mesos-zookeeper | spark | spark-connectors | spark-cassandra | spark4 | spark4-connectors
#   install.sh example-NAME
#   install.sh cql-python | cql-scylla | cql-node | cql-go | cql-java | cql-java3 | cql-dsbulk | cql-rust | cql-load
# A folder's name carries the hash of what it was made from: a second call with the same files only prints it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tests=$(dirname "$here")
examples=$tests/../examples
cache=${SMACK_CLIENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/smack/clients}
what=${1:?what to install} version=${2:-}

jars() { # POM FOLDER [MAVEN OPTIONS]
    local pom=$1 into=$2
    shift 2
    mvn -q -B -f "$pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$into" "$@" >&2
}

case $what in
python) from=("$here/python/requirements.txt") ;;
node) from=("$here/node/package.json" "$here/node/package-lock.json") ;;
go) from=("$here/go/go.mod" "$here/go/go.sum" "$tests"/scenarios/go/*/*.go) ;;
rdkafka) from=("$here/rdkafka/Cargo.toml" "$here/rdkafka/Cargo.lock" "$tests/scenarios/rdkafka/main.rs") ;;
cql-python | cql-scylla) from=("$here/cql/${what#cql-}/requirements.txt") ;;
mesos-python | mesos-pymesos) from=("$here/mesos/${what#mesos-}/requirements.txt") ;;
mesos-go) from=("$here/mesos/go/go.mod" "$here/mesos/go/go.sum" "$tests/scenarios/mesos/go/main.go") ;;
mesos-java) from=("$here/mesos/java/pom.xml" "$tests"/scenarios/mesos/java/*.java) ;;
mesos-zookeeper) from=("$here/mesos/zookeeper/pom.xml" "$tests"/scenarios/mesos/zookeeper/*.java) ;;
spark) from=("$here/mesos/spark/requirements.txt") ;;
spark4) from=("$here/spark4/requirements.txt") ;;
spark4-connectors) from=("$here/spark4/pom.xml") ;;
spark-connectors) from=("$here/spark-cassandra/pom.xml") ;;
spark-cassandra) from=("$here/mesos/spark/requirements.txt" "$here/spark-cassandra/pom.xml" "$tests/scenarios/spark-cassandra"/*.scala) ;;
cql-node) from=("$here/cql/node/package.json" "$here/cql/node/package-lock.json") ;;
cql-go) from=("$here/cql/go/go.mod" "$here/cql/go/go.sum" "$tests/scenarios/cql/go/main.go") ;;
cql-java | cql-java3) from=("$here/cql/${what#cql-}/pom.xml" "$tests/scenarios/cql/${what#cql-}"/*.java) ;;
cql-dsbulk) from=("$here/cql/dsbulk/pom.xml") ;;
cql-rust) from=("$here/cql/rust/Cargo.toml" "$here/cql/rust/Cargo.lock" "$tests"/scenarios/cql/rust/*.rs) ;;
cql-load) from=("$here/cql/load/Cargo.toml" "$here/cql/load/Cargo.lock" "$tests/../benches/cql_load.rs") ;;
kafka) from=("$tests/originals/kafka/pom.xml") ;;
cassandra) from=("$tests/originals/cassandra/pom.xml") ;;
connect) from=("$here/connect/pom.xml") ;;
connect-cassandra) from=("$here/connect/cassandra/pom.xml") ;;
java) from=("$here/java/pom.xml" "$tests"/scenarios/java/*.java) ;;
streams | fraud) from=("$here/$what/pom.xml" "$tests/scenarios/$what"/*.java) ;;
akka | pekko) from=("$here/$what/pom.xml" "$tests/scenarios/$what"/*) ;;
example-*) from=("$examples/${what#example-}"/pom.xml "$examples/${what#example-}"/*.java "$examples"/shared/*.java) ;;
*) echo "install.sh: no such set of clients: $what" >&2 && exit 2 ;;
esac

hash=$(cat "${from[@]}" | sha256sum | cut -c1-16)
dir=$cache/$what${version:+-$version}-$hash
mkdir -p "$cache"
exec 9>"$cache/.lock-$what$version"
flock 9
if [ ! -d "$dir" ]; then
    new=$(mktemp -d "$cache/.new-$what-XXXXXX")
    trap 'rm -rf "$new"' EXIT
    case $what in
    python | cql-python | cql-scylla | mesos-python | spark | spark4)
        python3 -m venv "$new" >&2
        "$new/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "${from[0]}" >&2
        ;;
    mesos-pymesos)
        python3 -m venv "$new" >&2
        pip=("$new/bin/python" -m pip --quiet --disable-pip-version-check)
        "${pip[@]}" install --no-deps -r "${from[0]}" >&2
        "${pip[@]}" download --no-deps --no-binary :all: --dest "$new" http-parser==0.9.0 >&2
        packages=("$new"/lib/python*/site-packages)
        tar -xzf "$new"/http-parser-0.9.0.tar.gz -C "${packages[0]}" --strip-components=1 --wildcards '*/http_parser/*.py'
        ;;
    node | cql-node)
        cp "${from[@]}" "$new"
        (cd "$new" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >&2)
        ;;
    go)
        cp "$here"/go/go.* "$new" && cp -r "$tests"/scenarios/go/* "$new"
        go=$("$here/go.sh" "$cache")
        (cd "$new" && mkdir bin && "$go" build -o bin/ ./... >&2)
        ;;
    rdkafka)
        cp "${from[@]}" "$new"
        # One build folder for all: a scenario that changes does not build librdkafka's C again.
        CARGO_TARGET_DIR=$cache/rdkafka.target cargo build --release --locked --quiet --manifest-path "$new/Cargo.toml" >&2
        mkdir "$new/bin" && cp "$cache/rdkafka.target/release/rdkafka" "$new/bin"
        ;;
    cql-go | mesos-go)
        cp "${from[@]}" "$new"
        go=$("$here/go.sh" "$cache")
        (cd "$new" && "$go" build -o "${what/cql-go/gocql}" . >&2)
        ;;
    cql-java | cql-java3)
        jars "${from[0]}" "$new/lib"
        javac -nowarn -cp "$new/lib/*" -d "$new/classes" "${from[@]:1}" >&2
        ;;
    mesos-java | mesos-zookeeper)
        jars "${from[0]}" "$new/lib" ${version:+-Dmesos.version="$version"}
        javac -nowarn -cp "$new/lib/*" -d "$new/classes" "${from[@]:1}" >&2
        ;;
    cql-rust)
        mkdir -p "$new/src/bin" && cp "${from[@]:0:2}" "$new" && cp "${from[@]:2}" "$new/src/bin"
        (cd "$new" && env -u CARGO_TARGET_DIR cargo build --quiet --locked >&2)
        ;;
    cql-load)
        cp "${from[@]}" "$new"
        CARGO_TARGET_DIR=$cache/cql-load.target cargo build --release --locked --quiet --manifest-path "$new/Cargo.toml" >&2
        mkdir "$new/bin" && cp "$cache/cql-load.target/release/cql-load" "$new/bin"
        ;;
    kafka | connect | cassandra | cql-dsbulk)
        jars "${from[0]}" "$new"
        ;;
    java)
        # Written against the oldest API that the project proves, compiled once for each version.
        jars "$here/java/pom.xml" "$new/lib" -Dkafka.version="$version"
        sources=("$tests"/scenarios/java/*.java)
        case $version in 4.*) ;; *) sources=("${sources[@]/*Newest.java/}") sources=("${sources[@]/*Dashboard.java/}") ;; esac
        # shellcheck disable=SC2068 # the emptied element must vanish
        javac -nowarn -Xlint:-options -cp "$new/lib/*" -d "$new/classes" ${sources[@]} >&2
        ;;
    streams | fraud)
        jars "$here/$what/pom.xml" "$new/lib"
        javac -nowarn -cp "$new/lib/*" -d "$new/classes" "$tests/scenarios/$what"/*.java >&2
        ;;
    spark-connectors | spark4-connectors | connect-cassandra)
        jars "${from[0]}" "$new/lib"
        ;;
    spark-cassandra)
        connectors=$("$here/install.sh" spark-connectors)
        # Spark brings the compiler of its own Scala.
        spark=$(echo "$("$here/install.sh" spark)"/lib/python3*/site-packages/pyspark/jars)
        mkdir "$new/classes"
        java -Xss4m -XX:TieredStopAtLevel=1 -cp "$spark/*" scala.tools.nsc.Main -nowarn \
            -cp "$(echo "$connectors"/lib/*.jar "$spark"/*.jar | tr ' ' ':')" -d "$new/classes" "$tests/scenarios/spark-cassandra"/*.scala >&2
        (cd "$new" && jar cf campaigns.jar -C classes .)
        ;;
    example-*)
        jars "${from[0]}" "$new/lib"
        javac -nowarn -cp "$new/lib/*" -d "$new/classes" "${from[@]:1}" >&2
        ;;
    akka | pekko)
        jars "$here/$what/pom.xml" "$new/lib"
        javac -nowarn -cp "$new/lib/*" -d "$new/classes" "$tests/scenarios/$what"/*.java >&2
        find "$tests/scenarios/$what" -name '*.conf' -o -name '*.xml' | xargs cp -t "$new/classes"
        ;;
    esac
    mv -T "$new" "$dir"
fi
echo "$dir"
