//! The comments of the program are read by newcomers: a few habits that stop them do not come back.

#![allow(clippy::unwrap_used, reason = "a test stops at the first fault")]

use std::fs;
use std::path::{Path, PathBuf};

/// Circumlocutions, each with what is written instead.
const PHRASES: [(&str, &str); 5] = [
    ("so many", "name the unit and the meaning"),
    ("; none:", "`None` if …"),
    (" anew", "again"),
    ("of before", "previous"),
    (" any more", "no longer"),
];

/// Documentation that is a question word alone: it answers a question that nobody printed.
const QUESTIONS: [&str; 10] = [
    "Which.",
    "What.",
    "What kind.",
    "Who.",
    "Whose.",
    "When.",
    "Where.",
    "Why.",
    "How many.",
    "How often.",
];

/// Every Rust file of the workspace.
fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The faults of one file, as `LINE: what to write`.
fn faults(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix("//") else {
            continue;
        };
        for (phrase, instead) in PHRASES {
            if comment.contains(phrase) {
                found.push(format!("{}: \"{}\": {instead}", at + 1, phrase.trim()));
            }
        }
        let doc = comment.trim_start_matches(['/', '!']).trim();
        if QUESTIONS.contains(&doc) {
            found.push(format!("{}: \"{doc}\": say what it is", at + 1));
        }
    }
    found
}

/// The comments of the workspace contain none of the phrases.
#[test]
fn workspace_comments_contain_no_banned_phrases() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut files);
    assert!(files.len() > 200, "{} files", files.len());
    let mut found = Vec::new();
    // This file names the phrases.
    for path in files.iter().filter(|path| !path.ends_with("xtask/tests/comments.rs")) {
        let text = fs::read_to_string(path).unwrap();
        found.extend(faults(&text).iter().map(|fault| format!("{}:{fault}", path.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Phrases and fragments are detected.
#[test]
fn banned_phrases_and_fragments_are_detected() {
    assert_eq!(
        faults("/// Ends after so many seconds."),
        ["1: \"so many\": name the unit and the meaning"]
    );
    assert_eq!(faults("    /// Which.\n    id: u8,"), ["1: \"Which.\": say what it is"]);
    assert!(faults("/// The account of a session.\n/// Always there.\nlet text = \"so many\";").is_empty());
}
