//! The dependencies of each crate: what a manifest lists is named in the crate's sources. An unused one costs every build.

#![allow(clippy::unwrap_used, reason = "a test stops at the first fault")]

use std::fs;
use std::path::Path;

/// All Rust sources below a directory, as one text.
fn sources(dir: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") {
                text += &sources(&path);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &fs::read_to_string(path).unwrap();
        }
    }
    text
}

/// The names in the sections of dependencies of a manifest.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut here = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            here = line.ends_with("dependencies]");
        } else if here
            && !line.starts_with('#')
            && let Some((name, _)) = line.split_once(['.', ' ', '='])
        {
            found.push(name.to_owned());
        }
    }
    found
}

#[test]
fn listed_dependencies_are_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut wanted = dependencies(&fs::read_to_string(root.join("Cargo.toml")).unwrap());
    for name in ["rules", "feeds", "store", "server", "xtask"] {
        let manifest = fs::read_to_string(root.join(name).join("Cargo.toml")).unwrap();
        let text = sources(&root.join(name));
        let listed = dependencies(&manifest);
        wanted.retain(|one| !listed.contains(one));
        let unused = listed.iter().filter(|one| {
            let path = format!("{}::", one.replace('-', "_"));
            !text.contains(&path)
        });
        let unused: Vec<_> = unused.collect();
        assert!(
            unused.is_empty(),
            "{name}/Cargo.toml lists what no source names: {unused:?}"
        );
        assert!(name == "xtask" || listed.len() > 3, "{name}: the manifest is read");
    }
    assert!(wanted.is_empty(), "Cargo.toml lists what no crate lists: {wanted:?}");
}
