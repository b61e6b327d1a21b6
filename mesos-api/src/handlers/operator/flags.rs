use super::Around;
use mesos_proto::v1::Flag;

/// Flags of the original that are the same for every master here, sorted.
const FIXED: &[(&str, &str)] = &[
    ("agent_ping_timeout", "15secs"),
    ("agent_reregister_timeout", "10mins"),
    ("allocation_interval", "1secs"),
    ("allocator", "hierarchical"),
    ("authenticate_agents", "false"),
    ("authenticate_frameworks", "false"),
    ("authenticate_http_frameworks", "false"),
    ("authenticate_http_readonly", "false"),
    ("authenticate_http_readwrite", "false"),
    ("filter_gpu_resources", "true"),
    ("framework_sorter", "drf"),
    ("help", "false"),
    ("logbufsecs", "0"),
    ("max_agent_ping_timeouts", "5"),
    ("max_completed_frameworks", "50"),
    ("max_completed_tasks_per_framework", "1000"),
    ("max_operator_event_stream_subscribers", "1000"),
    ("max_unreachable_tasks_per_framework", "1000"),
    ("memory_profiling", "false"),
    ("min_allocatable_resources", "cpus:0.01|mem:32"),
    ("publish_per_framework_metrics", "false"),
    ("quiet", "false"),
    ("recovery_agent_removal_limit", "100%"),
    ("registry_max_agent_count", "102400"),
    ("registry_strict", "false"),
    ("require_agent_domain", "false"),
    ("role_sorter", "drf"),
    ("root_submissions", "true"),
    ("version", "false"),
    ("zk_session_timeout", "10secs"),
];

/// Every flag with its value, by name.
pub(in crate::handlers) fn flags(around: &Around) -> Vec<Flag> {
    let (hostname, port) = around.address.rsplit_once(':').unwrap_or((&around.address, ""));
    let level = if around.logging_level > 0 { "DEBUG" } else { "INFO" };
    let own = [("hostname", hostname), ("logging_level", level), ("port", port)];
    let zk = around.zk.as_deref().map(|zk| ("zk", zk));
    let mut all: Vec<Flag> = FIXED
        .iter()
        .copied()
        .chain(own)
        .chain(zk)
        .map(|(name, value)| Flag {
            name: name.to_owned(),
            value: Some(value.to_owned()),
        })
        .collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}
