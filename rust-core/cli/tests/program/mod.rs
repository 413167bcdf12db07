//! The binary, as a person or a script uses it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

pub(crate) fn holdfast(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.args(args);
    for key in ["STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET"] {
        command.env_remove(key);
    }
    command
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub(crate) fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The one line of a failure.
pub(crate) fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let words = text(&output.stderr);
    assert_eq!(words.lines().count(), 1, "{words}");
    words
}

/// A program that runs until it is told to stop.
pub(crate) struct Running(Child);

impl Running {
    /// Starts it and waits for its one line: the address.
    pub(crate) fn start(command: Command) -> (Self, String) {
        let (running, address, lines) = Self::start_talking(command);
        std::thread::spawn(move || assert_eq!(lines.count(), 0, "more than one line"));
        (running, address)
    }

    /// Starts one that has more to say after its address.
    pub(crate) fn start_talking(
        mut command: Command,
    ) -> (Self, String, Lines<BufReader<ChildStdout>>) {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let address = line.strip_prefix("listening on ").unwrap().to_owned();
        assert!(address.starts_with("http://127.0.0.1:"), "{line}");
        (Self(child), address, lines)
    }

    /// Sends SIGTERM and waits for a clean end.
    pub(crate) fn stop(mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended when all went well.
        let _ = self.0.kill();
    }
}
