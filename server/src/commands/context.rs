//! What the verbs of the command line share: the opened store, the actor, the output.

use crate::cli::args::PlaceArgs;
use crate::cli::error_text::{CommandError, Result};
use crate::cli::stdout::{Stdout, print};
use crate::export::{Format, Table, write_file};
use crate::i18n::{Locale, news_words};
use ngomon_rules::records::AccountId;
use ngomon_store::environment::Environment;
use ngomon_store::{Location, Store, StorePaths};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It succeeded.
    Yes,
    /// It checked, and found faults.
    Faults,
    /// It waits for a person's approval.
    NeedsApproval,
}

impl From<ExitStatus> for ExitCode {
    fn from(done: ExitStatus) -> Self {
        Self::from(match done {
            ExitStatus::Yes => 0,
            ExitStatus::Faults => 1,
            ExitStatus::NeedsApproval => 3,
        })
    }
}

/// The context of a command.
pub struct CommandContext {
    /// The paths of data and keys.
    pub places: StorePaths,
    /// The actor, as the journal names it.
    pub by: String,
    /// The language of the output.
    pub locale: Locale,
}

impl CommandContext {
    /// The context of a command with these arguments.
    pub fn new(args: &PlaceArgs, locale: Locale) -> Self {
        let dir = directory(args);
        let keys = args.keys.clone().unwrap_or_else(|| dir.join("keys"));
        Self {
            places: StorePaths {
                data: location(args),
                keys,
            },
            by: match &args.by {
                None => this_user(),
                Some(by) if by.contains(':') => by.clone(),
                Some(name) => AccountId::of_operator(name).0,
            },
            locale,
        }
    }

    /// Without `--keys`, the keys are under the data directory. A database that is named by URL has a key directory of its own: the keys of
    /// an embedded database in the same place are not used for it, unless it was created with them.
    pub async fn settle_keys(&mut self, args: &PlaceArgs) {
        let (None, Some(url)) = (&args.keys, &args.database) else {
            return;
        };
        let dir = directory(args);
        let own = dir.join(keys_named_after(url));
        let taken = dir.join(ngomon_store::db::FILE).exists();
        if own.exists() || (taken && !Store::is_of_keys(&self.places.data, &self.places.keys).await) {
            self.places.keys = own;
        }
    }

    /// Opens an existing store for reading.
    pub async fn open(&self) -> Result<Store> {
        self.open_with(false).await
    }

    /// Opens an existing store for changes. Fails if the checkpoint file cannot be written, because the changes could not be sealed
    /// afterwards.
    pub async fn open_to_change(&self) -> Result<Store> {
        let store = self.open().await?;
        store.try_checkpoints()?;
        Ok(store)
    }

    /// Opens the store, and creates it if it does not exist.
    pub async fn open_or_create(&self) -> Result<Store> {
        let store = self.open_with(true).await?;
        store.try_checkpoints()?;
        Ok(store)
    }

    async fn open_with(&self, create: bool) -> Result<Store> {
        let by = AccountId(self.by.clone());
        if by.operator().is_none() && self.by != this_user() {
            return Err(self.nobody());
        }
        // A new store has no operators yet.
        let create = create && by.operator().is_none();
        let store = Store::open(&self.places, create, Environment::system()).await?;
        self.check_by(&store).await?;
        Ok(store.telling(news_words()))
    }

    /// Checks the actor's name: it must be an operator or the user of this process, because the journal records it.
    pub async fn check_by(&self, store: &Store) -> Result<()> {
        let by = AccountId(self.by.clone());
        let known = match by.operator() {
            Some(name) => store.operators().await?.iter().any(|known| known == name),
            None => self.by == this_user(),
        };
        if known { Ok(()) } else { Err(self.nobody()) }
    }

    fn nobody(&self) -> CommandError {
        CommandError::error_text("error-by", &[("by", &self.by)])
    }

    /// Seals the changes. They are committed either way: if the checkpoint cannot be written now, a warning is printed, and the server or
    /// the next command seals them.
    pub async fn seal(&self, store: &Store) {
        if let Err(error) = store.seal().await {
            let path = store.checkpoint_file().display().to_string();
            self.warn("open-checkpoint", &[("path", &path), ("why", &error.to_string())]);
        }
    }

    /// Prints a message.
    pub fn print_text(&self, key: &str, args: &[(&'static str, &str)]) {
        print(&self.locale.text_with(key, args));
    }

    /// Warns about what remains to be done after a change.
    pub fn warn(&self, key: &str, args: &[(&'static str, &str)]) {
        let text = self.locale.text_with(key, args);
        writeln!(std::io::stderr(), "ngomon: {text}").ok();
    }

    /// Prints secrets that cannot be shown again, on standard error if standard output fails.
    #[allow(clippy::unused_self, reason = "it says something as its neighbours do")]
    pub fn once(&self, lines: &[String]) {
        // After a failed line the others are still tried.
        let refused = lines.iter().filter(|line| !print(line)).count();
        if refused > 0 {
            for line in lines {
                writeln!(std::io::stderr(), "{line}").ok();
            }
        }
    }

    /// Prints a table. An output error is reported at the end of the command.
    pub fn print(&self, table: &Table, format: Format) {
        let mut stdout = std::io::BufWriter::with_capacity(1 << 16, Stdout);
        table
            .write(format, self.locale, &mut stdout)
            .and_then(|()| stdout.flush())
            .ok();
        // Discard the buffered output that could not be written.
        drop(stdout.into_parts());
    }

    /// Writes the result of a change that is committed already. Returns whether it was written.
    pub fn write_result(&self, path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> bool {
        let written = write_file(path, fill);
        if let Err(error) = &written {
            let shown = path.display().to_string();
            self.warn("open-output", &[("path", &shown), ("why", &error.to_string())]);
        }
        written.is_ok()
    }
}

fn directory(args: &PlaceArgs) -> PathBuf {
    args.data.clone().unwrap_or_else(|| PathBuf::from("data"))
}

/// Where the database is.
pub fn location(args: &PlaceArgs) -> Location {
    match &args.database {
        Some(url) => Location::Url(url.clone()),
        None => Location::Directory(directory(args)),
    }
}

/// The key directory of the database with that URL: `keys-DATABASE`.
fn keys_named_after(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_".contains(c) {
            c
        } else {
            '_'
        }
    };
    format!("keys-{}", name.chars().map(plain).collect::<String>())
}

/// The user of this process, as the journal names it.
fn this_user() -> String {
    format!("cli:{}", system_user())
}

/// The name of the user of this process, or the number if there is no name.
fn system_user() -> String {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(about) = std::fs::metadata("/proc/self") else {
        return "unknown".into();
    };
    let number = about.uid().to_string();
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = known.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let name = line
        .filter(|cells| cells.get(2) == Some(&number.as_str()))
        .find_map(|cells| cells.first().map(ToString::to_string));
    name.unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::keys_named_after;

    /// The default directory of the keys is named after the database of the URL.
    #[test]
    fn default_key_directory_named_after_database() {
        for (url, name) in [
            ("postgres://u:p@localhost:5432/hue?sslmode=require", "keys-hue"),
            ("postgres://u@h/hue%20a", "keys-hue_20a"),
            ("sqlite:/srv/x.db", "keys-x_db"),
            ("postgres://u@h/..", "keys-__"),
        ] {
            assert_eq!(keys_named_after(url), name, "{url}");
        }
    }
}
