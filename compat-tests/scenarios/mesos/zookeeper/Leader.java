import java.io.File;
import java.nio.file.Files;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;

/** A ZooKeeper, until standard input ends. A master that is named stands for leader in it, in the original's layout. */
public class Leader {
    public static void main(String[] arguments) throws Exception {
        File data = Files.createTempDirectory("zookeeper").toFile();
        NIOServerCnxnFactory server = new NIOServerCnxnFactory();
        server.configure(new java.net.InetSocketAddress("127.0.0.1", 0), 100);
        server.startup(new ZooKeeperServer(data, data, 2000));

        if (arguments.length == 0) {
            System.out.println(server.getLocalPort());
        } else {
            stand(server.getLocalPort(), arguments[0].split(":"));
        }
        while (System.in.read() >= 0) {
            continue;
        }
        System.exit(0);
    }

    private static void stand(int port, String[] master) throws Exception {
        ZooKeeper client = new ZooKeeper("127.0.0.1:" + port, 10_000, event -> {});
        client.create("/mesos", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        client.create("/mesos/log_replicas", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        System.out.println(port);

        // The framework comes before its master does.
        Thread.sleep(2000);
        String info = "{\"address\":{\"hostname\":\"localhost\",\"ip\":\"" + master[0] + "\",\"port\":" + master[1] + "},"
            + "\"hostname\":\"localhost\",\"id\":\"x\",\"ip\":16777343,\"port\":" + master[1] + "}";
        client.create(
            "/mesos/json.info_", info.getBytes(), ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL);
    }
}
