//! Where the database is.

use crate::db::embedded;
use crate::error::{Result, StoreError};
use std::path::{Path, PathBuf};

/// The location of the data.
#[derive(Clone, Debug)]
pub enum Location {
    /// A directory with the embedded database.
    Directory(PathBuf),
    /// `postgres://…` as libpq parses it, or `sqlite:FILE`.
    Url(String),
}

/// The name of the embedded database within its directory.
pub const FILE: &str = "ngomon.db";

impl Location {
    /// Whether the file is missing or empty. For PostgreSQL `false`: only a connection could find out.
    pub(crate) fn is_void(&self) -> Result<bool> {
        let file = match self {
            Self::Directory(dir) => dir.join(FILE),
            Self::Url(url) => match sqlite_file(url) {
                Some(file) => file.to_owned(),
                None => return Ok(false),
            },
        };
        Ok(about(&file)?.is_none_or(|about| about.len() == 0))
    }

    /// Checkpoints the WAL at the end of a process, so that a copy of the one file is complete. If another process uses the database, the
    /// last one does it; the data are safe either way.
    pub fn settle(&self) -> Result<()> {
        let file = match self {
            Self::Directory(dir) => dir.join(FILE),
            Self::Url(url) => match sqlite_file(url) {
                Some(file) => file.to_owned(),
                None => return Ok(()),
            },
        };
        match about(&file)? {
            Some(about) if about.is_file() && about.len() > 0 => embedded::take_in_log(&file),
            _ => Ok(()),
        }
    }
}

/// Displays the location without user and password.
impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(dir) => dir.display().fmt(f),
            Self::Url(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
                let rest = rest.split('?').next().unwrap_or_default();
                let at = rest.rsplit_once('@').map_or(rest, |(_, at)| at);
                match scheme {
                    "" => f.write_str(at),
                    scheme => write!(f, "{scheme}://{at}"),
                }
            }
        }
    }
}

/// Metadata of the file; `None` if it does not exist. A file that may not be read is an error, not a missing one.
pub(crate) fn about(file: &Path) -> Result<Option<std::fs::Metadata>> {
    match std::fs::metadata(file) {
        Ok(about) => Ok(Some(about)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::Io {
            path: file.to_owned(),
            source,
        }),
    }
}

pub(crate) fn sqlite_file(url: &str) -> Option<&Path> {
    let file = url.strip_prefix("sqlite:")?;
    Some(Path::new(file.strip_prefix("//").unwrap_or(file)))
}
