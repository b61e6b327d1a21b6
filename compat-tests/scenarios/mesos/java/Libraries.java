import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.mesos.v1.Protos.*;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.apache.mesos.v1.scheduler.V0Mesos;
import org.apache.mesos.v1.scheduler.V1Mesos;

/** Frameworks that speak in calls and events, over both of the classes that the stock Java library has for them. */
public class Libraries {
    static final String MASTER = System.getenv("MESOS");
    static final long SECONDS_MAX = 100;
    static final FrameworkInfo INFO =
        FrameworkInfo.newBuilder().setUser("root").setName("libraries").setFailoverTimeout(60).build();

    /** Subscribes when it can, launches one task, and gathers what it is told. */
    static class Framework implements Scheduler {
        final String command;
        final List<String> told = new ArrayList<>();
        FrameworkID id;
        boolean launched;
        boolean throwsAtOffers;

        Framework(String command) {
            this.command = command;
        }

        synchronized void tell(String what) {
            told.add(what);
            notifyAll();
        }

        synchronized void await(String what, int times) throws InterruptedException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_MAX);
            while (told.stream().filter(what::equals).count() < times) {
                long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                check(left > 0, "waited in vain for " + what + ": " + told);
                wait(left);
            }
        }

        Call.Builder call(Call.Type type) {
            return Call.newBuilder().setType(type).setFrameworkId(id);
        }

        @Override
        public void connected(Mesos mesos) {
            tell("connected");
            Call.Builder call = Call.newBuilder().setType(Call.Type.SUBSCRIBE);
            FrameworkInfo.Builder info = INFO.toBuilder();
            if (id != null) {
                call.setFrameworkId(id);
                info.setId(id);
            }
            mesos.send(call.setSubscribe(Call.Subscribe.newBuilder().setFrameworkInfo(info)).build());
        }

        @Override
        public void disconnected(Mesos mesos) {
            tell("disconnected");
        }

        @Override
        public void received(Mesos mesos, Event event) {
            switch (event.getType()) {
                case SUBSCRIBED:
                    id = event.getSubscribed().getFrameworkId();
                    tell("SUBSCRIBED");
                    break;
                case OFFERS:
                    if (throwsAtOffers) {
                        tell("throws");
                        throw new IllegalStateException("thrown on purpose");
                    }
                    if (!launched) {
                        launched = true;
                        mesos.send(launch(event.getOffers().getOffers(0)));
                    }
                    break;
                case UPDATE:
                    TaskStatus status = event.getUpdate().getStatus();
                    mesos.send(call(Call.Type.ACKNOWLEDGE)
                        .setAcknowledge(Call.Acknowledge.newBuilder()
                            .setAgentId(status.getAgentId())
                            .setTaskId(status.getTaskId())
                            .setUuid(status.getUuid()))
                        .build());
                    tell(status.getState().name());
                    break;
                case ERROR:
                    tell(event.getError().getMessage());
                    break;
                default:
                    tell(event.getType().name());
            }
        }

        Call launch(Offer offer) {
            TaskInfo task = TaskInfo.newBuilder()
                .setName("task")
                .setTaskId(TaskID.newBuilder().setValue("task"))
                .setAgentId(offer.getAgentId())
                .setCommand(CommandInfo.newBuilder().setValue(command))
                .addResources(scalar("cpus", 0.1))
                .addResources(scalar("mem", 32))
                .build();
            Offer.Operation operation = Offer.Operation.newBuilder()
                .setType(Offer.Operation.Type.LAUNCH)
                .setLaunch(Offer.Operation.Launch.newBuilder().addTaskInfos(task))
                .build();
            return call(Call.Type.ACCEPT)
                .setAccept(Call.Accept.newBuilder().addOfferIds(offer.getId()).addOperations(operation))
                .build();
        }

        static Resource.Builder scalar(String name, double value) {
            return Resource.newBuilder()
                .setName(name)
                .setType(Value.Type.SCALAR)
                .setScalar(Value.Scalar.newBuilder().setValue(value));
        }
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    static void runs_a_task(Framework framework, Mesos mesos) throws Exception {
        framework.await("TASK_FINISHED", 1);
        check(framework.told.subList(0, 2).equals(List.of("connected", "SUBSCRIBED")), framework.told.toString());
        check(framework.told.contains("HEARTBEAT"), framework.told.toString());
        mesos.send(framework.call(Call.Type.TEARDOWN).build());
    }

    static void v0_runs_a_task() throws Exception {
        Framework framework = new Framework("true");
        runs_a_task(framework, new V0Mesos(framework, INFO, MASTER));
    }

    static void v1_runs_a_task() throws Exception {
        Framework framework = new Framework("true");
        runs_a_task(framework, new V1Mesos(framework, MASTER));
    }

    /** A framework that does not believe in its master any more finds it again, with its task. */
    static void v1_reconnects() throws Exception {
        Framework framework = new Framework("sleep 1000");
        V1Mesos mesos = new V1Mesos(framework, MASTER);
        framework.await("TASK_RUNNING", 1);
        FrameworkID id = framework.id;
        mesos.reconnect();
        framework.await("disconnected", 1);
        framework.await("SUBSCRIBED", 2);
        check(id.equals(framework.id), framework.id + " is not " + id);
        Call.Kill kill = Call.Kill.newBuilder().setTaskId(TaskID.newBuilder().setValue("task")).build();
        mesos.send(framework.call(Call.Type.KILL).setKill(kill).build());
        framework.await("TASK_KILLED", 1);
        // What the master does not take is an event. It takes no call for another framework than the one that subscribed.
        FrameworkID other = FrameworkID.newBuilder().setValue("other").build();
        mesos.send(framework.call(Call.Type.REVIVE).setFrameworkId(other).build());
        framework.await("Received unexpected '400 Bad Request' (Framework cannot be found) for REVIVE", 1);
        mesos.send(framework.call(Call.Type.TEARDOWN).build());
    }

    static void v1_with_an_exception_says_no_more() throws Exception {
        Framework framework = new Framework("true");
        framework.throwsAtOffers = true;
        V1Mesos mesos = new V1Mesos(framework, MASTER);
        framework.await("throws", 1);
        mesos.send(framework.call(Call.Type.TEARDOWN).build());
        check(!framework.told.contains("disconnected"), framework.told.toString());
    }

    static void a_master_that_cannot_be_named_is_an_argument_too_many() {
        try {
            new V1Mesos(new Framework("true"), "nowhere");
            check(false, "a master of no name was taken");
        } catch (IllegalArgumentException expected) {
            String why = "Failed to create a master detector for 'nowhere': Failed to parse 'nowhere'";
            check(why.equals(expected.getMessage()), expected.getMessage());
        }
    }

    public static void main(String[] arguments) throws Exception {
        for (String scenario : arguments) {
            Libraries.class.getDeclaredMethod(scenario).invoke(null);
            System.out.println("PASS " + scenario);
        }
    }
}
