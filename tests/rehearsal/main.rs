//! A gateway in whose world live keys reach a stand-in for Stripe on this machine, so that Live Mode can be gone
//! through to its end: `rehearsal FOLDER`. The folder was made by `holdfast init`.
//!
//! It prints `live stripe on URL`, then `listening on URL`, and ends with its standard input.

use std::io::{Read, Write, stdin, stdout};
use std::path::PathBuf;
use std::sync::Arc;

use holdfast_gateway::Options;
use holdfast_gateway::world::{NoEntropy, SystemWorld, World};

/// The machine's own clock and randomness, with a live Stripe that is none.
struct Rehearsed {
    live_stripe: String,
}

impl World for Rehearsed {
    fn now_ms(&self) -> i64 {
        SystemWorld.now_ms()
    }

    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        SystemWorld.fill(buffer)
    }

    fn live_stand_in(&self) -> Option<&str> {
        Some(&self.live_stripe)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = PathBuf::from(std::env::args().nth(1).ok_or("usage: rehearsal FOLDER")?);
    let sandbox = holdfast_sandbox::Options { live: true, ..holdfast_sandbox::Options::default() };
    let stripe = holdfast_sandbox::start(sandbox).await?;
    writeln!(stdout(), "live stripe on {}", stripe.url())?;
    let world = Arc::new(Rehearsed { live_stripe: stripe.url().to_owned() });
    let options = Options { data, listen: "127.0.0.1:0".to_owned(), ..Options::default() };
    let gateway = holdfast_gateway::start_in(options, world).await?;
    writeln!(stdout(), "listening on {}", gateway.url())?;
    tokio::task::spawn_blocking(|| stdin().read_to_end(&mut Vec::new())).await??;
    gateway.shutdown().await;
    stripe.shutdown().await;
    Ok(())
}
