//! The test fixture of the program: a process, with a fresh directory or a fresh PostgreSQL database.

#![allow(dead_code, reason = "each test binary uses a part")]

use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use tempfile::TempDir;

/// The database of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Sqlite,
    Postgres,
}

/// A temporary installation.
pub struct Ngomon {
    pub dir: TempDir,
    database: Option<String>,
    /// The port of the proxy between the server and PostgreSQL.
    pub through: Option<u16>,
}

/// A process that is killed at the end of its test, whatever the result.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Sends the stop signal through a shell, because not every machine has the program `kill`.
    pub fn tell_to_stop(&self) {
        let told = Command::new("sh")
            .args(["-c", "kill $0", &self.id().to_string()])
            .status();
        assert!(told.unwrap().success());
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A process that has exited cannot be killed.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The URL of the private PostgreSQL that `cargo xtask test` starts.
pub fn postgres() -> String {
    std::env::var("NGOMON_TEST_POSTGRES").expect("no PostgreSQL: run the tests by `cargo xtask test`")
}

fn psql(database: &str, sql: &str) -> String {
    let url = postgres().replace("/postgres?", &format!("/{database}?"));
    let out = Command::new("psql")
        .args([&url, "-qAt", "-v", "ON_ERROR_STOP=1", "-c", sql])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Runs a query; returns a line per row with `|` between its cells, as psql prints them.
fn sqlite(file: &Path, sql: &str) -> String {
    let database = Connection::open(file).unwrap();
    let mut statement = database.prepare(sql).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut text = String::new();
    while let Some(row) = rows.next().unwrap() {
        let cells: Vec<String> = (0..columns).map(|at| shown(row.get(at).unwrap())).collect();
        text += &format!("{}\n", cells.join("|"));
    }
    text
}

fn shown(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text,
        Value::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

impl Ngomon {
    pub fn new(on: On) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = (on == On::Postgres).then(|| {
            let name = database_name(dir.path());
            psql("postgres", &format!("CREATE DATABASE {name}"));
            name
        });
        Self {
            dir,
            database,
            through: None,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Creates a file in the directory.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ngomon"));
        command.args(words.split_whitespace()).env("LC_ALL", "vi_VN.UTF-8");
        match &self.database {
            None => command.arg("--data").arg(self.path("data")),
            Some(_) => command
                .arg("--database")
                .arg(self.database_url())
                .arg("--keys")
                .arg(self.path("keys")),
        };
        command
    }

    /// The URL of its PostgreSQL database.
    pub fn database_url(&self) -> String {
        let name = self.database.as_ref().expect("on PostgreSQL");
        match self.through {
            Some(port) => format!("postgres://postgres@127.0.0.1:{port}/{name}?sslmode=disable"),
            None => postgres().replace("/postgres?", &format!("/{name}?")),
        }
    }

    pub fn run(&self, words: &str) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs a command and asserts its exit status; returns standard output followed by standard error.
    pub fn ends(&self, status: i32, words: &str) -> String {
        let out = self.run(words);
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr)
        );
        assert_eq!(out.status.code(), Some(status), "ngomon {words}\n{text}");
        text
    }

    pub fn ok(&self, words: &str) -> String {
        self.ends(0, words)
    }

    /// Imports all tables of a fixture set.
    pub fn import_all(&self, set: &str, day: &str) {
        let files = fixtures(set);
        for table in ["units", "registry", "citizens", "officials", "profiles", "notices"] {
            let full = if table == "profiles" { "--full" } else { "" };
            self.ok(&format!(
                "import {table} {}/{table}.csv {full} --as-of {day}",
                files.display()
            ));
        }
    }

    /// Runs SQL directly on the database.
    pub fn sql(&self, sql: &str) -> String {
        match &self.database {
            Some(name) => psql(name, sql),
            None => sqlite(&self.path("data/ngomon.db"), sql),
        }
    }
}

impl Drop for Ngomon {
    fn drop(&mut self) {
        if let Some(name) = &self.database {
            psql("postgres", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

/// Letters and digits that no other test has.
fn database_name(dir: &Path) -> String {
    let name = dir.file_name().unwrap().to_string_lossy().to_lowercase();
    let own: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("t{}{own}", std::process::id())
}

pub fn fixtures(set: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(set)
}

/// The rest of the line that starts with `word: `.
pub fn after<'a>(text: &'a str, word: &str) -> &'a str {
    let found = text
        .lines()
        .find_map(|line| line.strip_prefix(word)?.strip_prefix(": "));
    found.unwrap_or_else(|| panic!("no {word} in {text}"))
}

/// The rows of a CSV file by their first cell.
pub fn lines(bytes: &[u8]) -> BTreeMap<String, Vec<String>> {
    let mut reader = csv::Reader::from_reader(bytes);
    let rows = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
    rows.map(|row| (row[0].clone(), row[1..].to_vec())).collect()
}

/// Asserts that a table equals its known answer. The words of a cell are a set, `*` matches anything, `a|b` either.
pub fn same(answer: &[u8], mine: &[u8], what: &str) {
    let heading = |bytes: &[u8]| String::from_utf8(bytes.split(|b| *b == b'\n').next().unwrap().to_vec());
    assert_eq!(heading(answer), heading(mine), "{what}");
    let (key, mine) = (lines(answer), lines(mine));
    let set = |text: &str| text.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
    let cells = |a: &str, b: &str| a == "*" || a.split('|').any(|a| set(a) == set(b));
    for (id, row) in &key {
        let found = mine.get(id).unwrap_or_else(|| panic!("{what}: no line {id}"));
        assert!(
            row.iter().zip(found).all(|(a, b)| cells(a, b)),
            "{what} {id}: {row:?}, found {found:?}"
        );
    }
    // Accounts that the program created are not in the answer.
    let more: Vec<_> = mine
        .keys()
        .filter(|id| !key.contains_key(*id) && !id.starts_with("CV-"))
        .collect();
    assert!(more.is_empty(), "{what}: lines too many: {more:?}");
    assert!(!key.is_empty(), "{what}: no answers");
}
