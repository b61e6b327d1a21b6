use super::*;

#[test]
fn a_task_names_its_instance_and_app() {
    let app = PathId::new("/a/b.c");
    let id = Instance::id_of(&app, "4711-x");
    assert_eq!(id, "a_b.c.instance-4711-x");
    let task = format!("{id}{TASK_SUFFIX}");
    assert_eq!(task, "a_b.c.instance-4711-x._app.1");
    assert_eq!(Instance::of_task(&task), Some((app, id)));
    for odd in ["", "a", ".instance-", "a.instance", "é.instance-é"] {
        let _ = Instance::of_task(odd);
    }
}
