//! What one statement runs into.

use super::{
    Guardrails, Switch, Threshold, Words,
    table::{SWITCHES, THRESHOLDS, WORDS},
};
use crate::error::{CqlError, Result};

/// Looks at one statement. A failure is told as a warning, too, behind those before it.
#[derive(Debug)]
pub(crate) struct Watch<'g> {
    guardrails: &'g Guardrails,
    pub(crate) warnings: Vec<String>,
}

impl<'g> Watch<'g> {
    pub(crate) fn new(guardrails: &'g Guardrails) -> Self {
        Watch {
            guardrails,
            warnings: Vec::new(),
        }
    }

    /// Something that must not be too much.
    pub(crate) fn count(&mut self, threshold: Threshold, value: i64, what: &str) -> Result<()> {
        let limit = self.guardrails.limit(threshold);
        self.beyond(
            threshold,
            value,
            what,
            |limit| value > limit,
            limit.warn,
            limit.fail,
        )
    }

    /// Something that must not be too little.
    pub(crate) fn count_up(&mut self, threshold: Threshold, value: i64, what: &str) -> Result<()> {
        let limit = self.guardrails.limit(threshold);
        let is_below = |limit| value < limit;
        self.beyond(threshold, value, what, is_below, limit.warn, limit.fail)
    }

    /// A timestamp, at the present microsecond.
    pub(crate) fn timestamp(&mut self, timestamp_us: i64, now_us: i64, table: &str) -> Result<()> {
        let late = self.guardrails.limit(Threshold::TimestampMax);
        let [warn, fail] = [late.warn, late.fail].map(|within| Some(now_us.saturating_add(within?)));
        let is_late = |limit| timestamp_us > limit;
        self.beyond(Threshold::TimestampMax, timestamp_us, table, is_late, warn, fail)?;
        let early = self.guardrails.limit(Threshold::TimestampMin);
        let [warn, fail] = [early.warn, early.fail].map(|within| Some(now_us.saturating_sub(within?)));
        let is_early = |limit| timestamp_us < limit;
        self.beyond(Threshold::TimestampMin, timestamp_us, table, is_early, warn, fail)
    }

    /// What is used of the disk, in percent, for a write. Clients are not told how much that is, and not each of them is
    /// told: `tells`, of a failure or of a warning.
    pub(crate) fn disk(&mut self, percent: i64, tells: impl FnOnce(bool) -> bool) -> Result<()> {
        let limit = self.guardrails.limit(Threshold::DiskUsage);
        let fails = limit.fail.is_some_and(|fail| percent > fail);
        if !fails && limit.warn.is_none_or(|warn| percent <= warn) {
            return Ok(());
        }
        let line = &THRESHOLDS[Threshold::DiskUsage as usize];
        let text = if fails { line.failure } else { line.warning };
        let message = violated("replica_disk_usage", text);
        if tells(fails) {
            self.warnings.push(message.clone());
        }
        match fails {
            true => Err(self.failed(message)),
            false => Ok(()),
        }
    }

    fn beyond(
        &mut self,
        threshold: Threshold,
        value: i64,
        what: &str,
        is_beyond: impl Fn(i64) -> bool,
        warn: Option<i64>,
        fail: Option<i64>,
    ) -> Result<()> {
        let line = &THRESHOLDS[threshold as usize];
        let told = |text: &str, level: &str, limit: i64| {
            let text = text
                .replace("{value}", &value.to_string())
                .replace("{limit}", &limit.to_string())
                .replace("{level}", level)
                .replace("{what}", what);
            violated(line.name, &text)
        };
        if let Some(limit) = fail.filter(|limit| is_beyond(*limit)) {
            return self.fail(told(line.failure, "failure", limit));
        }
        if let Some(limit) = warn.filter(|limit| is_beyond(*limit)) {
            self.warnings.push(told(line.warning, "warning", limit));
        }
        Ok(())
    }

    /// Something that may be forbidden.
    pub(crate) fn allow(&mut self, switch: Switch) -> Result<()> {
        self.allow_as(switch, SWITCHES[switch as usize].what)
    }

    /// The same, as it is called here.
    pub(crate) fn allow_as(&mut self, switch: Switch, what: &str) -> Result<()> {
        if self.guardrails.is_enabled(switch) {
            return Ok(());
        }
        let line = &SWITCHES[switch as usize];
        let reason = match line.reason {
            "" => String::new(),
            reason => format!(". {reason}"),
        };
        self.fail(violated(line.name, &format!("{what} is not allowed{reason}")))
    }

    /// Refuses those of `given` that are listed.
    pub(crate) fn disallow(&mut self, words: Words, given: &[&str]) -> Result<()> {
        let found = self.found(words, given);
        match found.is_empty() {
            true => Ok(()),
            false => self.fail(self.listed(
                words,
                &format!(
                    "Provided values [{found}] are not allowed for {{what}} (disallowed values are: {{list}})"
                ),
            )),
        }
    }

    /// Warns of those of `given` that are listed.
    pub(crate) fn discourage(&mut self, words: Words, given: &[&str]) {
        let found = self.found(words, given);
        if !found.is_empty() {
            let text = format!(
                "Provided values [{found}] are not recommended for {{what}} (warned values are: {{list}})"
            );
            self.warnings.push(self.listed(words, &text));
        }
    }

    /// Says which of `given` are listed, and so have no effect.
    pub(crate) fn ignore(&mut self, words: Words, given: &[&str]) {
        let found = self.found(words, given);
        if !found.is_empty() {
            let text = format!(
                "Ignoring provided values [{found}] as they are not supported for {{what}} (ignored values are: {{list}})"
            );
            self.warnings.push(self.listed(words, &text));
        }
    }

    /// What is listed.
    pub(crate) fn words(&self, words: Words) -> &'g [String] {
        self.guardrails.words(words)
    }

    fn found(&self, words: Words, given: &[&str]) -> String {
        let listed = self.guardrails.words(words);
        let found = given.iter().filter(|one| listed.iter().any(|word| word == **one));
        found.copied().collect::<Vec<_>>().join(", ")
    }

    fn listed(&self, words: Words, text: &str) -> String {
        let line = &WORDS[words as usize];
        let list = format!("[{}]", self.guardrails.words(words).join(", "));
        violated(
            line.name,
            &text.replace("{what}", line.what).replace("{list}", &list),
        )
    }

    fn fail(&mut self, message: String) -> Result<()> {
        self.warnings.push(message.clone());
        Err(self.failed(message))
    }

    fn failed(&mut self, message: String) -> CqlError {
        let warnings = std::mem::take(&mut self.warnings);
        CqlError::Guardrail { message, warnings }
    }
}

fn violated(name: &str, text: &str) -> String {
    format!("Guardrail {name} violated: {text}")
}
