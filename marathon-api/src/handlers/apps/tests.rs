use super::*;

#[test]
fn labels_select() {
    let mut app = App::named(PathId::new("/a"));
    app.labels.insert("env".to_owned(), "prod".to_owned());
    for (text, takes) in [
        ("env", true),
        ("other", false),
        ("env==prod", true),
        ("env!=prod", false),
        ("other!=x", true),
        ("env in (test, prod)", true),
        ("env notin (test,prod)", false),
        ("env==prod,other", false),
        ("env in (a,b),env", false),
        ("", true),
    ] {
        let all = selectors(text);
        assert_eq!(all.iter().all(|one| one.takes(&app)), takes, "{text}");
    }
}
