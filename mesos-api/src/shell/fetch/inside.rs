use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Component, Path, PathBuf},
};

/// Where `relative` is below `root`, its folders made. What leads out of `root` is refused, by links as well.
pub(super) fn place(root: &Path, relative: &str) -> io::Result<PathBuf> {
    let plain = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        _ => None,
    };
    let parts = Path::new(relative)
        .components()
        .filter(|part| *part != Component::CurDir);
    let parts: Option<Vec<_>> = parts.map(plain).collect();
    let parts = parts.ok_or_else(outside)?;
    let (name, folders) = parts.split_last().ok_or_else(outside)?;
    let root = fs::canonicalize(root)?;
    let mut at = root.clone();
    for folder in folders {
        at.push(folder);
        match fs::create_dir(&at) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => at = fs::canonicalize(&at)?,
        }
        if !at.starts_with(&root) {
            return Err(outside());
        }
    }
    Ok(at.join(name))
}

/// A new file, in place of whatever file or link had its name.
pub(super) fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(path)
}

fn outside() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the path leads out of its folder")
}
