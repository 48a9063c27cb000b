//! Private files: nobody else on the machine can read what the program writes. Files are 0600 and directories 0700, whatever the umask is
//! and whatever their mode was before.

use crate::error::{Refusal, Result, StoreError};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// The permission bits of group and others.
const OTHERS: u32 = 0o077;
/// Files that show that a directory is ours.
const OURS: [&str; 4] = ["ngomon.db", "keyring.json", "checkpoints.txt", "backup.json"];

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { path, source }
}

/// The permissions without those of group and others; `None` if they are absent already.
fn narrower(about: &fs::Metadata) -> Option<Permissions> {
    let mode = about.permissions().mode() & 0o7777;
    (mode & OTHERS != 0).then(|| Permissions::from_mode(mode & !OTHERS))
}

/// Creates the directory if needed, and removes the access of others. Refuses a directory that is open to others and has other files:
/// their owners would lose access.
pub fn directory(dir: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(io_at(dir))?;
    let Some(narrower) = narrower(&fs::metadata(dir).map_err(io_at(dir))?) else {
        return Ok(());
    };
    // By default, the directory of the keys is within the data directory.
    let is_empty = fs::read_dir(dir)
        .and_then(|there| {
            there
                .map(|one| Ok(one?.file_name().to_string_lossy().starts_with("keys")))
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(io_at(dir))?
        .iter()
        .all(|is_keys| *is_keys);
    let is_ours = OURS
        .iter()
        .any(|name| dir.join(name).exists() || dir.join("keys").join(name).exists());
    if !is_empty && !is_ours {
        return Err(Refusal::WideDirectory(dir.to_owned()).into());
    }
    fs::set_permissions(dir, narrower).map_err(io_at(dir))
}

/// Removes the access of others to a file, if it exists. A pipe or a terminal stays as it is.
pub fn file(path: &Path) -> io::Result<()> {
    let narrowed = fs::metadata(path).and_then(|about| match narrower(&about).filter(|_| about.is_file()) {
        Some(narrower) => fs::set_permissions(path, narrower),
        None => Ok(()),
    });
    match narrowed {
        // SQLite creates and deletes the files beside its database at any time.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        narrowed => narrowed,
    }
}

/// Creates a private file for writing; an existing one is emptied.
pub fn create(path: &Path) -> io::Result<File> {
    let created = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file(path)?;
    Ok(created)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// The mode of an existing file is narrowed.
    #[test]
    fn existing_file_gets_private_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.csv");
        fs::write(&path, "before").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        drop(create(&path).unwrap());
        assert_eq!((mode(&path), fs::read(&path).unwrap().len()), (0o600, 0));
        file(&dir.path().join("nothing")).unwrap();
        // The mode of a device does not change.
        drop(create(Path::new("/dev/null")).unwrap());
    }

    /// The mode of an own directory is narrowed; a directory with other files is refused.
    #[test]
    fn own_directory_gets_private_mode_and_foreign_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("a/b");
        directory(&made).unwrap();
        assert_eq!(mode(&made), 0o700);
        let wide = || fs::set_permissions(&made, Permissions::from_mode(0o755)).unwrap();
        wide();
        directory(&made).unwrap();
        assert_eq!(mode(&made), 0o700);
        fs::write(made.join("letter.txt"), "somebody's").unwrap();
        directory(&made).unwrap();
        wide();
        assert!(matches!(
            directory(&made),
            Err(StoreError::Refused(Refusal::WideDirectory(_)))
        ));
        assert_eq!(mode(&made), 0o755);
        fs::write(made.join("ngomon.db"), "").unwrap();
        directory(&made).unwrap();
        assert_eq!(mode(&made), 0o700);
    }
}
