//! What the name server counts: as the original does, with the zone's questions apart from others.

use prometheus_client::{metrics::counter::Counter, registry::Registry};
use server_kit::console::{Unit, View};
use std::sync::Arc;

/// Counters of questions.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) mesos_requests: Counter,
    pub(crate) mesos_success: Counter,
    pub(crate) mesos_nxdomain: Counter,
    pub(crate) mesos_failed: Counter,
    pub(crate) non_mesos_requests: Counter,
    pub(crate) non_mesos_forwarded: Counter,
    pub(crate) non_mesos_failed: Counter,
    pub(crate) malformed: Counter,
}

impl Metrics {
    /// Counters that `registry` tells.
    pub(crate) fn register(registry: &mut Registry) -> Arc<Self> {
        let registry = registry.sub_registry_with_prefix("dns");
        let metrics = Arc::new(Metrics::default());
        for (name, help, counter) in [
            (
                "mesos_requests",
                "Questions for names of the zone",
                &metrics.mesos_requests,
            ),
            (
                "mesos_success",
                "Those that were answered with records",
                &metrics.mesos_success,
            ),
            (
                "mesos_nxdomain",
                "Those for names or records that there are not",
                &metrics.mesos_nxdomain,
            ),
            (
                "mesos_failed",
                "Those that came before the master told what runs",
                &metrics.mesos_failed,
            ),
            (
                "non_mesos_requests",
                "Questions for other names",
                &metrics.non_mesos_requests,
            ),
            (
                "non_mesos_forwarded",
                "Those that other name servers were asked",
                &metrics.non_mesos_forwarded,
            ),
            (
                "non_mesos_failed",
                "Those that were not answered",
                &metrics.non_mesos_failed,
            ),
            ("malformed", "Messages that are no question", &metrics.malformed),
        ] {
            registry.register(name, help, counter.clone());
        }
        metrics
    }

    pub(crate) fn show(&self, view: &mut View) {
        view.fact("questions", Unit::Rate, self.mesos_requests.get());
        view.fact("unknown names", Unit::Rate, self.mesos_nxdomain.get());
        view.fact("other names", Unit::Rate, self.non_mesos_requests.get());
        view.fact("no questions", Unit::Rate, self.malformed.get());
    }
}
