use super::*;
use crate::core::{Command, Core, Input, Offer, Policy};

fn policy() -> Policy {
    Policy {
        failure_retry_ms: 1,
        disable_after_failures: 0,
        jobs_max: 10,
    }
}

fn job() -> crate::core::Job {
    let defaults = crate::wire::Defaults {
        epsilon: "PT60S".to_owned(),
        cpus: 0.1,
        mem: 1.0,
        disk: 1.0,
        user: "root".to_owned(),
    };
    crate::wire::parse(br#"{"name":"j","command":"true"}"#, &defaults).unwrap()
}

#[tokio::test]
async fn what_is_stored_comes_back() {
    let kv = ::storage::memory::Store::new(None).open().kv;
    let store = Store::new(kv, Durability::Written);
    let mut core = Core::new(0, policy(), None, Vec::new(), Vec::new());
    let inputs = [
        Input::Subscribed {
            framework: "f".to_owned(),
        },
        Input::Command(Box::new(Command::Put(Box::new(job())))),
        Input::Offers(vec![Offer {
            id: "o".to_owned(),
            agent: "a".to_owned(),
            host: "h".to_owned(),
            cpus: 1.0,
            mem: 10.0,
            disk: 10.0,
            gpus: 0.0,
            attributes: Vec::new(),
        }]),
    ];
    for input in inputs {
        store.store(&core.step(5000, input).changes).await.unwrap();
    }
    let left = store.load().await.unwrap();
    assert_eq!(left.framework.as_deref(), Some("f"));
    assert_eq!((left.jobs.len(), left.runs.len()), (1, 1));
    assert_eq!(left.runs[0].task, "ct:4000:0:j:");
    let again = Core::new(6000, policy(), left.framework, left.jobs, left.runs);
    assert_eq!(again.runs().len(), 1);
    let gone = [Change::NoJob("j".to_owned()), Change::Framework(None)];
    store.store(&gone).await.unwrap();
    let left = store.load().await.unwrap();
    assert_eq!((left.jobs.len(), left.framework), (0, None));
}

#[test]
fn a_newer_format_is_refused() {
    assert!(read::<String>(b"\x02\"f\"").is_err());
    assert!(read::<String>(b"\x01\"f\"").is_ok());
    assert!(read::<String>(b"").is_err());
}
