//! `cargo xtask bench`: figures for docs/PERFORMANCE.md, optimised and at full durability.

use crate::postgres::{Cluster, Fsync};
use crate::{Outcome, cargo, exit_code, forwarded, status};
use std::ffi::OsString;

const BENCH: [&str; 5] = ["bench", "--package", "ngomon-store", "--bench", "figures"];

/// Builds the benchmarks, then runs them beside a private PostgreSQL.
pub fn run(args: &[OsString]) -> Outcome {
    let built = status(cargo(&BENCH).arg("--no-run"))?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    let cluster = Cluster::start(Fsync::On)?;
    let mut bench = cargo(&BENCH);
    bench.arg("--").args(forwarded(args));
    Ok(exit_code(status(cluster.lend(&mut bench))?))
}
