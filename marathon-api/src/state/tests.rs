use super::*;
use crate::core::{
    app::App,
    deployment::Deployment,
    instance::{Condition, Goal, Instance},
    path::PathId,
    time::Timestamp,
};
use std::collections::BTreeMap;

#[tokio::test]
async fn what_is_stored_comes_back() {
    let store = Store::new(storage::memory::shard().kv, Durability::Memory);
    let app = Arc::new(App {
        cmd: Some("x".to_owned()),
        cpus: 0.1,
        ..App::named(PathId::new("/a/b"))
    });
    let instance = Instance {
        id: "a_b.instance-1".to_owned(),
        app: app.id.clone(),
        version: Timestamp(7),
        goal: Goal::Running,
        condition: Condition::Running,
        agent_id: "s".to_owned(),
        place: Default::default(),
        host_ports: vec![31_000],
        ip_addresses: Vec::new(),
        staged_at: Timestamp(8),
        started_at: Some(Timestamp(9)),
        unreachable_since: None,
        health: None,
        is_checked: false,
        heard: false,
        kill_sent: None,
    };
    let target: BTreeMap<_, _> = [(app.id.clone(), Some((*app).clone()))].into();
    let original = [(app.id.clone(), None)].into();
    let deployment = Deployment::new(
        "d".to_owned(),
        Timestamp(7),
        (original, target),
        Vec::new(),
        &BTreeMap::new(),
    );
    store
        .store(&[
            Change::FrameworkId("f".to_owned()),
            Change::App(app.clone()),
            Change::Version(app.clone()),
            Change::Instance(Box::new(instance.clone())),
            Change::Deployment(Box::new(deployment.clone())),
        ])
        .await
        .unwrap();
    let kept = store.load().await.unwrap();
    assert_eq!(kept.framework_id.as_deref(), Some("f"));
    assert_eq!((&kept.apps[0], &kept.versions[0]), (&*app, &*app));
    assert_eq!(
        (&kept.instances[0], &kept.deployments[0]),
        (&instance, &deployment)
    );
    store
        .store(&[
            Change::AppRemoved(app.id.clone()),
            Change::VersionRemoved(app.id.clone(), app.version),
            Change::InstanceRemoved(instance.id),
            Change::DeploymentRemoved(deployment.id),
        ])
        .await
        .unwrap();
    let kept = store.load().await.unwrap();
    assert!(kept.apps.is_empty() && kept.versions.is_empty());
    assert!(kept.instances.is_empty() && kept.deployments.is_empty());
}
