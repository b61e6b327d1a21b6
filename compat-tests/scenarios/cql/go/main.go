// Scenarios of gocql. What a scenario returns must be the same on every subject; it is the last line of the output.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"math/big"
	"net"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/gocql/gocql"
	"gopkg.in/inf.v0"
)

type facts map[string]any

var keyspace = "ks_" + os.Getenv("RUN")

func must(err error, what string) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}

func open(version int, compress bool, keyspace string) *gocql.Session {
	cluster := gocql.NewCluster(os.Getenv("CQL"))
	cluster.ProtoVersion = version
	cluster.Keyspace = keyspace
	cluster.Timeout, cluster.ConnectTimeout = 30*time.Second, 30*time.Second
	cluster.Consistency = gocql.LocalQuorum
	if compress {
		cluster.Compressor = gocql.SnappyCompressor{}
	}
	session, err := cluster.CreateSession()
	must(err, "connecting")
	return session
}

func start(version int, compress bool) *gocql.Session {
	first := open(version, compress, "")
	defer first.Close()
	must(first.Query("CREATE KEYSPACE "+keyspace+" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}").Exec(), "a keyspace")
	return open(version, compress, keyspace)
}

func roundTrip(version int, compress bool) facts {
	s := start(version, compress)
	must(s.Query("CREATE TABLE t (k int PRIMARY KEY, v text)").Exec(), "a table")
	for i := range 50 {
		must(s.Query("INSERT INTO t (k, v) VALUES (?, ?)", i, strings.Repeat("x", i*1000)).Exec(), "an insert")
	}
	var sum, k int
	var v string
	rows := s.Query("SELECT k, v FROM t").PageSize(7).Iter()
	for rows.Scan(&k, &v) {
		if len(v) != k*1000 {
			log.Fatalf("row %d has %d bytes", k, len(v))
		}
		sum += k
	}
	must(rows.Close(), "a scan")
	return facts{"sum": sum}
}

func types() facts {
	s := start(4, false)
	must(s.Query("CREATE TABLE t (k int PRIMARY KEY, a bigint, b blob, c boolean, d decimal, e double, f float, g inet, h timestamp, i uuid, j varint, l list<int>, m map<text, int>, s set<text>, u duration, st smallint, tt tinyint, da date)").Exec(), "a table")
	at := time.UnixMilli(1577934245678).UTC()
	id, _ := gocql.ParseUUID("123e4567-e89b-12d3-a456-426614174000")
	huge := new(big.Int).Lsh(big.NewInt(-1), 100)
	must(s.Query("INSERT INTO t (k, a, b, c, d, e, f, g, h, i, j, l, m, s, u, st, tt, da) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		1, int64(-1<<63), []byte{0, 255}, true, inf.NewDec(-12345, 3), 1.5, float32(0.5), net.ParseIP("2001:db8::1"), at, id, huge,
		[]int{3, 1}, map[string]int{"x": 1, "y": 2}, []string{"b", "a"}, gocql.Duration{Months: 1, Days: 2, Nanoseconds: 3}, int16(-5), int8(7), at).Exec(), "an insert")
	row := map[string]any{}
	must(s.Query("SELECT * FROM t").MapScan(row), "a select")
	out := facts{}
	for name, value := range row {
		out[name] = fmt.Sprintf("%v", value)
	}
	return out
}

func conditional() facts {
	s := start(4, false)
	must(s.Query("CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))").Exec(), "a table")
	must(s.Query("CREATE TABLE n (k int PRIMARY KEY, n counter)").Exec(), "counters")
	out := facts{}
	for i := range 2 {
		was := map[string]any{}
		applied, err := s.Query("INSERT INTO t (k, c, v) VALUES (1, 1, ?) IF NOT EXISTS", i).MapScanCAS(was)
		must(err, "a conditional insert")
		out[fmt.Sprintf("insert %d", i)] = fmt.Sprintf("%v %v", applied, was)
	}
	batch := s.NewBatch(gocql.LoggedBatch)
	for i := range 10 {
		batch.Query("INSERT INTO t (k, c, v) VALUES (?, ?, ?)", 2, i, i)
	}
	must(s.ExecuteBatch(batch), "a batch")
	cas := s.NewBatch(gocql.LoggedBatch)
	cas.Query("UPDATE t SET v = 5 WHERE k = 2 AND c = 1 IF v = 1")
	cas.Query("UPDATE t SET v = 6 WHERE k = 2 AND c = 2 IF v = 9")
	was := map[string]any{}
	applied, rest, err := s.MapExecuteBatchCAS(cas, was)
	must(err, "a conditional batch")
	out["batch"] = fmt.Sprintf("%v %v", applied, was)
	must(rest.Close(), "its rows")
	for range 5 {
		must(s.Query("UPDATE n SET n = n + 3 WHERE k = 1").Exec(), "a counter")
	}
	var n int64
	must(s.Query("SELECT n FROM n WHERE k = 1").Scan(&n), "the counter")
	out["counter"] = n
	return out
}

func metadata() facts {
	s := start(4, false)
	must(s.Query("CREATE TABLE t (k int, c text, v list<frozen<tuple<int, text>>>, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)").Exec(), "a table")
	must(s.AwaitSchemaAgreement(s.Query("").Context()), "agreement")
	meta, err := s.KeyspaceMetadata(keyspace)
	must(err, "the keyspace")
	columns := []string{}
	for name, column := range meta.Tables["t"].Columns {
		columns = append(columns, fmt.Sprintf("%s %s %v", name, column.Type, column.Kind))
	}
	sort.Strings(columns)
	return facts{"strategy": meta.StrategyClass, "columns": columns}
}

func errors() facts {
	s := start(4, false)
	must(s.Query("CREATE TABLE t (k int PRIMARY KEY)").Exec(), "a table")
	out := facts{}
	for _, text := range []string{"SELECT nope FROM t", "SELEC", "CREATE TABLE t (k int PRIMARY KEY)"} {
		out[text] = fmt.Sprintf("%v", s.Query(text).Exec())
	}
	return out
}

func main() {
	scenarios := map[string]func() facts{
		"v3": func() facts { return roundTrip(3, false) }, "v4": func() facts { return roundTrip(4, false) },
		"v4_snappy": func() facts { return roundTrip(4, true) },
		"types":     types, "conditional": conditional, "metadata": metadata, "errors": errors,
	}
	answer, err := json.Marshal(scenarios[os.Args[1]]())
	must(err, "the answer")
	fmt.Println(strings.ReplaceAll(string(answer), keyspace, "KEYSPACE"))
}
