//! The verb `cargo xtask demo`: the whole product on made-up data, with two systems that sign people in through it.

use crate::machine::{self, PYTHON};
use crate::node::{Node, Python};
use crate::reaper::Reaper;
use crate::{Fault, Outcome, cargo, exit_code, forwarded, root, status, target};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The default address of `ngomon demo`.
const USUAL: &str = "127.0.0.1:8080";

/// Builds the binary and becomes `ngomon demo` on an empty data directory. Beside it, `relying-parties/demo.mjs` waits for the demo's pages
/// and starts the two systems; it ends when its parent does. Obstacles are checked before anything is built. If the two systems cannot run,
/// the demo goes on without them and finally prints why.
pub fn run(args: &[OsString]) -> Outcome {
    let args = forwarded(args);
    let place = Place::of(args)?;
    let systems = match &place.issuer {
        Ok(issuer) => machine::lacking(&[PYTHON]).map(|lacking| (issuer, lacking)),
        Err(why) => Err((*why).to_owned()),
    };
    eprintln!("xtask: building ngomon without optimisation, for a demo that is fast enough");
    let reaper = Reaper::start()?;
    let built = status(reaper.lend(&mut cargo(&["build", "--package", "ngomon", "--bin", "ngomon"])))?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    // Each port has a folder of its own, so that a demo does not take the data of another one that runs.
    let data = target().join("demo").join(place.address.port().to_string());
    match fs::remove_dir_all(&data) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(Fault::Failed(format!("cannot empty {}: {error}", data.display())));
        }
        _ => {}
    }
    fs::create_dir_all(&data).map_err(|error| format!("cannot make {}: {error}", data.display()))?;

    let ngomon = target().join("debug/ngomon");
    let started = systems.and_then(|(issuer, lacking)| {
        machine::install(&lacking)?;
        start(&reaper, &ngomon, &data, issuer)
    });
    // `exec` drops nothing, so the reaper is dropped here. It does not track the started script, which must live on.
    drop(reaper);
    let mut demo = Command::new(&ngomon);
    demo.arg("demo").arg("--data").arg(&data).args(args);
    if let Err(why) = started {
        eprintln!("xtask: the two systems that sign people in are left out: {why}");
        demo.env("NGOMON_DEMO_LEFT_OUT", why);
    }
    eprintln!(
        "xtask: starting ngomon demo; its data are in {} and thrown away at the next demo",
        data.display()
    );
    // The demo replaces this process, so that Ctrl-C and the exit status are its own. `exec` returns only if it cannot start.
    let error = demo.exec();
    Err(Fault::Failed(format!("cannot start {}: {error}", ngomon.display())))
}

/// Installs what the two systems need and starts the script that waits for the demo's pages.
fn start(reaper: &Reaper, ngomon: &Path, data: &Path, issuer: &str) -> Result<(), String> {
    let node = Node::install(reaper, &Python::install(reaper)?)?;
    let folder = root().join("relying-parties");
    node.ci(reaper, &folder)?;
    let mut waiting = node.script(&folder.join("demo.mjs"));
    waiting.args([ngomon, data]).arg(issuer).stdin(Stdio::null());
    let waiting = waiting.spawn();
    waiting
        .map(drop)
        .map_err(|error| format!("Node cannot be started: {error}"))
}

/// The address of the demo.
struct Place {
    address: SocketAddr,
    /// The address that browsers use, or the reason why the two systems cannot use it.
    issuer: Result<String, &'static str>,
}

impl Place {
    /// Reads the address from the arguments and checks that it is free.
    fn of(args: &[OsString]) -> Result<Self, String> {
        let words: Vec<&str> = args.iter().filter_map(|word| word.to_str()).collect();
        let given = |name: &str| {
            let stated = words.iter().position(|word| word.split('=').next() == Some(name))?;
            let joined = words[stated].split_once('=').map(|(_, value)| value);
            joined.or_else(|| words.get(stated + 1).copied())
        };
        let listen = given("--listen").unwrap_or(USUAL);
        let address: SocketAddr = listen.parse().map_err(|_| format!("{listen} is not an address"))?;
        TcpListener::bind(address).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => format!(
                "another program listens on {address}: end it, or choose another port: cargo xtask demo --listen {}:PORT",
                address.ip()
            ),
            _ => format!("nobody can listen on {address}: {error}"),
        })?;
        let issuer = match address.port() {
            _ if given("--public-url").is_some() => {
                Err("they are for an address on this machine, without --public-url")
            }
            0 => Err("they need to know the port beforehand"),
            port => Ok(format!("http://localhost:{port}")),
        };
        Ok(Self { address, issuer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The demo systems get the issuer before the demo starts, if its port is fixed.
    #[test]
    fn demo_issuer_known_before_start_for_fixed_port() {
        let of = |words: &[&str]| Place::of(&words.iter().map(OsString::from).collect::<Vec<_>>());
        let issuer = |words: &[&str]| of(words).ok()?.issuer.ok();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let there = Some(format!("http://localhost:{}", free.port()));
        assert_eq!(issuer(&["--listen", &free.to_string()]), there);
        assert_eq!(issuer(&[&format!("--listen={free}")]), there);
        assert!(of(&["--listen", "127.0.0.1:0"]).unwrap().issuer.is_err());
        let elsewhere = ["--listen", "127.0.0.1:0", "--public-url", "https://id.example"];
        assert!(of(&elsewhere).unwrap().issuer.is_err());
        assert!(of(&["--listen", "nowhere"]).is_err());
    }

    /// A port that is taken is reported before anything is built.
    #[test]
    fn taken_port_reported_before_build() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = format!("--listen={}", taken.local_addr().unwrap());
        let said = Place::of(&[listen.into()]).err().unwrap();
        assert!(
            said.contains("another program listens") && said.contains("cargo xtask demo --listen 127.0.0.1:"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1);
    }
}
