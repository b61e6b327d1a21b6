import com.datastax.driver.core.*;

/**
 * Takes the first, slow statements of a node that has just started: Fraud's driver waits twelve seconds for each answer, which
 * the first change of a schema may exceed on a busy machine.
 */
public class Warm {
    public static void main(String[] args) {
        String[] at = System.getenv("CASSANDRA").split(":");
        SocketOptions patient = new SocketOptions().setReadTimeoutMillis(120_000).setConnectTimeoutMillis(60_000);
        try (Cluster cluster = Cluster.builder().addContactPoint(at[0]).withPort(Integer.parseInt(at[1])).withoutJMXReporting()
                .withSocketOptions(patient).build(); Session session = cluster.connect()) {
            session.execute("CREATE KEYSPACE warm WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
            session.execute("CREATE TABLE warm.t (k int, c int, PRIMARY KEY (k, c))");
            PreparedStatement insert = session.prepare("INSERT INTO warm.t (k, c) VALUES (?, ?) IF NOT EXISTS");
            for (int i = 0; i < 200; i++) session.execute(insert.bind(i % 10, i % 100));
            session.execute("SELECT * FROM warm.t");
            session.execute("DROP KEYSPACE warm");
        }
        System.exit(0);
    }
}
