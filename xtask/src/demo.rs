//! `cargo xtask demo`: the whole product on made-up data.

use crate::{Fault, Outcome, cargo, exit_code, forwarded, status, target};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Builds the binary and becomes `ngomon demo` on an empty data directory.
pub fn run(args: &[OsString]) -> Outcome {
    eprintln!("xtask: building ngomon without optimisation, for a demo that is fast enough");
    let built = status(&mut cargo(&["build", "--package", "ngomon", "--bin", "ngomon"]))?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    let data = target().join("demo");
    match fs::remove_dir_all(&data) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(Fault::Failed(format!("cannot empty {}: {error}", data.display())));
        }
        _ => {}
    }
    fs::create_dir_all(&data).map_err(|error| format!("cannot make {}: {error}", data.display()))?;

    let mut demo = Command::new(target().join("debug/ngomon"));
    demo.arg("demo").arg("--data").arg(&data).args(forwarded(args));
    eprintln!(
        "xtask: starting ngomon demo; its data are in {} and thrown away at the next demo",
        data.display()
    );
    // The demo takes our place, so that Ctrl-C and the exit status are its own. We come back only if it cannot start.
    let error = demo.exec();
    Err(Fault::Failed(format!(
        "cannot start {}: {error}",
        demo.get_program().display()
    )))
}
