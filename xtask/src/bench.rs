//! The verbs `cargo xtask bench` and `cargo xtask load`: measurements for docs/PERFORMANCE.md, optimised and at full durability.

use crate::postgres::{Cluster, Fsync};
use crate::reaper::Reaper;
use crate::{Outcome, cargo, exit_code, forwarded, status};
use std::ffi::OsString;

/// Measures the store's operations, each against a baseline from the same run.
pub const FIGURES: [&str; 5] = ["bench", "--package", "ngomon-store", "--bench", "figures"];
/// Measures the pages under load.
pub const LOAD: [&str; 5] = ["bench", "--package", "ngomon", "--bench", "load"];

/// Builds a benchmark, then runs it with a private PostgreSQL.
pub fn run(which: &[&str], args: &[OsString]) -> Outcome {
    let reaper = Reaper::start()?;
    let built = status(reaper.lend(cargo(which).arg("--no-run")))?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    let cluster = Cluster::start(Fsync::On)?;
    let mut bench = cargo(which);
    bench.arg("--").args(forwarded(args));
    Ok(exit_code(status(reaper.lend(cluster.lend(&mut bench)))?))
}
