//! localstripe, the stand-in for Stripe that others use, and how fast either of two makes payments.

use super::Outcome;
use super::http::Connection;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The version that is measured beside ours, from PyPI.
const REQUIREMENT: &str = "localstripe==1.15.10";
/// Longest wait for its first answer.
const READY_MAX: Duration = Duration::from_secs(30);

/// A running localstripe.
pub(super) struct Server {
    process: Child,
    address: String,
}

impl Server {
    pub(super) fn start() -> Outcome<Self> {
        let venv = installed()?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(venv.join("bin/localstripe"));
        command.args(["--from-scratch", "--port", &port.to_string()]);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let server = Self { process, address: format!("127.0.0.1:{port}") };
        let began = Instant::now();
        while TcpStream::connect(&server.address).is_err() {
            if began.elapsed() > READY_MAX {
                return Err("localstripe does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended by itself already, or it ends now.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A folder beside the program that has it.
fn installed() -> Outcome<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.parent().and_then(Path::parent).ok_or("no target folder")?;
    let venv = target.join("localstripe-venv");
    if venv.join("bin/localstripe").exists() {
        return Ok(venv);
    }
    let run = |command: &mut Command| -> Outcome<()> {
        let done = command.stdout(Stdio::null()).status()?;
        if done.success() { Ok(()) } else { Err(format!("{command:?} failed").into()) }
    };
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    run(Command::new(venv.join("bin/pip")).args([
        "install",
        "-q",
        "--disable-pip-version-check",
        REQUIREMENT,
    ]))?;
    Ok(venv)
}

/// PaymentIntents a second over one connection that is kept.
pub(super) fn creations(address: &str, seconds: u64) -> Outcome<u64> {
    let mut connection = Connection::open(address)?;
    let headers = "Authorization: Bearer sk_test_bench\r\n\
        Content-Type: application/x-www-form-urlencoded\r\n";
    let body = b"amount=1000&currency=usd&payment_method_types[]=card";
    let began = Instant::now();
    let mut count = 0;
    while began.elapsed() < Duration::from_secs(seconds) {
        connection.ask("POST", "/v1/payment_intents", headers, body)?.good()?;
        count += 1;
    }
    Ok(count / seconds.max(1))
}
