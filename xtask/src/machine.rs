//! The prerequisites on the machine: Debian packages, which are installed without a prompt when run by root, and components of Rust.

use crate::{cargo, status};
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

/// A Debian package, with a check whether it is installed.
pub struct Package {
    name: &'static str,
    is_there: fn() -> bool,
}

pub const POSTGRESQL: Package = Package {
    name: "postgresql",
    is_there: || crate::postgres::binaries().is_some(),
};
/// Python creates the environment that Node is installed from.
pub const PYTHON: Package = Package {
    name: "python3-venv",
    is_there: || python().is_some(),
};
pub const CHROMIUM: Package = Package {
    name: "chromium",
    is_there: || Path::new("/usr/bin/chromium").exists(),
};
/// The program alone, without the service that apt would start.
pub const APACHE: Package = Package {
    name: "apache2-bin",
    is_there: || Path::new("/usr/sbin/apache2").exists(),
};
pub const MOD_AUTH_OPENIDC: Package = Package {
    name: "libapache2-mod-auth-openidc",
    is_there: || Path::new("/usr/lib/apache2/modules/mod_auth_openidc.so").exists(),
};

/// Installs packages. The policy file keeps Debian from starting services; it is removed again however the script ends.
const INSTALL: &str = r#"
set -eu
umask 022
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
apt-get update -q
apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=600 "$@"
"#;

/// The packages that are missing. Only root can install them: for other users missing packages are an error, in one line.
pub fn lacking(packages: &[Package]) -> Result<Vec<&'static str>, String> {
    let lacking = packages.iter().filter(|package| !(package.is_there)());
    let names: Vec<_> = lacking.map(|package| package.name).collect();
    if names.is_empty() || is_root()? {
        return Ok(names);
    }
    Err(format!(
        "this needs packages that only root can install: apt-get install --no-install-recommends {}",
        names.join(" ")
    ))
}

/// Installs packages by name.
pub fn install(names: &[&str]) -> Result<(), String> {
    if names.is_empty() {
        return Ok(());
    }
    eprintln!("xtask: installing {}; no service is started", names.join(" "));
    let mut apt = Command::new("/bin/sh");
    apt.args(["-c", INSTALL, "install"]).args(names);
    apt.env("DEBIAN_FRONTEND", "noninteractive")
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null());
    let output = apt.output().map_err(|error| format!("cannot start /bin/sh: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Err(format!("apt could not install {}:\n{said}", names.join(" ")))
}

/// Installs the missing packages.
pub fn have(packages: &[Package]) -> Result<(), String> {
    install(&lacking(packages)?)
}

/// Installs Rust's formatter and lints if they are missing, as in the minimal profile.
pub fn have_components() -> Result<(), String> {
    for (verb, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        let mut command = cargo(&[verb, "--version"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if !status(&mut command)?.success() {
            return Err(format!("`cargo {verb}` is not here: rustup component add {component}"));
        }
    }
    Ok(())
}

/// A Python that can create environments: the first one in PATH, which the user may have installed, otherwise Debian's.
pub fn python() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let first = env::split_paths(&path)
        .map(|folder| folder.join("python3"))
        .find(|python| python.is_file());
    let makes_environments = |python: &PathBuf| {
        let mut command = Command::new(python);
        command
            .args(["-I", "-c", "import ensurepip, venv"])
            .stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|ended| ended.success())
    };
    first
        .into_iter()
        .chain(["/usr/bin/python3".into()])
        .find(makes_environments)
}

pub fn is_root() -> Result<bool, String> {
    let own = fs::metadata("/proc/self").map_err(|error| format!("cannot read /proc/self: {error}"))?;
    Ok(own.uid() == 0)
}

/// Runs a command that must succeed.
pub fn must(command: &mut Command) -> Result<(), String> {
    let ended = status(command)?;
    let shown = || {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
        format!("{}: {ended}", words.join(" "))
    };
    if ended.success() { Ok(()) } else { Err(shown()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// An installed package is not requested.
    #[test]
    fn installed_package_not_requested() {
        let package = |is_there| {
            [Package {
                name: "no-such-package",
                is_there,
            }]
        };
        assert_eq!(lacking(&package(|| true)), Ok(Vec::new()));
        let said = lacking(&package(|| false));
        if is_root().unwrap() {
            assert_eq!(said, Ok(vec!["no-such-package"]));
        } else {
            assert!(said.unwrap_err().ends_with(" no-such-package"));
        }
    }

    /// The output of `cargo xtask` before anything is built, on a machine with these programs.
    fn started_with(name: &str, programs: &[(&str, &str)]) -> (bool, String) {
        let bin = env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        fs::create_dir(&bin).unwrap();
        symlink("/bin/sed", bin.join("sed")).unwrap();
        for (program, script) in programs {
            let path = bin.join(program);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        let out = Command::new(crate::root().join("xtask/start/rustc"))
            .arg(bin.join("rustc"))
            .args(["--crate-name", "xtask_start"])
            .env("PATH", &bin)
            .output()
            .unwrap();
        fs::remove_dir_all(&bin).unwrap();
        (out.status.success(), String::from_utf8(out.stderr).unwrap())
    }

    /// A missing prerequisite is reported before anything is built.
    #[test]
    fn missing_prerequisite_reported_before_build() {
        const OLD: (&str, &str) = (
            "rustc",
            "echo 'rustc 1.63.0 (4b91a6ea7 2022-08-08) (built from a source tarball)'",
        );
        const NEW: (&str, &str) = ("rustc", "echo 'rustc 1.99.1 (0 2027-01-01)'");
        let lacks = |machine: (bool, String), what: &str| {
            assert!(
                !machine.0 && machine.1.contains(what) && machine.1.lines().count() == 1,
                "{machine:?}"
            );
        };
        lacks(
            started_with("old", &[OLD, ("cc", "exit 0")]),
            "Rust 1.95 or later, and this is 1.63.0: ",
        );
        lacks(started_with("no-cc", &[NEW]), "apt-get install gcc libc6-dev");
        lacks(
            started_with("no-libc", &[NEW, ("cc", "exit 1")]),
            "apt-get install gcc libc6-dev",
        );
        assert_eq!(started_with("whole", &[NEW, ("cc", "exit 0")]), (true, String::new()));
    }
}
