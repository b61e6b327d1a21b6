use parking_lot::Mutex;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    panic,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// The least level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What needs somebody.
    Error,
    /// What may need somebody.
    Warn,
    /// What operators want to know.
    Info,
    /// What developers want to know.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    const ALL: [LogLevel; 6] = [
        LogLevel::Off,
        LogLevel::Error,
        LogLevel::Warn,
        LogLevel::Info,
        LogLevel::Debug,
        LogLevel::Trace,
    ];

    /// The level of that name, in any case.
    pub fn by_name(name: &str) -> Option<Self> {
        let same = |level: &LogLevel| level.name().eq_ignore_ascii_case(name);
        LogLevel::ALL.into_iter().find(same)
    }

    /// Its name, in capitals.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Off => "OFF",
            LogLevel::Error => "ERROR",
            LogLevel::Warn => "WARN",
            LogLevel::Info => "INFO",
            LogLevel::Debug => "DEBUG",
            LogLevel::Trace => "TRACE",
        }
    }
}

/// What is logged of which part of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLevels {
    /// Of every part that has no level of its own.
    pub root: LogLevel,
    /// Of crates and modules, by their path.
    pub targets: BTreeMap<String, LogLevel>,
    /// Directives that say more than a level of a target; kept as they are.
    rest: Vec<String>,
}

impl LogLevels {
    /// Takes directives such as `info,kafka_server=debug` apart. As for the filter itself, nothing said is errors only.
    fn read(directives: &str) -> Self {
        let mut levels = LogLevels {
            root: LogLevel::Error,
            targets: BTreeMap::new(),
            rest: Vec::new(),
        };
        for directive in directives.split(',').map(str::trim).filter(|one| !one.is_empty()) {
            let (target, level) = directive.split_once('=').unwrap_or(("", directive));
            match LogLevel::by_name(level) {
                Some(level) if target.is_empty() => levels.root = level,
                Some(level) if !target.contains('[') => drop(levels.targets.insert(target.to_owned(), level)),
                _ => levels.rest.push(directive.to_owned()),
            }
        }
        levels
    }

    fn directives(&self) -> String {
        let mut all = vec![self.root.name().to_lowercase()];
        let targets = self.targets.iter();
        all.extend(targets.map(|(target, level)| format!("{target}={}", level.name().to_lowercase())));
        all.extend(self.rest.iter().cloned());
        all.join(",")
    }
}

/// Takes another filter while the process runs.
type Reload = Box<dyn Fn(EnvFilter) -> Result<(), String> + Send>;

/// The log is the process's, as its standard error is: so is what is known of it.
static LOGGING: Mutex<Option<(LogLevels, Reload)>> = Mutex::new(None);

/// Writes the process's log to standard error from now on. `filter` is a level, or directives such as
/// `info,kafka_server=debug`. A panic becomes a line of the log.
pub fn start_logging(format: LogFormat, filter: &str) -> Result<(), String> {
    let levels = LogLevels::read(filter);
    let filter = read_filter(filter)?;
    let lines = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    let reload: Reload = match format {
        LogFormat::Text => {
            let lines = lines.with_env_filter(filter).with_filter_reloading();
            let handle = lines.reload_handle();
            lines.init();
            Box::new(move |filter| handle.reload(filter).map_err(|error| error.to_string()))
        }
        LogFormat::Json => {
            let lines = lines.json().with_env_filter(filter).with_filter_reloading();
            let handle = lines.reload_handle();
            lines.init();
            Box::new(move |filter| handle.reload(filter).map_err(|error| error.to_string()))
        }
    };
    *LOGGING.lock() = Some((levels, reload));
    panic::set_hook(Box::new(|info| {
        tracing::error!(panic = %info, "a task failed by a defect of this program");
    }));
    Ok(())
}

/// What is logged now.
pub fn log_levels() -> LogLevels {
    let now = LOGGING.lock().as_ref().map(|(levels, _)| levels.clone());
    now.unwrap_or_else(|| LogLevels {
        // Somebody else's log, as in tests.
        root: LogLevel::by_name(&LevelFilter::current().to_string()).unwrap_or(LogLevel::Off),
        targets: BTreeMap::new(),
        rest: Vec::new(),
    })
}

/// Logs by `levels` from now on.
pub fn set_log_levels(levels: LogLevels) -> Result<(), String> {
    let mut logging = LOGGING.lock();
    let Some((now, reload)) = logging.as_mut() else {
        return Err("the log is not this server's own".to_owned());
    };
    reload(read_filter(&levels.directives())?)?;
    *now = levels;
    Ok(())
}

fn read_filter(directives: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(directives).map_err(|error| format!("log filter {directives}: {error}"))
}

#[cfg(test)]
mod tests;
