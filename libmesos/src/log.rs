//! What the library tells on standard error, as the original does. `MESOS_QUIET` or `MESOS_LOGGING_LEVEL` silences it.

use std::{env, fmt::Arguments, io::Write, sync::OnceLock};

/// How much a line matters; a line is told where it matters at least as much as the level that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Info,
    Warning,
    Error,
}

pub(crate) fn info(line: Arguments<'_>) {
    tell(Level::Info, line);
}

pub(crate) fn warning(line: Arguments<'_>) {
    tell(Level::Warning, line);
}

fn tell(level: Level, line: Arguments<'_>) {
    static LEAST: OnceLock<Level> = OnceLock::new();
    if level < *LEAST.get_or_init(least) {
        return;
    }
    let letter = match level {
        Level::Info => 'I',
        Level::Warning => 'W',
        Level::Error => 'E',
    };
    // Nobody is left to tell where standard error is gone.
    let _ = writeln!(std::io::stderr(), "{letter} libmesos: {line}");
}

fn least() -> Level {
    if env::var_os("MESOS_QUIET").is_some_and(|quiet| quiet != "0" && quiet != "false") {
        return Level::Error;
    }
    match env::var("MESOS_LOGGING_LEVEL").as_deref() {
        Ok("WARNING") => Level::Warning,
        Ok("ERROR") => Level::Error,
        _ => Level::Info,
    }
}
