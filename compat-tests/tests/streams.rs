//! Kafka Streams with exactly_once_v2: a word count that loses its local state and restores it from the broker.

use anyhow::Result;
use compat_tests::{Broker, Program, clients, facts, program};

#[test]
fn word_count_exactly_once() -> Result<()> {
    let dir = clients::install(&["streams"])?;
    let out = Program::new("java")
        .args([
            "-Xmx384m",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "-cp",
        ])
        .args([format!("{0}/classes:{0}/lib/*", dir.display())])
        .args(["WordCount"])
        .env("KAFKA", Broker::shared()?.address())
        .env("RUN", program::unique())
        .seconds_max(300)
        .run()?;
    facts::compare("streams", "word_count", &facts::parse(&out)?)
}
