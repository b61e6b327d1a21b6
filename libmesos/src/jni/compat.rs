use std::{fmt::Write, fs, path::Path};

const NOTES: &str = include_str!("compat-notes.md");

/// Every file that exports functions.
const EXPORTS: [&str; 4] = [
    include_str!("scheduler/natives.rs"),
    include_str!("executor/natives.rs"),
    include_str!("library/natives.rs"),
    include_str!("native_library.rs"),
];

/// The exported natives, each by its class, its name and, where it is overloaded, its signature.
fn natives() -> Vec<(String, String)> {
    let attributes = EXPORTS
        .iter()
        .flat_map(|file| file.split("#[jni_mangle(").skip(1));
    let named = attributes.map(|attribute| {
        let inside = attribute.split(")]\n").next().unwrap();
        let mut texts = inside.split('"').skip(1).step_by(2).map(str::to_owned);
        (texts.next().unwrap(), texts.next().unwrap())
    });
    named.collect()
}

/// What `docs/compat/libmesos.md` says.
fn page() -> String {
    let natives = natives();
    let mut classes: Vec<&String> = natives.iter().map(|(class, _)| class).collect();
    classes.dedup();
    let mut out = "<!-- Written by `RECORD=1 cargo test -p libmesos compat`. Do not edit. -->\n\
        # libmesos.so\n\n\
        The library that `MESOS_NATIVE_JAVA_LIBRARY` names, for the `org.apache.mesos` jars 1.4 to 1.11. `make up` builds it \
        beside\nthe binary, as `release/libmesos.so` of the build's folder. It needs libc and nothing else. It speaks the v1 \
        HTTP API, and so\nserves smack and an original Mesos master.\n\n\
        | class of `org.apache.mesos` | natives |\n|---|---|\n"
        .to_owned();
    for class in classes {
        let mut names: Vec<&str> = natives
            .iter()
            .filter(|(of, _)| of == class)
            .map(|(_, name)| name.as_str())
            .collect();
        // An overloaded one stands next to itself.
        names.dedup();
        let class = class.trim_start_matches("org.apache.mesos.");
        let _ = writeln!(out, "| `{class}` | {} |", names.join(", "));
    }
    let _ = write!(out, "\n{NOTES}");
    out
}

#[test]
fn the_page_says_what_is_exported() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compat/libmesos.md");
    if std::env::var_os("RECORD").is_some() {
        fs::write(&path, page()).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        page(),
        "write it again with RECORD=1"
    );
}
