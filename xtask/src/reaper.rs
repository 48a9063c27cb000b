//! The reaper: ends and removes whatever a verb leaves behind, however the verb ends.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::{env, fs};

/// A script that creates a directory for temporary files and prints its name. For each line that it reads, it ends the processes that have
/// that directory in their environment, empties the directory, and prints what it ended or removed: a line each, then an empty line. When
/// its input ends, it does so once more and exits.
///
/// Standard input is the lifeline: it ends when xtask closes it and also when xtask is killed. Argument: the parent directory for temporary
/// files.
const REAPER: &str = r#"
set -u
trap '' HUP INT TERM PIPE
dir=$(mktemp -d "$1/ngomon.XXXXXX") || exit 1
# Others may pass through: Apache's workers are another user.
chmod 711 "$dir"
sweep() {
    said=
    looks=0
    # A process that is just becoming another program has no environment for a moment: one look is not enough.
    while [ "$looks" -lt 2 ]; do
        found=$(grep -lszxF "TMPDIR=$dir" /proc/[0-9]*/environ)
        [ -n "$found" ] || { looks=$((looks + 1)); sleep 0.1; continue; }
        looks=0
        for process in $found; do
            process=${process%/environ}
            [ -n "$said" ] || printf 'the process %s\n' "$(tr '\0' ' ' <"$process/cmdline")"
            kill -KILL "${process#/proc/}"
        done 2>/dev/null
        said=yes
    done
    for entry in "$dir"/* "$dir"/.[!.]*; do
        [ ! -e "$entry" ] || printf '%s\n' "$entry"
        rm -rf "$entry"
    done
    echo
}
echo "$dir"
while read -r _; do sweep; done
sweep >/dev/null
rmdir "$dir"
"#;

/// Tracks the processes and temporary files of a verb.
pub struct Reaper {
    process: Child,
    said: BufReader<ChildStdout>,
    directory: PathBuf,
}

impl Reaper {
    pub fn start() -> Result<Self, String> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", REAPER, "reaper"]).arg(temporary(&env::temp_dir()));
        // A separate process group: after Ctrl-C the reaper must still clean up.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command
            .spawn()
            .map_err(|error| format!("cannot start /bin/sh: {error}"))?;
        let output = process.stdout.take().ok_or("the reaper has no output")?;
        let mut reaper = Self {
            process,
            said: BufReader::new(output),
            directory: PathBuf::new(),
        };
        reaper.directory = reaper.line()?.into();
        Ok(reaper)
    }

    /// Lets the reaper track a command and everything that it starts.
    pub fn lend<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("TMPDIR", &self.directory)
    }

    /// As `lend`, for commands that start a browser, which also leaves files in the home directory.
    pub fn lend_home<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for place in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env_remove(place);
        }
        self.lend(command).env("HOME", &self.directory)
    }

    /// Ends and removes what the tracked commands left. Returns what it was.
    pub fn sweep(&mut self) -> Result<Vec<String>, String> {
        let input = self.process.stdin.as_mut().ok_or("the reaper has no input")?;
        input
            .write_all(b"\n")
            .map_err(|error| format!("the reaper is gone: {error}"))?;
        let mut left = Vec::new();
        loop {
            match self.line()? {
                line if line.is_empty() => return Ok(left),
                line => left.push(line),
            }
        }
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.said.read_line(&mut line) {
            Ok(0) => Err("no word from the reaper, the reason stands above".to_owned()),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(error) => Err(format!("no word from the reaper: {error}")),
        }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        // `wait` closes the reaper's standard input first, which tells it to stop.
        if let Err(error) = self.process.wait() {
            eprintln!("xtask: cannot wait for the reaper: {error}");
        }
    }
}

/// The directory for temporary files, if every user can enter it; some systems have one for each user. Otherwise `/tmp`.
fn temporary(own: &Path) -> PathBuf {
    let open = |path: &Path| fs::metadata(path).is_ok_and(|about| about.mode() & 0o001 != 0);
    let is_open = own.is_absolute() && own.ancestors().all(open);
    if is_open { own.to_owned() } else { "/tmp".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::process::ExitStatusExt;

    /// Writes a file, starts a child in a separate session, and waits for ever. Prints a line once it has started.
    const STRAY: &str = ": >\"$TMPDIR/file\"; setsid sleep 1000 & echo begun; wait";

    fn stray(reaper: &Reaper) -> Child {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", STRAY]).stdout(Stdio::piped());
        let mut stray = reaper.lend(&mut command).spawn().unwrap();
        let mut begun = [0; 6];
        stray.stdout.as_mut().unwrap().read_exact(&mut begun).unwrap();
        stray
    }

    /// Checks that the stray and its child have ended: nobody holds the stray's output open.
    fn has_ended(mut stray: Child) {
        assert_eq!(stray.wait().unwrap().signal(), Some(9));
        let mut rest = String::new();
        stray.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
    }

    /// Leftover processes and files are ended, removed and reported.
    #[test]
    fn leftover_processes_and_files_removed_and_reported() {
        let mut reaper = Reaper::start().unwrap();
        assert_eq!(reaper.sweep().unwrap(), Vec::<String>::new());
        let stray = stray(&reaper);
        let left = reaper.sweep().unwrap();
        has_ended(stray);
        assert!(
            left.iter()
                .any(|what| what.contains("setsid sleep 1000") || what.contains("sleep 1000"))
        );
        assert!(
            left.contains(&reaper.directory.join("file").display().to_string()),
            "{left:?}"
        );
        assert_eq!(reaper.sweep().unwrap(), Vec::<String>::new());
    }

    /// Nothing is left over after xtask is killed.
    #[test]
    fn leftovers_removed_after_xtask_is_killed() {
        let mut reaper = Reaper::start().unwrap();
        let stray = stray(&reaper);
        // The same happens when xtask is killed: the lifeline is cut without any other message.
        drop(reaper.process.stdin.take());
        reaper.process.wait().unwrap();
        has_ended(stray);
        assert!(!reaper.directory.exists());
    }

    /// A directory that other users cannot enter is not used for temporary files.
    #[test]
    fn private_directory_not_used_for_temporary_files() {
        let mut reaper = Reaper::start().unwrap();
        let own = reaper.directory.join("own");
        fs::create_dir(&own).unwrap();
        let mode = |bits| fs::set_permissions(&own, std::os::unix::fs::PermissionsExt::from_mode(bits)).unwrap();
        mode(0o700);
        assert_eq!(temporary(&own), Path::new("/tmp"));
        mode(0o711);
        assert_eq!(temporary(&own), own);
        reaper.sweep().unwrap();
    }
}
