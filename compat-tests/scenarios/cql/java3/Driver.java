import com.datastax.driver.core.BatchStatement;
import com.datastax.driver.core.Cluster;
import com.datastax.driver.core.KeyspaceMetadata;
import com.datastax.driver.core.PreparedStatement;
import com.datastax.driver.core.ProtocolOptions;
import com.datastax.driver.core.ProtocolVersion;
import com.datastax.driver.core.ResultSet;
import com.datastax.driver.core.Row;
import com.datastax.driver.core.Session;
import com.datastax.driver.core.SimpleStatement;
import com.datastax.driver.core.SocketOptions;
import com.datastax.driver.core.exceptions.DriverException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Scenarios of the Java driver 3. What a scenario finds must be the same on every subject; it is the last line of the output. */
public final class Driver {
    private static final String KEYSPACE = "ks_" + System.getenv("RUN");
    private static final Map<String, String> FACTS = new TreeMap<>();

    private static Session open(ProtocolVersion version, ProtocolOptions.Compression compression) {
        String[] address = System.getenv("CQL").split(":");
        Cluster.Builder builder = Cluster.builder().addContactPoint(address[0]).withPort(Integer.parseInt(address[1]))
                .withoutJMXReporting().withCompression(compression)
                .withSocketOptions(new SocketOptions().setReadTimeoutMillis(30_000).setConnectTimeoutMillis(20_000));
        if (version != null) {
            builder.withProtocolVersion(version);
        }
        Session session = builder.build().connect();
        session.execute("CREATE KEYSPACE " + KEYSPACE
                + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
        session.execute("USE " + KEYSPACE);
        return session;
    }

    private static void roundTrip(Session session) {
        session.execute("CREATE TABLE t (k int PRIMARY KEY, v text)");
        PreparedStatement put = session.prepare("INSERT INTO t (k, v) VALUES (?, ?)");
        for (int i = 0; i < 200; i++) {
            session.execute(put.bind(i, "x".repeat(i * 100)));
        }
        int sum = 0;
        for (Row row : session.execute(new SimpleStatement("SELECT k, v FROM t").setFetchSize(17))) {
            if (row.getString("v").length() != row.getInt("k") * 100) {
                throw new IllegalStateException("row " + row.getInt("k"));
            }
            sum += row.getInt("k");
        }
        FACTS.put("sum", String.valueOf(sum));
        FACTS.put("version", session.getCluster().getConfiguration().getProtocolOptions().getProtocolVersion().toString());
        FACTS.put("cluster", session.getCluster().getMetadata().getClusterName());
        session.getCluster().getMetadata().getAllHosts().forEach(host -> FACTS.put("node",
                host.getDatacenter() + " " + host.getRack() + " " + host.getCassandraVersion() + " " + host.getState()));
    }

    private static void conditional(Session session) {
        session.execute("CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))");
        PreparedStatement once = session.prepare("INSERT INTO t (k, c, v) VALUES (1, 1, ?) IF NOT EXISTS");
        List<String> applied = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            ResultSet answer = session.execute(once.bind(i));
            applied.add(answer.wasApplied() + " " + answer.one());
        }
        FACTS.put("applied", applied.toString());
        PreparedStatement put = session.prepare("INSERT INTO t (k, c, v) VALUES (2, ?, ?)");
        BatchStatement batch = new BatchStatement(BatchStatement.Type.LOGGED);
        for (int i = 0; i < 30; i++) {
            batch.add(put.bind(i, i));
        }
        session.execute(batch);
        FACTS.put("count", session.execute("SELECT count(*) FROM t").one().toString());
    }

    private static void metadata(Session session) {
        session.execute("CREATE TYPE address (street text, zip int)");
        session.execute("CREATE TABLE t (k int, c text, a frozen<address>, l list<int>, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)");
        session.execute("CREATE INDEX by_list ON t (l)");
        KeyspaceMetadata keyspace = session.getCluster().getMetadata().getKeyspace(KEYSPACE);
        FACTS.put("keyspace", keyspace.exportAsString());
    }

    private static void errors(Session session) {
        session.execute("CREATE TABLE t (k int PRIMARY KEY)");
        for (String text : List.of("SELECT nope FROM t", "SELEC", "CREATE TABLE t (k int PRIMARY KEY)", "SELECT * FROM nope")) {
            try {
                session.execute(text);
            } catch (DriverException error) {
                FACTS.put(text, error.getClass().getSimpleName() + " " + error.getMessage());
            }
        }
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }

    public static void main(String[] arguments) {
        ProtocolOptions.Compression none = ProtocolOptions.Compression.NONE;
        switch (arguments[0]) {
            case "newest" -> roundTrip(open(null, none));
            case "v3" -> roundTrip(open(ProtocolVersion.V3, none));
            case "v4_lz4" -> roundTrip(open(ProtocolVersion.V4, ProtocolOptions.Compression.LZ4));
            case "conditional" -> conditional(open(null, none));
            case "metadata" -> metadata(open(null, none));
            case "errors" -> errors(open(null, none));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        List<String> entries = new ArrayList<>();
        FACTS.forEach((name, value) -> entries.add(quoted(name) + ": " + quoted(value.replace(KEYSPACE, "KEYSPACE"))));
        System.out.println("{" + String.join(", ", entries) + "}");
        System.exit(0);
    }
}
