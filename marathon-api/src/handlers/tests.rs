use super::*;

#[test]
fn the_table_is_sorted() {
    let keys: Vec<_> = TABLE.iter().map(|line| (line.path, line.method)).collect();
    assert!(keys.is_sorted(), "{keys:?}");
}

#[test]
fn paths_find_their_lines() {
    for (method, path, line, id) in [
        ("GET", "/v2/apps", "/v2/apps", ""),
        ("GET", "/v2/apps//a/b/", "/v2/apps/{id+}", "a/b"),
        ("GET", "/v2/apps/a/tasks", "/v2/apps/{id+}/tasks", "a"),
        (
            "DELETE",
            "/v2/apps/a/b/tasks/t.1",
            "/v2/apps/{id+}/tasks/{task}",
            "a/b",
        ),
        (
            "GET",
            "/v2/apps/a/versions/v",
            "/v2/apps/{id+}/versions/{version}",
            "a",
        ),
        ("POST", "/v2/apps/a%2Fb/restart", "/v2/apps/{id+}/restart", "a/b"),
        ("HEAD", "/ping", "/ping", ""),
        ("GET", "/v2/apps/tasks", "/v2/apps/{id+}", "tasks"),
    ] {
        let (found, parts) = route::find(TABLE, method, path).unwrap();
        assert_eq!(
            (found.path, parts.get("id").map_or("", |id| id)),
            (line, id),
            "{path}"
        );
    }
    assert!(route::find(TABLE, "GET", "/v2").is_none());
    assert_eq!(route::methods(TABLE, "/v2/queue"), ["GET"]);
}
