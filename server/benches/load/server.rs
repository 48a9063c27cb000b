//! The measured server, in a process of its own, and its resource usage.

use super::client::Client;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// A server is idle if it does nothing for this long.
const LOOK: Duration = Duration::from_secs(3);

/// A database of its own on the private PostgreSQL.
pub struct Database {
    /// The URL of the PostgreSQL server.
    pub server: String,
    name: String,
}

impl Database {
    /// Creates the database.
    pub fn new(server: String) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("load{}n{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let made = Self {
            server,
            name: name.clone(),
        };
        made.sql(&format!("CREATE DATABASE {name}"));
        made
    }

    /// The URL of the database.
    pub fn url(&self) -> String {
        self.server.replace("/postgres?", &format!("/{}?", self.name))
    }

    fn sql(&self, sql: &str) {
        let done = Command::new("psql")
            .args(["-q", "-d", &self.server, "-c", sql])
            .status();
        assert!(done.unwrap().success(), "{sql}");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.sql(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// A server with the sample's people.
pub struct Server {
    process: Child,
    /// The address on which it listens.
    pub address: SocketAddr,
    /// Its data and keys.
    pub data: tempfile::TempDir,
    database: Option<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A command on the data of a server.
fn command(data: &Path, database: Option<&String>, words: &[&str]) -> Command {
    // `NGOMON_PROGRAM` selects another program, such as that of an older commit, for the same requests.
    let program = std::env::var_os("NGOMON_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_ngomon").into());
    let mut command = Command::new(program);
    command.args(words).arg("--keys").arg(data.join("keys"));
    match database {
        Some(url) => command.args(["--database", url]),
        None => command.arg("--data").arg(data.join("data")),
    };
    command
}

impl Server {
    /// A command on the data of this server, while it runs.
    pub fn beside(&self, words: &[&str]) -> Command {
        command(self.data.path(), self.database.as_ref(), words)
    }

    /// The processor seconds used so far.
    pub fn processor(&self) -> f64 {
        processor(&self.process.id().to_string())
    }

    /// Waits until its background work is done, which would be counted as part of the requests: it wraps the hashes of other systems.
    pub async fn rest(&self) {
        loop {
            let before = self.processor();
            tokio::time::sleep(LOOK).await;
            if self.processor() - before < LOOK.as_secs_f64() / 50.0 {
                return;
            }
        }
    }

    /// A line of `/proc/PID/status`, in MiB.
    pub fn memory(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

/// The path of a file of the sample.
pub fn sample(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/sample")
        .join(file)
}

/// Imports the sample and starts the server. Also returns the seconds from the start to the first response.
pub async fn serve(database: Option<String>) -> (Server, f64) {
    let data = tempfile::tempdir().unwrap();
    let ngomon = |words: &[&str]| command(data.path(), database.as_ref(), words);
    for table in ["units", "registry", "citizens", "officials", "profiles", "notices"] {
        let file = sample(&format!("{table}.csv"));
        let mut words = vec!["import", table, file.to_str().unwrap(), "--as-of", "2023-07-31"];
        if table == "profiles" {
            words.push("--full");
        }
        let done = ngomon(&words).stdout(Stdio::null()).status().unwrap();
        assert!(done.success(), "{words:?}");
    }
    let begun = Instant::now();
    let mut process = ngomon(&["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = tokio::process::ChildStdout::from_std(process.stdout.take().unwrap()).unwrap();
    let mut lines = BufReader::new(said).lines();
    let port = loop {
        let line = lines.next_line().await.unwrap().expect("it opens");
        if let Some((_, rest)) = line.split_once("localhost:") {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            break digits.parse::<u16>().unwrap();
        }
    };
    let server = Server {
        process,
        address: SocketAddr::from(([127, 0, 0, 1], port)),
        data,
        database,
    };
    let answer = Client::new(server.address, 1).await.get("/sign-in", "").await;
    assert_eq!(answer.status, 200);
    (server, begun.elapsed().as_secs_f64())
}

/// The processor seconds used by a process.
pub fn processor(pid: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: f64 = after[11].parse::<f64>().unwrap() + after[12].parse::<f64>().unwrap();
    ticks / 100.0
}
