//! The verb `cargo xtask systems`: foreign libraries against the real server. They are `openid-client` from npm, `authlib` from pip and
//! Apache's `mod_auth_openidc` from apt.

use crate::machine::{self, APACHE, CHROMIUM, MOD_AUTH_OPENIDC, PYTHON, Package, must};
use crate::node::{Node, Python};
use crate::reaper::Reaper;
use crate::{Outcome, cargo, exit_code, root, status, target};
use std::ffi::OsString;
use std::process::ExitCode;

/// The Debian packages that the tests need.
pub const PACKAGES: [Package; 4] = [CHROMIUM, PYTHON, APACHE, MOD_AUTH_OPENIDC];

/// Builds the binary and lets the libraries sign people in.
pub fn run(_: &[OsString]) -> Outcome {
    machine::have(&PACKAGES)?;
    let reaper = Reaper::start()?;
    let built = status(reaper.lend(&mut cargo(&["build", "--package", "ngomon", "--bin", "ngomon"])))?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    interop(&reaper)?;
    Ok(ExitCode::SUCCESS)
}

/// Installs what is missing and lets each library sign people in, with a hold in the middle.
pub fn interop(reaper: &Reaper) -> Result<(), String> {
    machine::have(&PACKAGES)?;
    let folder = root().join("interop");
    let python = Python::install(reaper)?;
    let node = Node::install(reaper, &python)?;
    for folder in ["web", "relying-parties"] {
        node.ci(reaper, &root().join(folder))?;
    }
    let mut tokens = node.script(&root().join("relying-parties/logout-token.test.mjs"));
    must(reaper.lend(&mut tokens))?;
    python.require(reaper, &folder.join("requirements.txt"))?;
    let mut interop = node.script(&folder.join("interop.mjs"));
    interop
        .arg(target().join("debug/ngomon"))
        .arg(python.program())
        .arg(target().join("interop"));
    must(reaper.lend_home(&mut interop))
}
