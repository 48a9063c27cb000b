//! The layout of the crates: files import each other in no circle, and a folder of the store imports only those below it. Its folders stand
//! here from the lowest to the highest, so that a reader knows where to begin.

#![allow(clippy::unwrap_used, reason = "a test stops at the first fault")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The folders and files at the top of the store, from the lowest to the highest.
const STORE: &[&str] = &[
    "environment",
    "crypto",
    "error",
    "private",
    "rights",
    "db",
    "context",
    "journal",
    "tables",
    "projections",
    "store",
    "notifications",
    "unit_of_work",
    "reporting",
    "sandbox",
    "sessions",
    "settings",
    "loads",
    "authentication",
    "openid",
    "officials",
    "citizens",
    "accounts",
    "maintenance",
    "lib",
];

/// The longest file of the store, in lines.
const LONGEST: usize = 500;
/// The most files and folders at the top of the store.
const WIDEST: usize = 25;

/// A module: a file of a crate.
struct Module {
    /// The text without comments and tests.
    text: String,
    /// The names that its `use` lines bring in, with the path of each from the root of the crate.
    imports: BTreeMap<String, Vec<String>>,
}

/// The modules of a crate by their paths, and the arrows between them.
struct Layout {
    modules: BTreeMap<Vec<String>, Module>,
}

fn without_comments(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The leaves of a `use` tree, as paths.
fn leaves(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.split("::").map(|name| name.trim().to_owned()).collect()];
    };
    let head: Vec<String> = head
        .split("::")
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let (mut depth, mut part, mut parts) = (0, String::new(), Vec::new());
    for letter in rest.chars() {
        match letter {
            '}' if depth == 0 => break,
            ',' if depth == 0 => parts.push(std::mem::take(&mut part)),
            _ => {
                depth += i32::from(letter == '{') - i32::from(letter == '}');
                part.push(letter);
            }
        }
    }
    parts.push(part);
    let named = parts.iter().filter(|part| !part.trim().is_empty());
    named
        .flat_map(|part| leaves(part))
        .map(|leaf| [head.clone(), leaf].concat())
        .collect()
}

impl Layout {
    fn read(root: &Path) -> Self {
        let mut layout = Self {
            modules: BTreeMap::new(),
        };
        layout.add(root, &[]);
        let known: BTreeSet<Vec<String>> = layout.modules.keys().cloned().collect();
        for (path, module) in &mut layout.modules {
            let text = module.text.clone();
            for tree in text.split("use ").skip(1).filter_map(|rest| rest.split(';').next()) {
                for leaf in leaves(tree) {
                    let name = leaf.last().cloned().unwrap_or_default();
                    if let Some(target) = absolute(path, &leaf, &known) {
                        module.imports.insert(name, target);
                    }
                }
            }
        }
        layout
    }

    fn add(&mut self, dir: &Path, path: &[String]) {
        for entry in fs::read_dir(dir).unwrap() {
            let file = entry.unwrap().path();
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            if name == "tests" || name == "main" {
                continue;
            }
            let below = [path, std::slice::from_ref(&name)].concat();
            if file.is_dir() {
                self.add(&file, &below);
            } else if file.extension().is_some_and(|extension| extension == "rs") {
                let path = if ["mod", "lib"].contains(&&*name) {
                    path.to_vec()
                } else {
                    below
                };
                let text = without_comments(&fs::read_to_string(&file).unwrap());
                let imports = BTreeMap::new();
                self.modules.insert(path, Module { text, imports });
            }
        }
    }

    /// The module that a path leads to: its own, or the one from which its parent exports it again.
    fn module_of(&self, path: &[String], depth: usize) -> Option<Vec<String>> {
        if self.modules.contains_key(path) {
            return Some(path.to_vec());
        }
        let (at, module) = (0..path.len())
            .rev()
            .find_map(|n| self.modules.get_key_value(&path[..n]))?;
        let name = &path[at.len()];
        match module.imports.get(name) {
            Some(target) if depth < 8 && target != path => self.module_of(target, depth + 1),
            // What the root itself imports is another crate's.
            _ => Some(at.clone()).filter(|at| !at.is_empty()),
        }
    }

    /// The arrows from each module to those whose items it names, each with one of these items.
    fn arrows(&self) -> BTreeMap<&Vec<String>, BTreeMap<Vec<String>, String>> {
        let known: BTreeSet<Vec<String>> = self.modules.keys().cloned().collect();
        let mut arrows: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (from, module) in &self.modules {
            let named = module.imports.values().cloned();
            let in_code = module.text.split("crate::").skip(1).map(|rest| {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
                let path = rest[..end.unwrap_or(rest.len())].trim_end_matches(':');
                path.split("::").map(str::to_owned).collect::<Vec<_>>()
            });
            for target in named.chain(in_code.filter(|path| known.contains(&path[..1]))) {
                // A module lists its children and exports their items: that is no import.
                let of_child = target.starts_with(from) && target.len() > from.len();
                let to = self.module_of(&target, 0).filter(|to| to != from && !of_child);
                if let Some(to) = to {
                    arrows.entry(from).or_default().insert(to, target.join("::"));
                }
            }
        }
        arrows
    }
}

/// A path of a `use` line from the root of the crate. `None` if it is another crate's.
fn absolute(module: &[String], leaf: &[String], known: &BTreeSet<Vec<String>>) -> Option<Vec<String>> {
    let first = leaf.first()?.as_str();
    match first {
        "crate" => Some(leaf[1..].to_vec()),
        "self" => Some([module, &leaf[1..]].concat()),
        "super" => Some([&module[..module.len().checked_sub(1)?], &leaf[1..]].concat()),
        _ => {
            let child = [module, &leaf[..1]].concat();
            known.contains(&child).then(|| [module, leaf].concat())
        }
    }
}

/// The arrows between modules that stand in circles, or between circles. A module without arrows to the others is in none.
fn circles(arrows: &BTreeMap<&Vec<String>, BTreeMap<Vec<String>, String>>) -> Vec<String> {
    let mut left: BTreeSet<&Vec<String>> = arrows.keys().copied().collect();
    loop {
        let ends: Vec<_> = left
            .iter()
            .filter(|module| !arrows[**module].keys().any(|to| left.contains(to)))
            .copied()
            .collect();
        if ends.is_empty() {
            break;
        }
        left.retain(|module| !ends.contains(module));
    }
    let among = |module: &&Vec<String>| {
        let inner = arrows[*module].iter().filter(|(to, _)| left.contains(to));
        let from = module.join("::");
        inner
            .map(|(to, item)| format!("{from} -> {}: {item}", to.join("::")))
            .collect::<Vec<_>>()
    };
    left.iter().flat_map(among).collect()
}

/// The arrows that lead to a higher folder, or to one that is not in the list.
fn upward(arrows: &BTreeMap<&Vec<String>, BTreeMap<Vec<String>, String>>, floors: &[&str]) -> Vec<String> {
    let floor = |module: &[String]| {
        let top = module.first().map_or("lib", String::as_str);
        floors.iter().position(|name| *name == top)
    };
    let mut found = Vec::new();
    for (from, targets) in arrows {
        for (to, item) in targets {
            if floor(to) > floor(from) || floor(from).is_none() || floor(to).is_none() {
                found.push(format!("{} -> {}: {item}", from.join("::"), to.join("::")));
            }
        }
    }
    found
}

fn read(name: &str) -> Layout {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
    Layout::read(&root)
}

#[test]
fn files_import_each_other_in_no_circle() {
    for name in ["rules", "feeds", "store", "server"] {
        let layout = read(name);
        let arrows = layout.arrows();
        assert!(arrows.len() > 5, "{name}: the files are read");
        let circles = circles(&arrows);
        assert!(
            circles.is_empty(),
            "{name}: files import each other in a circle:\n{}",
            circles.join("\n")
        );
    }
}

#[test]
fn store_folders_import_only_those_below() {
    let layout = read("store");
    let upward = upward(&layout.arrows(), STORE);
    assert!(
        upward.is_empty(),
        "imports from a folder above, or from one that is not in the list:\n{}",
        upward.join("\n")
    );
}

#[test]
fn store_has_short_files_and_a_short_top() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/src");
    let top = fs::read_dir(&root).unwrap().count();
    assert!(top <= WIDEST, "{top} files and folders at the top of the store");
    let mut dirs = vec![root];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let lines = fs::read_to_string(&path).unwrap().lines().count();
                assert!(lines <= LONGEST, "{}: {lines} lines", path.display());
            }
        }
    }
}
