use super::Analysis;
use std::collections::BTreeMap;

fn analysed(options: &[(&str, &str)], value: &str) -> String {
    let options: BTreeMap<String, String> = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let analysis = Analysis::of(&options).expect("options that change something");
    String::from_utf8(analysis.apply(value.as_bytes()).into_owned()).unwrap()
}

#[test]
fn text_is_compared_as_its_index_says() {
    assert_eq!(
        analysed(&[("case_sensitive", "false")], "HeLLo \u{c4}"),
        "hello \u{e4}"
    );
    assert_eq!(analysed(&[("normalize", "true")], "e\u{301}"), "\u{e9}");
    assert_eq!(analysed(&[("ascii", "true")], "\u{e9}t\u{e9}"), "ete");
    assert_eq!(Analysis::of(&BTreeMap::new()), None);
}
