//! What a check of a task asks, as its framework describes it. Texts of what is wrong are the original's.

use super::Run;
use mesos_proto::v1::{
    CheckInfo, CheckStatusInfo, CommandInfo, HealthCheck, TaskInfo, check_info, check_status_info,
    health_check, network_info::Protocol,
};
use std::time::Duration;

/// The longest time that a check can name; what is longer means the same.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);
/// The shortest pause between two checks, which keeps a wrong one from using a processor for itself.
const INTERVAL_MIN: Duration = Duration::from_millis(10);

/// Which of the two checks that a task may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Whether it is well: it is killed if it is not.
    Health,
    /// What the framework wants to know, whatever it means.
    Check,
}

/// One look at a task.
#[derive(Debug, Clone)]
pub(crate) struct Probe {
    pub(crate) container: String,
    pub(crate) which: Which,
    /// How long to wait before.
    pub(crate) after: Duration,
    /// How long it may take, where that is bounded.
    pub(crate) timeout: Option<Duration>,
    pub(crate) asks: Asks,
}

/// How a task is looked at.
#[derive(Debug, Clone)]
pub(crate) enum Asks {
    /// By a command in its sandbox.
    Command(Box<Run>),
    /// By a request.
    Http { url: String },
    /// By a connection.
    Tcp { host: &'static str, port: u32 },
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Probed {
    /// The command ended by itself.
    Exited(i32),
    /// The request was answered.
    Answered(u16),
    Connected(bool),
    /// Nothing, and why.
    Nothing(String),
}

/// When a task is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) delay: Duration,
    pub(super) interval: Duration,
    pub(super) timeout: Option<Duration>,
}

impl Times {
    fn new(delay: f64, interval: f64, timeout: f64) -> Self {
        Times {
            delay: seconds(delay),
            interval: seconds(interval).max(INTERVAL_MIN),
            // None is endless.
            timeout: Some(seconds(timeout)).filter(|timeout| !timeout.is_zero()),
        }
    }

    pub(super) fn of(task: &TaskInfo, which: Which) -> Option<Self> {
        let health = |one: &HealthCheck| {
            Times::new(one.delay_seconds(), one.interval_seconds(), one.timeout_seconds())
        };
        let check =
            |one: &CheckInfo| Times::new(one.delay_seconds(), one.interval_seconds(), one.timeout_seconds());
        match which {
            Which::Health => task.health_check.as_ref().map(health),
            Which::Check => task.check.as_ref().map(check),
        }
    }
}

pub(super) fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).map_or(LONGEST, |time| time.min(LONGEST))
}

/// What a check asks; `run` makes a process of a command.
pub(super) fn asks(task: &TaskInfo, which: Which, run: impl FnOnce(CommandInfo) -> Run) -> Option<Asks> {
    let (command, http, tcp) = match which {
        Which::Health => {
            let check = task.health_check.as_ref()?;
            let http = check.http.as_ref().map(|http| {
                url(
                    http.scheme.as_deref().unwrap_or("http"),
                    loopback(http.protocol()),
                    http.port,
                    http.path(),
                )
            });
            let tcp = check.tcp.as_ref().map(|tcp| (loopback(tcp.protocol()), tcp.port));
            match check.r#type() {
                health_check::Type::Command => (check.command.clone(), None, None),
                health_check::Type::Http => (None, http, None),
                health_check::Type::Tcp => (None, None, tcp),
                health_check::Type::Unknown => return None,
            }
        }
        Which::Check => {
            let check = task.check.as_ref()?;
            let host = loopback(Protocol::IPv4);
            let http = check
                .http
                .as_ref()
                .map(|http| url("http", host, http.port, http.path()));
            let tcp = check.tcp.as_ref().map(|tcp| (host, tcp.port));
            match check.r#type() {
                check_info::Type::Command => {
                    (check.command.as_ref().map(|one| one.command.clone()), None, None)
                }
                check_info::Type::Http => (None, http, None),
                check_info::Type::Tcp => (None, None, tcp),
                check_info::Type::Unknown => return None,
            }
        }
    };
    let command = command.map(|command| Asks::Command(Box::new(run(command))));
    let http = http.map(|url| Asks::Http { url });
    command
        .or(http)
        .or(tcp.map(|(host, port)| Asks::Tcp { host, port }))
}

fn loopback(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::IPv6 => "::1",
        Protocol::IPv4 => "127.0.0.1",
    }
}

fn url(scheme: &str, host: &str, port: u32, path: &str) -> String {
    match host.contains(':') {
        true => format!("{scheme}://[{host}]:{port}{path}"),
        false => format!("{scheme}://{host}:{port}{path}"),
    }
}

/// What a check of a task tells before it has found anything.
pub(super) fn nothing_yet(check: &CheckInfo) -> CheckStatusInfo {
    let kind = check.r#type();
    CheckStatusInfo {
        r#type: check.r#type,
        command: (kind == check_info::Type::Command).then(check_status_info::Command::default),
        http: (kind == check_info::Type::Http).then(check_status_info::Http::default),
        tcp: (kind == check_info::Type::Tcp).then(check_status_info::Tcp::default),
    }
}

/// What is told of what was found.
pub(super) fn told(check: &CheckInfo, found: &Probed) -> CheckStatusInfo {
    let mut told = nothing_yet(check);
    match found {
        Probed::Exited(code) => {
            told.command = Some(check_status_info::Command {
                exit_code: Some(*code),
            })
        }
        Probed::Answered(code) => {
            told.http = Some(check_status_info::Http {
                status_code: Some(u32::from(*code)),
            });
        }
        Probed::Connected(succeeded) => {
            told.tcp = Some(check_status_info::Tcp {
                succeeded: Some(*succeeded),
            });
        }
        Probed::Nothing(_) => {}
    }
    told
}

/// Why a task that has this found is not well, if it is not.
pub(super) fn unwell(found: &Probed) -> Option<String> {
    match found {
        Probed::Exited(0) | Probed::Answered(200..400) | Probed::Connected(true) => None,
        Probed::Exited(code) => Some(format!("Command returned exited with status {code}")),
        Probed::Answered(code) => Some(format!("Unexpected HTTP response code: {code}")),
        Probed::Connected(false) => Some("TCP connection failed".to_owned()),
        Probed::Nothing(why) => Some(why.clone()),
    }
}

/// What is wrong with a task's checks.
pub(super) fn invalid(task: &TaskInfo) -> Option<String> {
    let health = task.health_check.as_ref().and_then(invalid_health);
    let health = health.map(|why| format!("Task uses invalid health check: {why}"));
    let check = || task.check.as_ref().and_then(invalid_check);
    health.or_else(|| check().map(|why| format!("Task uses invalid check: {why}")))
}

fn invalid_health(check: &HealthCheck) -> Option<String> {
    use health_check::Type;
    let Some(kind) = check.r#type else {
        return Some("HealthCheck must specify 'type'".to_owned());
    };
    let http = check.http.as_ref();
    let scheme = http.and_then(|http| http.scheme.as_deref());
    let path = http.and_then(|http| http.path.as_deref());
    let wrong = match Type::try_from(kind).unwrap_or(Type::Unknown) {
        Type::Command => wrong_command(check.command.as_ref(), "health check", "Command health check"),
        Type::Http if http.is_none() => Some("Expecting 'http' to be set for HTTP health check".to_owned()),
        Type::Http if scheme.is_some_and(|scheme| scheme != "http" && scheme != "https") => Some(format!(
            "Unsupported HTTP health check scheme: '{}'",
            scheme.unwrap_or_default()
        )),
        Type::Http => wrong_path(path, "health check"),
        Type::Tcp if check.tcp.is_none() => Some("Expecting 'tcp' to be set for TCP health check".to_owned()),
        Type::Tcp => None,
        Type::Unknown => Some("'UNKNOWN' is not a valid health check type".to_owned()),
    };
    wrong.or_else(|| {
        negative(&[
            ("delay_seconds", check.delay_seconds()),
            ("grace_period_seconds", check.grace_period_seconds()),
            ("interval_seconds", check.interval_seconds()),
            ("timeout_seconds", check.timeout_seconds()),
        ])
    })
}

fn invalid_check(check: &CheckInfo) -> Option<String> {
    use check_info::Type;
    let Some(kind) = check.r#type else {
        return Some("CheckInfo must specify 'type'".to_owned());
    };
    let command = check.command.as_ref().map(|one| &one.command);
    let path = check.http.as_ref().and_then(|http| http.path.as_deref());
    let wrong = match Type::try_from(kind).unwrap_or(Type::Unknown) {
        Type::Command => wrong_command(command, "check", "Command check"),
        Type::Http if check.http.is_none() => Some("Expecting 'http' to be set for HTTP check".to_owned()),
        Type::Http => wrong_path(path, "check"),
        Type::Tcp if check.tcp.is_none() => Some("Expecting 'tcp' to be set for TCP check".to_owned()),
        Type::Tcp => None,
        Type::Unknown => Some("'UNKNOWN' is not a valid check type".to_owned()),
    };
    wrong.or_else(|| {
        negative(&[
            ("delay_seconds", check.delay_seconds()),
            ("interval_seconds", check.interval_seconds()),
            ("timeout_seconds", check.timeout_seconds()),
        ])
    })
}

fn wrong_command(command: Option<&CommandInfo>, what: &str, named: &str) -> Option<String> {
    match command {
        None => Some(format!("Expecting 'command' to be set for COMMAND {what}")),
        Some(command) if command.value.is_some() => None,
        Some(command) if command.shell() => Some(format!("{named} must contain 'shell command'")),
        Some(_) => Some(format!("{named} must contain 'executable path'")),
    }
}

fn wrong_path(path: Option<&str>, what: &str) -> Option<String> {
    let path = path.filter(|path| !path.starts_with('/'))?;
    Some(format!("The path '{path}' of HTTP {what} must start with '/'"))
}

fn negative(times: &[(&str, f64)]) -> Option<String> {
    let (name, _) = times.iter().find(|(_, time)| *time < 0.0)?;
    Some(format!("Expecting '{name}' to be non-negative"))
}
