//! The verb `cargo xtask licences`: writes THIRD-PARTY.txt, the notices of all third-party work that the program contains.

use crate::{Fault, Outcome, cargo, root};
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const FILE: &str = "THIRD-PARTY.txt";
/// The parts of the pages, whose notices are in `web/licences/`.
const PAGES: [(&str, &str, &str); 6] = [
    ("Be Vietnam Pro", "OFL-1.1", "be-vietnam-pro.txt"),
    ("Apache ECharts", "Apache-2.0", "echarts.txt"),
    ("d3, within Apache ECharts", "BSD-3-Clause", "echarts-d3.txt"),
    ("zrender", "BSD-3-Clause", "zrender.txt"),
    ("tslib", "0BSD", "tslib.txt"),
    ("govuk-frontend", "MIT", "govuk-frontend.txt"),
];

pub fn run(args: &[OsString]) -> Outcome {
    if !args.is_empty() {
        return Err(Fault::Usage("licences takes no arguments".into()));
    }
    let path = root().join(FILE);
    fs::write(&path, notices()?).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Names and versions of the crates that the program contains, each with its licence.
fn crates() -> Result<BTreeSet<(String, String)>, String> {
    let tree = [
        "tree",
        "--offline",
        "--package=ngomon",
        "--edges=normal",
        "--target=x86_64-unknown-linux-gnu",
        "--prefix=none",
        "--no-dedupe",
        "--format={p}|{l}",
    ];
    let output = cargo(&tree).output().map_err(|error| format!("cargo tree: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter_map(|line| line.split_once('|'));
    // Crates of this workspace have a path after their version.
    let theirs = lines.filter(|(package, _)| !package.contains(root().to_string_lossy().as_ref()));
    let named = theirs.map(|(package, licence)| {
        let mut words = package.split(' ');
        let (name, version) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        (
            format!("{name}-{}", version.trim_start_matches('v')),
            licence.to_owned(),
        )
    });
    Ok(named.collect())
}

fn sources() -> Result<Vec<PathBuf>, String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let registry = home.ok_or("no CARGO_HOME")?.join("registry/src");
    let entries = fs::read_dir(&registry).map_err(|error| format!("{}: {error}", registry.display()))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

/// The notices beside a crate's sources.
fn texts(source: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(source).map_err(|error| format!("{}: {error}", source.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        let begins = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
        path.is_file() && begins.iter().any(|begin| name.starts_with(begin))
    });
    paths.sort();
    let read = |path: &PathBuf| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let texts = paths
        .iter()
        .map(|path| read(path).map(|text| plain(&String::from_utf8_lossy(&text))));
    texts.collect()
}

/// Removes carriage returns and trailing white space, so that equal texts compare equal.
fn plain(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

fn notices() -> Result<String, String> {
    let (crates, sources) = (crates()?, sources()?);
    let mut list = "NgoMon contains what others wrote. What it is, and under which terms:\n\n".to_owned();
    let mut by_text: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, licence, file) in &PAGES {
        let path = root().join("web/licences").join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        by_text.entry(plain(&text)).or_default().push(name);
        // Writing to a String cannot fail.
        let _ = writeln!(list, "{name} ({licence})");
    }
    for (name, licence) in &crates {
        let source = sources.iter().map(|of| of.join(name)).find(|source| source.is_dir());
        let source = source.ok_or_else(|| format!("no source of {name}: build the program first"))?;
        for text in texts(&source)? {
            by_text.entry(text).or_default().push(name);
        }
        let _ = writeln!(list, "{name} ({licence})");
    }
    let mut parts: Vec<(Vec<&str>, String)> = by_text.into_iter().map(|(text, of)| (of, text)).collect();
    parts.sort();
    for (of, text) in parts {
        let _ = write!(list, "\n{}\n{}\n\n{text}\n", "=".repeat(100), of.join(", "));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// THIRD-PARTY.txt contains the notices of the present dependencies.
    #[test]
    fn third_party_notices_match_dependencies() {
        let kept = fs::read_to_string(root().join(FILE)).unwrap();
        let now = notices().unwrap();
        let differs = kept.lines().zip(now.lines()).find(|(kept, now)| kept != now);
        assert!(kept == now, "run `cargo xtask licences`: {differs:?}");
    }
}
