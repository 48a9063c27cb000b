//! The verb `cargo xtask docs`: takes the pictures of docs/WALKTHROUGHS.md again.

use crate::reaper::Reaper;
use crate::{Outcome, pages, root, target};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::process::ExitCode;

/// Walks through the pages and copies the pictures that the walkthroughs use.
pub fn run(_: &[OsString]) -> Outcome {
    pages::walk(&Reaper::start()?)?;
    let images = root().join("docs/images");
    fs::remove_dir_all(&images).ok();
    fs::create_dir_all(&images).map_err(|error| format!("{}: {error}", images.display()))?;
    for name in named()? {
        let from = target().join("pages").join(&name);
        fs::copy(&from, images.join(&name)).map_err(|error| format!("{}: {error}", from.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The pictures that the walkthroughs use.
fn named() -> Result<BTreeSet<String>, String> {
    let path = root().join("docs/WALKTHROUGHS.md");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let after = text.split("src=\"images/").skip(1);
    Ok(after
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files in `docs/images` are exactly the pictures of the walkthroughs.
    #[test]
    fn walkthrough_pictures_match_files() {
        let kept = fs::read_dir(root().join("docs/images")).unwrap();
        let kept: BTreeSet<String> = kept
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(named().unwrap(), kept);
        assert!(kept.len() >= 20);
    }
}
