import org.apache.mesos.Executor;
import org.apache.mesos.ExecutorDriver;
import org.apache.mesos.MesosExecutorDriver;
import org.apache.mesos.Protos.*;

/** An executor whose tasks are names alone: they run until somebody says otherwise. */
public class JavaExecutor implements Executor {
    private String about = "";

    @Override
    public void registered(ExecutorDriver driver, ExecutorInfo executor, FrameworkInfo framework, SlaveInfo agent) {
        about = framework.getName() + " " + executor.getData().toStringUtf8();
    }

    @Override
    public void reregistered(ExecutorDriver driver, SlaveInfo agent) {}

    @Override
    public void disconnected(ExecutorDriver driver) {}

    @Override
    public void launchTask(ExecutorDriver driver, TaskInfo task) {
        tell(driver, task.getTaskId(), TaskState.TASK_RUNNING);
    }

    @Override
    public void killTask(ExecutorDriver driver, TaskID task) {
        tell(driver, task, TaskState.TASK_KILLED);
    }

    @Override
    public void frameworkMessage(ExecutorDriver driver, byte[] data) {
        String[] said = new String(data).split(" ");
        switch (said[0]) {
            case "throw":
                throw new IllegalStateException("thrown on purpose");
            case "finish":
                tell(driver, TaskID.newBuilder().setValue(said[1]).build(), TaskState.TASK_FINISHED);
                break;
            default:
                driver.sendFrameworkMessage(new StringBuilder(said[0]).reverse().toString().getBytes());
        }
    }

    @Override
    public void shutdown(ExecutorDriver driver) {
        driver.stop();
    }

    @Override
    public void error(ExecutorDriver driver, String message) {
        System.err.println(message);
    }

    private void tell(ExecutorDriver driver, TaskID task, TaskState state) {
        TaskStatus status = TaskStatus.newBuilder().setTaskId(task).setState(state).setMessage(about).build();
        if (driver.sendStatusUpdate(status) != Status.DRIVER_RUNNING) {
            throw new IllegalStateException("the driver does not run");
        }
    }

    public static void main(String[] arguments) {
        MesosExecutorDriver driver = new MesosExecutorDriver(new JavaExecutor());
        System.exit(driver.run() == Status.DRIVER_STOPPED ? 0 : 1);
    }
}
