//! `cargo xtask systems`: foreign libraries against the real server, `openid-client` from npm, `authlib` from pip and Apache's
//! `mod_auth_openidc` from apt.

use crate::pages::{self, must, npm_ci};
use crate::{Outcome, cargo, exit_code, root, status, target};
use std::ffi::OsString;
use std::process::{Command, ExitCode};

/// `apache2-bin` and not `apache2`: the program without a service that apt would start.
const INSTALL: &str = "python3 -c 'import ensurepip' 2>/dev/null && test -x /usr/sbin/apache2 && \
     test -e /usr/lib/apache2/modules/mod_auth_openidc.so || { apt-get update -q && \
     apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=600 python3-venv apache2-bin libapache2-mod-auth-openidc; }";

/// Builds the binary and lets them sign people in.
pub fn run(_: &[OsString]) -> Outcome {
    let built = status(&mut cargo(&["build", "--package", "ngomon", "--bin", "ngomon"]))?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    interop()?;
    Ok(ExitCode::SUCCESS)
}

/// Installs what is missing and lets each of them sign people in, with a hold in the middle.
pub fn interop() -> Result<(), String> {
    for packages in [pages::INSTALL, INSTALL] {
        must(
            Command::new("/bin/sh")
                .args(["-c", packages])
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )?;
    }
    for folder in ["web", "relying-parties"] {
        npm_ci(&root().join(folder))?;
    }
    let (venv, folder) = (target().join("interop-venv"), root().join("interop"));
    let python = venv.join("bin/python");
    must(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    must(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(folder.join("requirements.txt")),
    )?;
    must(
        Command::new("node")
            .arg(folder.join("interop.mjs"))
            .arg(target().join("debug/ngomon"))
            .arg(&python)
            .arg(target().join("interop")),
    )
}
