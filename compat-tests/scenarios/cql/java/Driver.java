import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.CqlSessionBuilder;
import com.datastax.oss.driver.api.core.ProtocolVersion;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.config.ProgrammaticDriverConfigLoaderBuilder;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchType;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.datastax.oss.driver.api.core.servererrors.CoordinatorException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/** Scenarios of the Java driver 4. What a scenario finds must be the same on every subject; it is the last line of the output. */
public final class Driver {
    private static final String KEYSPACE = "ks_" + System.getenv("RUN");
    private static final Map<String, String> FACTS = new TreeMap<>();

    private static CqlSessionBuilder builder(String version) {
        ProgrammaticDriverConfigLoaderBuilder options = DriverConfigLoader.programmaticBuilder()
                .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, Duration.ofSeconds(30))
                .withDuration(DefaultDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, Duration.ofSeconds(20))
                .withDuration(DefaultDriverOption.CONTROL_CONNECTION_TIMEOUT, Duration.ofSeconds(20));
        if (version != null) {
            options.withString(DefaultDriverOption.PROTOCOL_VERSION, version);
        }
        String[] address = System.getenv("CQL").split(":");
        return CqlSession.builder()
                .addContactPoint(new InetSocketAddress(address[0], Integer.parseInt(address[1])))
                .withLocalDatacenter("datacenter1")
                .withConfigLoader(options.build());
    }

    private static CqlSession open(String version) {
        CqlSession session = builder(version).build();
        session.execute("CREATE KEYSPACE " + KEYSPACE
                + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
        session.execute("USE " + KEYSPACE);
        return session;
    }

    private static void roundTrip(String version) {
        try (CqlSession session = open(version)) {
            session.execute("CREATE TABLE t (k int PRIMARY KEY, v text)");
            var put = session.prepare("INSERT INTO t (k, v) VALUES (?, ?)");
            for (int i = 0; i < 200; i++) {
                session.execute(put.bind(i, "x".repeat(i * 100)));
            }
            int sum = 0;
            for (Row row : session.execute(SimpleStatement.newInstance("SELECT k, v FROM t").setPageSize(17))) {
                if (row.getString("v").length() != row.getInt("k") * 100) {
                    throw new IllegalStateException("row " + row.getInt("k"));
                }
                sum += row.getInt("k");
            }
            ProtocolVersion spoken = session.getContext().getProtocolVersion();
            FACTS.put("version", spoken.toString());
            FACTS.put("sum", String.valueOf(sum));
            FACTS.put("cluster", session.getMetadata().getClusterName().orElse("none"));
            session.getMetadata().getNodes().values().forEach(node -> FACTS.put("node",
                    node.getDatacenter() + " " + node.getRack() + " " + node.getCassandraVersion() + " " + node.getState()));
            FACTS.put("token map", String.valueOf(session.getMetadata().getTokenMap().isPresent()));
        }
    }

    private static void types() {
        try (CqlSession session = open(null)) {
            session.execute("CREATE TYPE address (street text, zip int)");
            session.execute("CREATE TABLE t (k int PRIMARY KEY, a bigint, b boolean, c decimal, d varint, e timestamp, f uuid, "
                    + "g list<int>, h map<text, int>, i set<text>, j frozen<address>, l tuple<int, text>, m vector<float, 3>, n duration, o inet)");
            var put = session.prepare("INSERT INTO t (k, a, b, c, d, e, f, g, h, i) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
            session.execute(put.bind(1, Long.MIN_VALUE, true, new BigDecimal("-1.500"), BigInteger.TWO.pow(100), Instant.ofEpochMilli(1),
                    new UUID(1, 2), List.of(3, 1), Map.of("x", 1), Set.of("a")));
            session.execute("UPDATE t SET j = {street: 'Main', zip: 5}, l = (1, 'a'), m = [1, 2, 3.5], n = 1mo2d3s, o = '::1' WHERE k = 1");
            Row row = session.execute("SELECT * FROM t").one();
            FACTS.put("row", row.getFormattedContents());
            session.getMetadata().getKeyspace(KEYSPACE).flatMap(keyspace -> keyspace.getTable("t"))
                    .ifPresent(table -> FACTS.put("table", table.describe(false)));
        }
    }

    private static void conditional() {
        try (CqlSession session = open(null)) {
            session.execute("CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))");
            session.execute("CREATE TABLE n (k int PRIMARY KEY, n counter)");
            var once = session.prepare("INSERT INTO t (k, c, v) VALUES (1, 1, ?) IF NOT EXISTS");
            List<String> applied = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                var answer = session.execute(once.bind(i));
                applied.add(answer.wasApplied() + " " + answer.one().getFormattedContents());
            }
            FACTS.put("applied", applied.toString());
            var put = session.prepare("INSERT INTO t (k, c, v) VALUES (2, ?, ?)");
            var batch = BatchStatement.builder(BatchType.UNLOGGED);
            for (int i = 0; i < 30; i++) {
                batch.addStatement(i % 2 == 0 ? put.bind(i, i) : put.bind().setInt(0, i));
            }
            session.execute(batch.build());
            var add = session.prepare("UPDATE n SET n = n + ? WHERE k = 1");
            session.execute(BatchStatement.newInstance(BatchType.COUNTER, add.bind(5L), add.bind(-2L)));
            FACTS.put("counter", session.execute("SELECT n FROM n").one().getFormattedContents());
            FACTS.put("count", session.execute("SELECT count(*), count(v) FROM t").one().getFormattedContents());
        }
    }

    private static void errors() {
        try (CqlSession session = open(null)) {
            session.execute("CREATE TABLE t (k int PRIMARY KEY)");
            for (String text : List.of("SELECT nope FROM t", "SELEC", "CREATE TABLE t (k int PRIMARY KEY)", "SELECT * FROM nope")) {
                try {
                    session.execute(text);
                } catch (CoordinatorException error) {
                    FACTS.put(text, error.getClass().getSimpleName() + " " + error.getMessage());
                }
            }
        }
    }

    /** Logs in as soon as the server knows the role. */
    private static CqlSession login(String name, String password) throws InterruptedException {
        for (int i = 0; ; i++) {
            try {
                return builder(null).withAuthCredentials(name, password).build();
            } catch (AllNodesFailedException error) {
                if (i == 100) {
                    throw error;
                }
                Thread.sleep(300);
            }
        }
    }

    private static String said(CqlSession session, Statement<?> statement) {
        try {
            return "rows: " + session.execute(statement).all().size();
        } catch (CoordinatorException error) {
            return error.getClass().getSimpleName() + " " + error.getMessage();
        }
    }

    /** On a server that authenticates and authorizes: logs in, is refused, and is granted what it lacked. */
    private static void roles() throws InterruptedException {
        try (CqlSession root = login("cassandra", "cassandra")) {
            try (CqlSession wrong = builder(null).withAuthCredentials("cassandra", "wrong").build()) {
                FACTS.put("wrong password", "logged in");
            } catch (AllNodesFailedException error) {
                String text = error.getAllErrors().values().iterator().next().get(0).getMessage();
                FACTS.put("wrong password", text.replaceAll("^.*EndPoint[^:]*:[^:]*: ", "").replaceAll("127.0.0.1:\\d+", "HERE"));
            }
            root.execute("CREATE KEYSPACE " + KEYSPACE + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
            root.execute("CREATE TABLE " + KEYSPACE + ".t (k int PRIMARY KEY)");
            root.execute("CREATE ROLE java_reader WITH PASSWORD = 'java' AND LOGIN = true");
            try (CqlSession reader = login("java_reader", "java")) {
                var statement = SimpleStatement.newInstance("SELECT * FROM " + KEYSPACE + ".t");
                var prepared = reader.prepare(statement).bind();
                FACTS.put("without a permission", said(reader, statement));
                FACTS.put("prepared, without a permission", said(reader, prepared));
                root.execute("GRANT SELECT ON " + KEYSPACE + ".t TO java_reader");
                for (int i = 0; i < 100 && !said(reader, prepared).startsWith("rows"); i++) {
                    Thread.sleep(300);
                }
                FACTS.put("with a permission", said(reader, prepared));
            }
            root.execute("DROP ROLE java_reader");
            root.execute("DROP KEYSPACE " + KEYSPACE);
        }
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }

    public static void main(String[] arguments) throws InterruptedException {
        switch (arguments[0]) {
            case "newest" -> roundTrip(null);
            case "v3" -> roundTrip("V3");
            case "v4" -> roundTrip("V4");
            case "types" -> types();
            case "conditional" -> conditional();
            case "errors" -> errors();
            case "roles" -> roles();
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        List<String> entries = new ArrayList<>();
        FACTS.forEach((name, value) -> entries.add(quoted(name) + ": " + quoted(value.replace(KEYSPACE, "KEYSPACE"))));
        System.out.println("{" + String.join(", ", entries) + "}");
        System.exit(0);
    }
}
