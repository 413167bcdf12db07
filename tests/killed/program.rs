//! The real binary, as an operator runs it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

/// Where the binary is; built first, so that it is never an old one.
static BINARY: LazyLock<String> = LazyLock::new(|| {
    let build = Command::new(env!("CARGO")).args(["build", "-q", "-p", "holdfast-cli"]).status();
    assert!(build.unwrap().success(), "the binary does not build");
    let test: PathBuf = std::env::current_exe().unwrap();
    let profile = test.parent().unwrap().parent().unwrap();
    profile.join("holdfast").to_str().unwrap().to_owned()
});

pub(crate) fn binary() -> &'static str {
    &BINARY
}

pub(crate) fn holdfast(args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(args);
    command
}

/// A server that runs until it is stopped or killed.
pub(crate) struct Running(Child);

impl Running {
    /// Starts it and waits until it listens.
    pub(crate) fn start(command: Command) -> Self {
        Self::start_telling(command, Stdio::null())
    }

    /// The same with its log in a file.
    pub(crate) fn start_logged(command: Command, log: &Path) -> Self {
        Self::start_telling(command, File::create(log).unwrap().into())
    }

    fn start_telling(mut command: Command, log: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("listening on "), "{line:?}");
        Self(child)
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// SIGABRT, as a failed assertion in C would.
    pub(crate) fn abort(mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-ABRT", &id]).status().unwrap().success());
        assert!(!self.0.wait().unwrap().success());
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// SIGTERM, and a clean end.
    pub(crate) fn stop(self) {
        self.terminate();
        self.ended_well();
    }

    /// SIGTERM alone.
    pub(crate) fn terminate(&self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    pub(crate) fn ended_well(mut self) {
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended when all went well.
        let _ = self.0.kill();
    }
}
