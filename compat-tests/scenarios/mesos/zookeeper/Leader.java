import java.io.File;
import java.nio.file.Files;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;

/** A ZooKeeper in which one master stands for leader, in the original's layout, until standard input ends. */
public class Leader {
    public static void main(String[] arguments) throws Exception {
        String[] master = arguments[0].split(":");
        File data = Files.createTempDirectory("zookeeper").toFile();
        NIOServerCnxnFactory server = new NIOServerCnxnFactory();
        server.configure(new java.net.InetSocketAddress("127.0.0.1", 0), 100);
        server.startup(new ZooKeeperServer(data, data, 2000));

        ZooKeeper client = new ZooKeeper("127.0.0.1:" + server.getLocalPort(), 10_000, event -> {});
        client.create("/mesos", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        client.create("/mesos/log_replicas", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        System.out.println(server.getLocalPort());
        System.out.flush();

        // The framework comes before its master does.
        Thread.sleep(2000);
        String info = "{\"address\":{\"hostname\":\"localhost\",\"ip\":\"" + master[0] + "\",\"port\":" + master[1] + "},"
            + "\"hostname\":\"localhost\",\"id\":\"x\",\"ip\":16777343,\"port\":" + master[1] + "}";
        client.create(
            "/mesos/json.info_", info.getBytes(), ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL);
        while (System.in.read() >= 0) {
            continue;
        }
        System.exit(0);
    }
}
