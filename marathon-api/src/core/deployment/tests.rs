use super::*;

fn app(id: &str, dependencies: &[&str]) -> App {
    App {
        dependencies: dependencies.iter().map(|one| PathId::new(one)).collect(),
        ..App::named(PathId::new(id))
    }
}

fn apps(all: &[App]) -> Apps {
    all.iter()
        .map(|app| (app.id.clone(), Some(app.clone())))
        .collect()
}

fn shown(deployment: &Deployment) -> Vec<Vec<String>> {
    let step = |step: &Vec<Action>| {
        let shown = step
            .iter()
            .map(|action| format!("{} {}", action.kind.name(), action.app));
        shown.collect()
    };
    deployment.steps.iter().map(step).collect()
}

#[test]
fn what_others_need_comes_first() {
    let target = apps(&[
        app("/a", &["/b"]),
        app("/b", &["/c"]),
        app("/c", &[]),
        app("/d", &[]),
    ]);
    let original = target.keys().map(|id| (id.clone(), None)).collect();
    let deployment = Deployment::new(
        "d".to_owned(),
        Timestamp(1),
        (original, target),
        Vec::new(),
        &Needs::new(),
    );
    assert_eq!(
        shown(&deployment),
        [
            vec![
                "StartApplication /a",
                "StartApplication /b",
                "StartApplication /c",
                "StartApplication /d"
            ],
            vec!["ScaleApplication /c", "ScaleApplication /d"],
            vec!["ScaleApplication /b"],
            vec!["ScaleApplication /a"],
        ]
    );
    let a = PathId::new("/a");
    assert!(matches!(deployment.turn(&a), Turn::Now(action) if action.kind == Kind::StartApplication));
}

#[test]
fn what_changes_is_restarted_scaled_or_stopped() {
    let (mut upgraded, mut scaled) = (app("/u", &[]), app("/s", &[]));
    let original = apps(&[
        upgraded.clone(),
        scaled.clone(),
        app("/x", &[]),
        app("/same", &[]),
    ]);
    upgraded.version_info.last_config_change_at = Timestamp(7);
    scaled.instances = 5;
    let mut target = apps(&[upgraded, scaled, app("/same", &[])]);
    target.insert(PathId::new("/x"), None);
    let deployment = Deployment::new(
        "d".to_owned(),
        Timestamp(1),
        (original, target),
        Vec::new(),
        &Needs::new(),
    );
    assert_eq!(
        shown(&deployment),
        [
            vec!["StopApplication /x"],
            vec!["ScaleApplication /s", "RestartApplication /u"],
        ]
    );
    assert!(deployment.locks(&PathId::new("/u")) && !deployment.locks(&PathId::new("/same")));
    assert_eq!(deployment.turn(&PathId::new("/u")), Turn::Before);
}

#[test]
fn circles_are_seen() {
    assert!(has_cycle(
        [app("/a", &["/b"]), app("/b", &["/a"])].iter(),
        &Needs::new()
    ));
    assert!(has_cycle([app("/a", &["/a"])].iter(), &Needs::new()));
    assert!(!has_cycle(
        [app("/a", &["/b"]), app("/b", &["/gone"])].iter(),
        &Needs::new()
    ));
}
