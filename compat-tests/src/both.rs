//! A Kafka and a Cassandra for applications that use both.

use std::thread;

use anyhow::{Result, anyhow};

use crate::{Broker, Program, Subject, clients};

/// smack is both; beside Kafka itself there is a Cassandra.
pub struct Both {
    kafka: Broker,
    cassandra: Option<Broker>,
}

impl Both {
    /// Starts fresh ones, at the same time.
    pub fn start(subject: &Subject) -> Result<Self> {
        let start = || match subject {
            Subject::Original => Broker::start_cql(Subject::Original).map(Some),
            _ => Ok(None),
        };
        thread::scope(|scope| {
            let cassandra = scope.spawn(start);
            let kafka = Broker::start(subject.clone(), "");
            let cassandra = cassandra.join().map_err(|_| anyhow!("the thread panicked"))?;
            Ok(Self {
                kafka: kafka?,
                cassandra: cassandra?,
            })
        })
    }

    /// Whether they are the originals.
    pub fn is_original(&self) -> bool {
        self.cassandra.is_some()
    }

    /// `host:port` of Kafka.
    pub fn kafka(&self) -> &str {
        self.kafka.address()
    }

    /// `host:port` of Cassandra.
    pub fn cassandra(&self) -> Result<String> {
        match &self.cassandra {
            Some(cassandra) => Ok(cassandra.address().to_owned()),
            None => self.kafka.address_of("cql"),
        }
    }

    /// `host:port` of Mesos, which only smack has.
    pub fn mesos(&self) -> Result<String> {
        self.kafka.address_of("mesos")
    }

    /// Their processes.
    pub fn pids(&self) -> Vec<u32> {
        let all = [Some(&self.kafka), self.cassandra.as_ref()];
        all.into_iter().flatten().filter_map(Broker::pid).collect()
    }

    /// A class of an installed set of clients, told where both are.
    pub fn application(&self, set: &str, class: &str) -> Result<Program> {
        let dir = clients::install(&[set])?;
        Ok(Program::new("java")
            .args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
            .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp"])
            .args([format!("{0}/classes:{0}/lib/*", dir.display())])
            .args([class])
            .env("KAFKA", self.kafka())
            .env("CASSANDRA", self.cassandra()?)
            .seconds_max(400))
    }
}
