import java.util.ArrayList;
import java.util.Collection;
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

    /** Launches its tasks on the first offer that has room for them, and gathers what it is told. */
    static class Framework implements Scheduler {
        final Map<String, String> commands = new HashMap<>();
        /** Whose tasks they are, if not the agent's. */
        ExecutorInfo executor;
        final Map<String, List<TaskState>> states = new HashMap<>();
        final List<String> told = new ArrayList<>();
        boolean acknowledges;
        /** The callback that throws. */
        String throwsAt = "";
        /** Whether offers are kept for the test. */
        boolean keepsOffers;
        final List<Offer> offers = new ArrayList<>();
        FrameworkID id;
        TaskStatus last;
        final List<TaskStatus.Reason> reasons = new ArrayList<>();
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
            if (what.equals(throwsAt)) {
                throw new IllegalStateException("thrown on purpose");
            }
        }

        synchronized Offer offer() throws InterruptedException {
            await("an offer", () -> !offers.isEmpty());
            return offers.remove(0);
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
            if (keepsOffers) {
                synchronized (this) {
                    this.offers.addAll(offers);
                }
                tell("offers");
                return;
            }
            for (Offer offer : offers) {
                if (!commands.isEmpty() && !hasRoom(offer)) {
                    driver.declineOffer(offer.getId(), Filters.newBuilder().setRefuseSeconds(0).build());
                    continue;
                }
                List<TaskInfo> tasks = new ArrayList<>();
                for (Map.Entry<String, String> command : commands.entrySet()) {
                    tasks.add(task(offer, command.getKey(), command.getValue()));
                }
                commands.clear();
                driver.launchTasks(Collections.singletonList(offer.getId()), tasks);
            }
            tell("offers");
        }

        /** What another framework of this agent gave back alone may be less than the tasks want. */
        static boolean hasRoom(Offer offer) {
            return offer.getResourcesList().stream()
                .anyMatch(one -> one.getName().equals("cpus") && one.getScalar().getValue() >= 1);
        }

        TaskInfo task(Offer offer, String name, String command) {
            TaskInfo.Builder task = TaskInfo.newBuilder()
                .setName(name)
                .setTaskId(TaskID.newBuilder().setValue(name))
                .setSlaveId(offer.getSlaveId())
                .addResources(scalar("cpus", 0.1))
                .addResources(scalar("mem", 32));
            if (executor == null) {
                task.setCommand(CommandInfo.newBuilder().setValue(command));
            } else {
                task.setExecutor(executor);
            }
            return task.build();
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
            reasons.add(status.getReason());
            states.computeIfAbsent(status.getTaskId().getValue(), of -> new ArrayList<>()).add(status.getState());
            if (acknowledges) {
                driver.acknowledgeStatusUpdate(status);
            }
            tell("status");
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
        for (String at : new String[] {"registered", "offers", "status"}) {
            Framework framework = new Framework().run("task", "true");
            framework.throwsAt = at;
            MesosSchedulerDriver driver = framework.driver();
            equal(Status.DRIVER_ABORTED, driver.run());
            equal(at, framework.told.get(framework.told.size() - 1));
            equal(Status.DRIVER_ABORTED, driver.reviveOffers());
            equal(Status.DRIVER_ABORTED, driver.stop());
        }
    }

    /** Every native that is not part of the other scenarios, on a framework that is aborted and comes back. */
    static void a_driver_says_all_that_it_can() throws Exception {
        Framework framework = new Framework();
        framework.keepsOffers = true;
        Credential credential = Credential.newBuilder().setPrincipal("drivers").setSecret("secret").build();
        MesosSchedulerDriver driver = new MesosSchedulerDriver(framework, framework.info(), MASTER, credential);
        equal(Status.DRIVER_RUNNING, driver.start());
        Offer offer = framework.offer();
        Request request = Request.newBuilder().setSlaveId(offer.getSlaveId()).addResources(Framework.scalar("cpus", 1)).build();
        equal(Status.DRIVER_RUNNING, driver.requestResources(Collections.singletonList(request)));
        equal(Status.DRIVER_RUNNING, driver.suppressOffers());
        Filters none = Filters.newBuilder().setRefuseSeconds(0).build();
        equal(Status.DRIVER_RUNNING, driver.declineOffer(offer.getId(), none));
        equal(Status.DRIVER_RUNNING, driver.reviveOffers());
        offer = framework.offer();
        Offer.Operation launch = Offer.Operation.newBuilder()
            .setType(Offer.Operation.Type.LAUNCH)
            .setLaunch(Offer.Operation.Launch.newBuilder().addTaskInfos(framework.task(offer, "task", "sleep 1000")))
            .build();
        equal(
            Status.DRIVER_RUNNING,
            driver.acceptOffers(Collections.singletonList(offer.getId()), Collections.singletonList(launch), none));
        framework.await("task", TaskState.TASK_RUNNING);
        framework.states.clear();
        equal(Status.DRIVER_RUNNING, driver.reconcileTasks(Collections.emptyList()));
        framework.await("task", TaskState.TASK_RUNNING);
        equal(TaskStatus.Reason.REASON_RECONCILIATION, framework.last.getReason());
        equal(Status.DRIVER_ABORTED, driver.abort());
        equal(Status.DRIVER_ABORTED, driver.join());
        equal(Status.DRIVER_ABORTED, driver.killTask(framework.last.getTaskId()));
        equal(Status.DRIVER_ABORTED, driver.stop());

        MesosSchedulerDriver next = framework.driver();
        next.start();
        framework.await("a second registration", () -> Collections.frequency(framework.told, "registered") == 2);
        next.killTask(framework.last.getTaskId());
        framework.await("task", TaskState.TASK_KILLED);
        equal(Status.DRIVER_STOPPED, next.stop());
    }

    /** What jars have since 1.9. */
    static void a_framework_changes_its_roles() throws Exception {
        Framework framework = new Framework();
        framework.keepsOffers = true;
        FrameworkInfo info = framework.info().toBuilder()
            .addCapabilities(FrameworkInfo.Capability.newBuilder().setType(FrameworkInfo.Capability.Type.MULTI_ROLE))
            .addRoles("first")
            .build();
        MesosSchedulerDriver driver = new MesosSchedulerDriver(framework, info, MASTER, true);
        driver.start();
        equal("first", framework.offer().getAllocationInfo().getRole());
        FrameworkInfo changed = info.toBuilder().setId(framework.id).addRoles("second").build();
        List<String> first = Collections.singletonList("first");
        Object status = MesosSchedulerDriver.class
            .getMethod("updateFramework", FrameworkInfo.class, Collection.class)
            .invoke(driver, changed, first);
        equal(Status.DRIVER_RUNNING, status);
        driver.stop(true);

        Framework second = new Framework();
        second.keepsOffers = true;
        second.id = framework.id;
        driver = MesosSchedulerDriver.class
            .getConstructor(Scheduler.class, FrameworkInfo.class, Collection.class, String.class, boolean.class)
            .newInstance(second, changed, first, MASTER, true);
        driver.start();
        Offer offer = second.offer();
        equal("second", offer.getAllocationInfo().getRole());
        equal(Status.DRIVER_RUNNING, of(driver, "suppressOffers", Collections.singletonList("second")));
        driver.declineOffer(offer.getId());
        equal(Status.DRIVER_RUNNING, of(driver, "reviveOffers", first));
        equal("first", second.offer().getAllocationInfo().getRole());
        equal(Status.DRIVER_STOPPED, driver.stop());
    }

    static Object of(MesosSchedulerDriver driver, String name, List<String> roles) throws Exception {
        return MesosSchedulerDriver.class.getMethod(name, Collection.class).invoke(driver, roles);
    }

    /** The executor is {@link JavaExecutor}, over the same library. */
    static void an_executor_of_its_own() throws Exception {
        Framework framework = new Framework().run("killed", "").run("finished", "").run("failed", "");
        String java = System.getProperty("java.home") + "/bin/java -Xmx64m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xcheck:jni";
        String command = "exec " + java + " -cp '" + System.getProperty("java.class.path") + "' JavaExecutor";
        String library = System.getenv("MESOS_NATIVE_JAVA_LIBRARY");
        framework.executor = ExecutorInfo.newBuilder()
            .setExecutorId(ExecutorID.newBuilder().setValue("executor"))
            .setName("executor")
            .setData(com.google.protobuf.ByteString.copyFromUtf8("data"))
            .setCommand(CommandInfo.newBuilder()
                .setValue(command)
                .setEnvironment(Environment.newBuilder()
                    .addVariables(Environment.Variable.newBuilder().setName("MESOS_NATIVE_JAVA_LIBRARY").setValue(library))))
            .addResources(Framework.scalar("cpus", 0.1))
            .addResources(Framework.scalar("mem", 64))
            .build();
        MesosSchedulerDriver driver = framework.driver();
        driver.start();
        for (String task : new String[] {"killed", "finished", "failed"}) {
            framework.await(task, TaskState.TASK_RUNNING);
        }
        equal("drivers data", framework.last.getMessage());
        ExecutorID executor = framework.executor.getExecutorId();
        SlaveID agent = framework.last.getSlaveId();
        equal(Status.DRIVER_RUNNING, driver.sendFrameworkMessage(executor, agent, "hello".getBytes()));
        framework.await("an answer", () -> framework.told.contains("message olleh"));
        driver.killTask(TaskID.newBuilder().setValue("killed").build());
        framework.await("killed", TaskState.TASK_KILLED);
        driver.sendFrameworkMessage(executor, agent, "finish finished".getBytes());
        framework.await("finished", TaskState.TASK_FINISHED);
        // What the executor's callback throws aborts its driver, and the executor ends.
        driver.sendFrameworkMessage(executor, agent, "throw".getBytes());
        framework.await("failed", TaskState.TASK_FAILED);
        equal(Status.DRIVER_STOPPED, driver.stop());
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
        // Beside it comes what the first has not acknowledged, if it stopped that soon.
        second.await("an answer", () -> second.reasons.contains(TaskStatus.Reason.REASON_RECONCILIATION));
        second.await("task", TaskState.TASK_RUNNING);
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
