import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.mesos.MesosNativeLibrary;
import org.apache.mesos.MesosSchedulerDriver;
import org.apache.mesos.Protos.*;
import org.apache.mesos.Scheduler;
import org.apache.mesos.SchedulerDriver;

/** Frameworks over the stock Java library, whose natives come from the library that MESOS_NATIVE_JAVA_LIBRARY names. */
public class Drivers {
    static final String MASTER = System.getenv("MESOS");
    static final long SECONDS_MAX = 100;

    /** Launches its commands on the first offer, and gathers what it is told. */
    static class Framework implements Scheduler {
        final Map<String, String> commands = new HashMap<>();
        final Map<String, List<TaskState>> states = new HashMap<>();
        final List<String> told = new ArrayList<>();
        boolean acknowledges;
        boolean throwsAtOffers;
        FrameworkID id;
        TaskStatus last;
        String error;

        Framework run(String task, String command) {
            commands.put(task, command);
            return this;
        }

        FrameworkInfo info() {
            FrameworkInfo.Builder info = FrameworkInfo.newBuilder().setUser("").setName("drivers").setFailoverTimeout(60);
            return (id == null ? info : info.setId(id)).build();
        }

        MesosSchedulerDriver driver() {
            return new MesosSchedulerDriver(this, info(), MASTER, !acknowledges);
        }

        synchronized void tell(String what) {
            told.add(what);
            notifyAll();
        }

        interface Condition {
            boolean holds();
        }

        synchronized void await(String what, Condition condition) throws InterruptedException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_MAX);
            while (!condition.holds()) {
                long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                check(left > 0, "waited in vain for " + what + ": " + told + " " + states);
                wait(left);
            }
        }

        void await(String task, TaskState state) throws InterruptedException {
            await(task + " " + state, () -> states.getOrDefault(task, Collections.emptyList()).contains(state));
        }

        @Override
        public void registered(SchedulerDriver driver, FrameworkID id, MasterInfo master) {
            this.id = id;
            tell("registered");
        }

        @Override
        public void reregistered(SchedulerDriver driver, MasterInfo master) {
            tell("reregistered");
        }

        @Override
        public void resourceOffers(SchedulerDriver driver, List<Offer> offers) {
            if (throwsAtOffers) {
                throw new IllegalStateException("thrown on purpose");
            }
            for (Offer offer : offers) {
                List<TaskInfo> tasks = new ArrayList<>();
                for (Map.Entry<String, String> command : commands.entrySet()) {
                    tasks.add(task(offer, command.getKey(), command.getValue()));
                }
                commands.clear();
                driver.launchTasks(Collections.singletonList(offer.getId()), tasks);
            }
            tell("offers");
        }

        static TaskInfo task(Offer offer, String name, String command) {
            return TaskInfo.newBuilder()
                .setName(name)
                .setTaskId(TaskID.newBuilder().setValue(name))
                .setSlaveId(offer.getSlaveId())
                .setCommand(CommandInfo.newBuilder().setValue(command))
                .addResources(scalar("cpus", 0.1))
                .addResources(scalar("mem", 32))
                .build();
        }

        static Resource.Builder scalar(String name, double value) {
            return Resource.newBuilder()
                .setName(name)
                .setType(Value.Type.SCALAR)
                .setScalar(Value.Scalar.newBuilder().setValue(value));
        }

        @Override
        public void offerRescinded(SchedulerDriver driver, OfferID offer) {
            tell("rescinded");
        }

        @Override
        public synchronized void statusUpdate(SchedulerDriver driver, TaskStatus status) {
            last = status;
            states.computeIfAbsent(status.getTaskId().getValue(), of -> new ArrayList<>()).add(status.getState());
            if (acknowledges) {
                driver.acknowledgeStatusUpdate(status);
            }
            notifyAll();
        }

        @Override
        public void frameworkMessage(SchedulerDriver driver, ExecutorID executor, SlaveID agent, byte[] data) {
            tell("message " + new String(data));
        }

        @Override
        public void disconnected(SchedulerDriver driver) {
            tell("disconnected");
        }

        @Override
        public void slaveLost(SchedulerDriver driver, SlaveID agent) {
            tell("agent lost");
        }

        @Override
        public void executorLost(SchedulerDriver driver, ExecutorID executor, SlaveID agent, int status) {
            tell("executor lost");
        }

        @Override
        public void error(SchedulerDriver driver, String message) {
            error = message;
            tell("error");
        }
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    static void equal(Object expected, Object seen) {
        check(expected.equals(seen), "expected " + expected + ", saw " + seen);
    }

    static void tasks_run_to_their_end() throws Exception {
        Framework framework = new Framework().run("good", "true").run("bad", "exit 3").run("sleeper", "sleep 1000");
        MesosSchedulerDriver driver = framework.driver();
        equal(Status.DRIVER_NOT_STARTED, driver.reviveOffers());
        equal(Status.DRIVER_RUNNING, driver.start());
        equal(Status.DRIVER_RUNNING, driver.start());
        framework.await("good", TaskState.TASK_FINISHED);
        framework.await("bad", TaskState.TASK_FAILED);
        framework.await("sleeper", TaskState.TASK_RUNNING);
        equal(1, Collections.frequency(framework.states.get("good"), TaskState.TASK_RUNNING));
        equal(Status.DRIVER_RUNNING, driver.killTask(TaskID.newBuilder().setValue("sleeper").build()));
        framework.await("sleeper", TaskState.TASK_KILLED);
        equal(Status.DRIVER_STOPPED, driver.stop());
        equal(Status.DRIVER_STOPPED, driver.join());
        equal(Status.DRIVER_STOPPED, driver.reviveOffers());
        equal("registered", framework.told.get(0));
    }

    static void a_framework_acknowledges_by_itself() throws Exception {
        Framework framework = new Framework().run("task", "true");
        framework.acknowledges = true;
        MesosSchedulerDriver driver = framework.driver();
        driver.start();
        // What follows the first status comes only once that one was acknowledged.
        framework.await("task", TaskState.TASK_FINISHED);
        equal(Status.DRIVER_STOPPED, driver.stop());
    }

    static void what_is_acknowledged_already_is_refused() throws Exception {
        Framework framework = new Framework().run("task", "true");
        MesosSchedulerDriver driver = framework.driver();
        driver.start();
        framework.await("task", TaskState.TASK_FINISHED);
        try {
            driver.acknowledgeStatusUpdate(framework.last);
            check(false, "an acknowledgement too many was taken");
        } catch (IllegalStateException expected) {
            check(expected.getMessage().contains("Implicit acknowledgements are enabled"), expected.getMessage());
        }
        equal(Status.DRIVER_STOPPED, driver.stop());
    }

    static void an_exception_aborts() throws Exception {
        Framework framework = new Framework();
        framework.throwsAtOffers = true;
        MesosSchedulerDriver driver = framework.driver();
        equal(Status.DRIVER_ABORTED, driver.run());
        equal(Status.DRIVER_ABORTED, driver.stop());
    }

    static void a_framework_fails_over() throws Exception {
        Framework first = new Framework().run("task", "sleep 1000");
        MesosSchedulerDriver driver = first.driver();
        driver.start();
        first.await("task", TaskState.TASK_RUNNING);
        equal(Status.DRIVER_STOPPED, driver.stop(true));

        Framework second = new Framework();
        second.id = first.id;
        driver = second.driver();
        driver.start();
        second.await("its registration", () -> second.told.contains("registered"));
        equal(first.id, second.id);
        TaskStatus asked = TaskStatus.newBuilder()
            .setTaskId(TaskID.newBuilder().setValue("task"))
            .setState(TaskState.TASK_STAGING)
            .build();
        driver.reconcileTasks(Collections.singletonList(asked));
        second.await("task", TaskState.TASK_RUNNING);
        equal(TaskStatus.Reason.REASON_RECONCILIATION, second.last.getReason());
        driver.killTask(asked.getTaskId());
        second.await("task", TaskState.TASK_KILLED);
        equal(Status.DRIVER_STOPPED, driver.stop());
    }

    static void a_master_that_cannot_be_named_aborts() throws Exception {
        Framework framework = new Framework();
        MesosSchedulerDriver driver = new MesosSchedulerDriver(framework, framework.info(), "nowhere");
        equal(Status.DRIVER_ABORTED, driver.start());
        equal("Failed to create a master detector for 'nowhere': Failed to parse 'nowhere'", framework.error);
    }

    static void the_library_tells_its_version() {
        MesosNativeLibrary.load();
        MesosNativeLibrary.Version version = MesosNativeLibrary.version();
        equal("1.11.0", version.major + "." + version.minor + "." + version.patch);
    }

    public static void main(String[] arguments) throws Exception {
        for (String scenario : arguments) {
            Drivers.class.getDeclaredMethod(scenario).invoke(null);
            System.out.println("PASS " + scenario);
        }
    }
}
