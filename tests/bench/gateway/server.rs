//! A gateway in a process of its own, so that its memory is its own.

use crate::Outcome;
use holdfast_gateway::admin::{self, Init, SetProcessor};
use holdfast_gateway::{Mode, Options, Secret, TenantSlug};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) const TENANT: &str = "demo";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_made_up_for_the_bench_0123456789";
const SECRET_KEY: &str = "sk_test_made_up_for_the_bench_0123456789";

/// The running gateway.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(data: &Path) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--serve").arg(data).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let said = process.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        let address = line.trim().strip_prefix("http://").ok_or("the gateway did not start")?;
        Ok(Self { process, address: address.to_owned() })
    }

    /// The most that it ever had in memory.
    pub(crate) fn resident_mb(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = line.ok_or("no figure")?.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1_024 / 1_000_000)
    }

    /// Closes its input, which tells it to stop.
    pub(crate) fn stop(mut self) -> Outcome<()> {
        drop(self.process.stdin.take());
        let ended = self.process.wait()?;
        if ended.success() { Ok(()) } else { Err(format!("the gateway ended with {ended}").into()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended by itself already, or it ends now.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves until the input is closed.
pub(crate) fn serve(data: &Path) -> Outcome<()> {
    runtime()?.block_on(async {
        let running = holdfast_gateway::start(Options {
            data: data.to_owned(),
            listen: "127.0.0.1:0".to_owned(),
            ..Options::default()
        });
        let running = running.await?;
        println!("{}", running.url());
        let ended =
            tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await?;
        ended?;
        running.shutdown().await;
        Ok(())
    })
}

/// A data folder with a tenant, an officer and Stripe's credentials.
pub(crate) fn furnish(data: &Path) -> Outcome<()> {
    runtime()?.block_on(async {
        let tenant = TenantSlug::parse(TENANT)?;
        let init = Init {
            data: data.to_owned(),
            tenant: tenant.clone(),
            name: None,
            public_url: None,
            hosts: Vec::new(),
        };
        admin::init(init).await?;
        admin::officer_add(data, &tenant, "Ana Officer").await?;
        let processor = SetProcessor {
            tenant,
            code: "STRIPE".parse()?,
            mode: Mode::Test,
            name: None,
            currency: None,
            webhook_id: None,
            // Nobody listens there: what is measured is the gateway alone.
            api_base: Some("http://127.0.0.1:9".to_owned()),
            secret_key: Some(Secret::new(SECRET_KEY.to_owned())),
            publishable_key: None,
            webhook_secret: Some(Secret::new(WEBHOOK_SECRET.to_owned())),
        };
        admin::stripe_set(data, processor).await?;
        Ok(())
    })
}

/// A link that signs an administrator in.
pub(crate) fn sign_in_link(data: &Path) -> Outcome<String> {
    let tenant = TenantSlug::parse(TENANT)?;
    Ok(runtime()?.block_on(admin::sign_in_link(data, &tenant))?.0)
}

pub(crate) fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
