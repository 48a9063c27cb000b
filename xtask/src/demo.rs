//! `cargo xtask demo`: the whole product on made-up data, and two systems that sign people in through it.

use crate::{Fault, Outcome, cargo, exit_code, forwarded, pages, root, status, target};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Where `ngomon demo` listens unless it is told otherwise.
const USUAL: &str = "127.0.0.1:8080";

/// Builds the binary and becomes `ngomon demo` on an empty data directory. Beside it, `relying-parties/demo.mjs` waits for its pages and
/// starts the two systems; it ends when its parent does.
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

    let ngomon = target().join("debug/ngomon");
    let args = forwarded(args);
    if let Err(why) = systems(&ngomon, &data, args) {
        eprintln!("xtask: the two systems that sign people in are left out: {why}");
    }
    let mut demo = Command::new(&ngomon);
    demo.arg("demo").arg("--data").arg(&data).args(args);
    eprintln!(
        "xtask: starting ngomon demo; its data are in {} and thrown away at the next demo",
        data.display()
    );
    // The demo takes our place, so that Ctrl-C and the exit status are its own. We come back only if it cannot start.
    let error = demo.exec();
    Err(Fault::Failed(format!("cannot start {}: {error}", ngomon.display())))
}

/// Installs what the two systems need and starts what waits for the demo's pages.
fn systems(ngomon: &Path, data: &Path, args: &[OsString]) -> Result<(), String> {
    let issuer = issuer(args)?;
    let folder = root().join("relying-parties");
    let npm = Command::new("npm").arg("--version").stdout(Stdio::null()).status();
    npm.map_err(|error| format!("npm cannot be started: {error}"))?;
    pages::npm_ci(&folder)?;
    let waiting = Command::new("node")
        .arg(folder.join("demo.mjs"))
        .args([ngomon, data])
        .arg(issuer)
        .stdin(Stdio::null())
        .spawn();
    waiting
        .map(drop)
        .map_err(|error| format!("node cannot be started: {error}"))
}

/// The address by which browsers will know the demo. Nobody else may be there yet: the systems would take them for it.
fn issuer(args: &[OsString]) -> Result<String, String> {
    let words: Vec<&str> = args.iter().filter_map(|word| word.to_str()).collect();
    let given = |name: &str| {
        let stated = words.iter().position(|word| word.split('=').next() == Some(name))?;
        let joined = words[stated].split_once('=').map(|(_, value)| value);
        joined.or_else(|| words.get(stated + 1).copied())
    };
    if given("--public-url").is_some() {
        return Err("they are for an address on this machine, without --public-url".to_owned());
    }
    let listen = given("--listen").unwrap_or(USUAL);
    let address: SocketAddr = listen.parse().map_err(|_| format!("{listen} is not an address"))?;
    if address.port() == 0 {
        return Err("they need to know the port beforehand".to_owned());
    }
    TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))?;
    Ok(format!("http://localhost:{}", address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_know_where_the_demo_will_be() {
        let of = |words: &[&str]| issuer(&words.iter().map(OsString::from).collect::<Vec<_>>());
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let there = Ok(format!("http://localhost:{}", free.port()));
        assert_eq!(of(&["--listen", &free.to_string()]), there);
        assert_eq!(of(&[&format!("--listen={free}")]), there);
        assert!(of(&["--listen", "127.0.0.1:0"]).is_err());
        assert!(of(&["--public-url", "https://id.example"]).is_err());
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(of(&["--listen", &taken.local_addr().unwrap().to_string()]).is_err());
    }
}
