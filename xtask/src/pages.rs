//! The pages in a real browser: Chromium from apt, the driver from npm, the demo's server.

use crate::{root, status, target};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Chromium.
pub const INSTALL: &str = "test -x /usr/bin/chromium || { apt-get update -q && \
     apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=600 chromium; }";

/// Installs what is missing, checks that the committed styles and scripts are what their sources make, and walks through the pages.
pub fn walk() -> Result<(), String> {
    let web = root().join("web");
    must(
        Command::new("/bin/sh")
            .args(["-c", INSTALL])
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    npm_ci(&web)?;
    npm_ci(&root().join("relying-parties"))?;
    let made = target().join("web-dist");
    must(
        Command::new("npx")
            .current_dir(&web)
            .args(["vite", "build", "--logLevel", "warn", "--emptyOutDir", "--outDir"])
            .arg(&made),
    )?;
    same(&made, &web.join("dist"))?;
    must(
        Command::new("node")
            .current_dir(&web)
            .arg("e2e/pages.mjs")
            .arg(target().join("debug/ngomon"))
            .arg(target().join("pages")),
    )
}

/// Installs what the folder's package-lock.json names.
pub fn npm_ci(folder: &Path) -> Result<(), String> {
    let mut npm = Command::new("npm");
    npm.current_dir(folder)
        .args(["ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"]);
    must(&mut npm)
}

/// Runs a command that must succeed.
pub fn must(command: &mut Command) -> Result<(), String> {
    let ended = status(command)?;
    let shown = || {
        format!(
            "{} {:?}: {ended}",
            command.get_program().display(),
            command.get_args().collect::<Vec<_>>()
        )
    };
    if ended.success() { Ok(()) } else { Err(shown()) }
}

/// Both folders have the same files with the same bytes.
fn same(made: &Path, kept: &Path) -> Result<(), String> {
    let names = |dir: &Path| -> Result<Vec<PathBuf>, String> {
        let entries = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.file_name().into()).collect();
        names.sort();
        Ok(names)
    };
    let bytes = |file: PathBuf| std::fs::read(&file).map_err(|e| format!("{}: {e}", file.display()));
    let (made_names, kept_names) = (names(made)?, names(kept)?);
    let mut differs = made_names != kept_names;
    for name in made_names.iter().filter(|name| kept_names.contains(name)) {
        differs |= bytes(made.join(name))? != bytes(kept.join(name))?;
    }
    if differs {
        return Err("web/dist is not what its sources make: run `npm run build` in web/".to_owned());
    }
    Ok(())
}
