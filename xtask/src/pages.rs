//! The test of the pages in a real browser: Chromium from apt, the driver from npm, the demo's server.

use crate::machine::{self, CHROMIUM, PYTHON, Package, must};
use crate::node::{Node, Python};
use crate::reaper::Reaper;
use crate::{root, target};
use std::path::{Path, PathBuf};

/// The Debian packages that the test needs.
pub const PACKAGES: [Package; 2] = [CHROMIUM, PYTHON];

/// Installs what is missing, checks that the committed styles and scripts are what their sources generate, and walks through the pages.
pub fn walk(reaper: &Reaper) -> Result<(), String> {
    machine::have(&PACKAGES)?;
    let web = root().join("web");
    let node = Node::install(reaper, &Python::install(reaper)?)?;
    node.ci(reaper, &web)?;
    node.ci(reaper, &root().join("relying-parties"))?;
    let made = target().join("web-dist");
    let mut vite = node.script(&web.join("node_modules/vite/bin/vite.js"));
    vite.current_dir(&web)
        .args(["build", "--logLevel", "warn", "--emptyOutDir", "--outDir"])
        .arg(&made);
    must(reaper.lend(&mut vite))?;
    same(&made, &web.join("dist"))?;
    let mut pages = node.script(&web.join("e2e/pages.mjs"));
    pages.arg(target().join("debug/ngomon")).arg(target().join("pages"));
    must(reaper.lend_home(&mut pages))
}

/// Compares two folders: they must have the same files with the same bytes.
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
