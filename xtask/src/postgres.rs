//! The verb `cargo xtask postgres`: a private PostgreSQL for the time a command runs. Other verbs use it too.

use crate::machine::{self, POSTGRESQL, is_root};
use crate::{Fault, Outcome, exit_code, forwarded, status};
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

/// The directory of Debian's server binaries, with one directory per version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// A script that creates a cluster, starts it, prints its directory, and keeps it until standard input ends. Then it stops the server and
/// removes everything. Arguments: directory of the binaries, fsync `on` or `off`, directory for temporary files.
///
/// Standard input is the lifeline: it ends when xtask closes it and also when xtask is killed, so that nothing is left behind either way.
/// Settings are in the file, not on the command line, so that `ALTER SYSTEM` can change them.
const KEEPER: &str = r#"
set -eu
bin=$1 fsync=$2
# A place for temporary files may be somebody's own, and not this user's.
for tmp in "$3" /tmp /var/tmp; do [ ! -w "$tmp" ] || break; done
case $tmp in *[!A-Za-z0-9/._-]*) echo "the path $tmp has characters that a socket address cannot have" >&2; exit 1 ;; esac
trap '' PIPE
trap 'exit 1' HUP INT TERM
dir=$(mktemp -d "$tmp/ngomon-postgres.XXXXXX")
stop() {
    trap '' HUP INT TERM
    if [ -e "$dir/started" ] && ! "$bin/pg_ctl" stop -s -D "$dir/data" -m immediate -t 60 2>/dev/null; then
        echo "PostgreSQL ended before it was told to:" >&2
        tail -n 20 "$dir/server.log" >&2
    fi
    rm -rf "$dir"
}
trap stop EXIT
fail() { echo "$1:" >&2; shift; tail -n 20 "$@" >&2; exit 1; }
"$bin/initdb" -D "$dir/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync \
    >"$dir/initdb.log" 2>&1 || fail "initdb does not work" "$dir/initdb.log"
cat >>"$dir/data/postgresql.conf" <<END
listen_addresses = ''
port = 5432
unix_socket_directories = '$dir'
max_connections = 200
fsync = $fsync
END
"$bin/pg_ctl" start -w -t 60 -s -D "$dir/data" -l "$dir/server.log" 2>"$dir/start.log" ||
    fail "PostgreSQL does not start" "$dir/start.log" "$dir/server.log"
: >"$dir/started"
echo "$dir"
read -r _ || :
"#;

/// Runs a command with a private PostgreSQL and passes on its exit status.
pub fn run(args: &[OsString]) -> Outcome {
    let (fsync, rest) = match args {
        [first, rest @ ..] if first == "--fsync" => (Fsync::On, rest),
        _ => (Fsync::Off, args),
    };
    let Some((program, program_args)) = forwarded(rest).split_first() else {
        return Err(Fault::Usage("postgres: which command?".to_owned()));
    };
    if program.as_encoded_bytes().starts_with(b"-") {
        return Err(Fault::Usage(format!("postgres: no such option: {}", program.display())));
    }
    let cluster = Cluster::start(fsync)?;
    let mut command = Command::new(program);
    command.args(program_args).env("PGHOST", &cluster.directory);
    command.envs([("PGPORT", "5432"), ("PGUSER", "postgres"), ("PGDATABASE", "postgres")]);
    Ok(exit_code(status(cluster.lend(&mut command))?))
}

/// Whether the server waits until its writes are on disk.
#[derive(Clone, Copy)]
pub enum Fsync {
    On,
    Off,
}

/// A private PostgreSQL on a socket in a fresh directory. It is removed when this value is dropped, or when xtask is killed.
pub struct Cluster {
    keeper: Child,
    directory: String,
}

impl Cluster {
    /// Installs the server if necessary, creates a cluster and waits until it accepts connections.
    pub fn start(fsync: Fsync) -> Result<Self, String> {
        machine::have(&[POSTGRESQL])?;
        let binaries = binaries().ok_or_else(|| format!("there is no PostgreSQL server in {VERSIONS}"))?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", KEEPER, "keeper"]).arg(binaries).arg(match fsync {
            Fsync::On => "on",
            Fsync::Off => "off",
        });
        // A separate process group: Ctrl-C must not reach the server before xtask has ended.
        command.arg(env::temp_dir()).current_dir("/").process_group(0);
        command.env_clear().envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if is_root()? {
            let (user, group) = unprivileged_user()?;
            command.uid(user).gid(group);
        }
        let keeper = command
            .spawn()
            .map_err(|error| format!("cannot start /bin/sh: {error}"))?;
        let mut cluster = Self {
            keeper,
            directory: String::new(),
        };
        if let Some(output) = cluster.keeper.stdout.take() {
            let read = BufReader::new(output).read_line(&mut cluster.directory);
            read.map_err(|error| format!("no word from PostgreSQL: {error}"))?;
        }
        cluster.directory.truncate(cluster.directory.trim_end().len());
        if cluster.directory.is_empty() {
            return Err("the private PostgreSQL did not start, the reason stands above".to_owned());
        }
        Ok(cluster)
    }

    /// Passes the address of this cluster to a command.
    pub fn lend<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let url = format!("postgres://postgres@localhost:5432/postgres?host={}", self.directory);
        command.env("NGOMON_TEST_POSTGRES", url)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // `wait` closes the keeper's standard input first, which tells it to stop.
        if let Err(error) = self.keeper.wait() {
            eprintln!("xtask: cannot wait for PostgreSQL to stop: {error}");
        }
    }
}

/// The directory of the server's binaries.
pub fn binaries() -> Option<PathBuf> {
    newest(Path::new(VERSIONS))
}

/// The `bin` directory of the newest version that has a server.
fn newest(versions: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(versions).ok()?.flatten();
    let servers = entries.filter(|entry| entry.path().join("bin/initdb").is_file());
    let newest = servers.max_by_key(|entry| version(&entry.file_name().to_string_lossy()))?;
    Some(newest.path().join("bin"))
}

/// A version as numbers, so that 15 is newer than 9.6.
fn version(name: &str) -> Vec<u32> {
    name.split('.').map_while(|part| part.parse().ok()).collect()
}

/// User and group under which root runs the server, which refuses to run as root: `postgres`, otherwise `nobody`.
fn unprivileged_user() -> Result<(u32, u32), String> {
    let passwd = fs::read_to_string("/etc/passwd").map_err(|error| format!("cannot read /etc/passwd: {error}"))?;
    let found = user(&passwd, "postgres").or_else(|| user(&passwd, "nobody"));
    found.ok_or_else(|| "PostgreSQL refuses root, and there is neither a user postgres nor nobody".to_owned())
}

fn user(passwd: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = passwd
        .lines()
        .map(|line| line.split(':'))
        .find(|fields| fields.clone().next() == Some(name))?;
    Some((fields.nth(2)?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Versions of PostgreSQL are compared as numbers.
    #[test]
    fn postgres_versions_compared_as_numbers() {
        assert!(version("15") > version("9.6"));
        assert!(version("9.10") > version("9.6"));
        assert!(version("9.6") > version("common"));
    }

    #[test]
    fn users_are_found_by_their_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nnobody2:x:7:8::/:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n";
        assert_eq!(user(passwd, "nobody"), Some((65534, 65533)));
        assert_eq!(user(passwd, "postgres"), None);
    }
}
