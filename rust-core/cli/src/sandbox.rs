//! `holdfast sandbox`: runs the stand-in for Stripe, or pulls a lever of one that runs.

use crate::commands::{Outcome, say};
use crate::logs;
use crate::serving::StopSignal;
use clap::{Parser, Subcommand};
use holdfast_sandbox::{FaultRule, Heard, KeyGrant, Options, Remote, TRIGGERS, WebhookTarget};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Sandbox {
    #[command(subcommand)]
    lever: Option<Lever>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Address and port; port 0 picks a free one
    #[arg(long, value_name = "ADDR", required = true)]
    listen: Option<SocketAddr>,
    /// Where to keep everything over restarts, what these flags ask for included; without it, in memory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Every ID, and every lot that a fault draws, follows from it
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Where events go and what they are signed with; may be repeated
    #[arg(long = "webhook", value_name = "URL=whsec_...")]
    webhooks: Vec<WebhookTarget>,
    /// The address that browsers use, if it differs from the one listened on
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// A key that is good, a restricted one with its permissions (rk_test_a=charge_read,...); may be
    /// repeated. Without any, every test key is good for everything
    #[arg(long = "api-key", value_name = "KEY")]
    api_keys: Vec<KeyGrant>,
    /// Every test key is good again, whatever list the folder has kept
    #[arg(long, conflicts_with = "api_keys")]
    every_key: bool,
    /// What goes wrong, such as 'POST /v1/refunds 500-stored 25% x3'; may be repeated
    #[arg(long = "fault", value_name = "RULE")]
    faults: Vec<FaultRule>,
    /// Requests a second that are answered before 429; Stripe's own sandboxes have 25
    #[arg(long, value_name = "N")]
    rate_limit: Option<u32>,
    /// How long a POST takes to answer, in milliseconds; its effect is there at once
    #[arg(long, value_name = "MS", default_value_t = 0)]
    answer_ms: u64,
    /// Time passes by `holdfast sandbox advance` alone
    #[arg(long)]
    clock_by_hand: bool,
}

#[derive(Debug, Subcommand)]
enum Lever {
    /// Let an event happen, with all that comes before it
    Trigger {
        /// Such as payment_intent.succeeded
        #[arg(value_name = "TYPE", required_unless_present = "list")]
        kind: Option<String>,
        #[command(flatten)]
        at: Where,
        /// Print every type that can be triggered
        #[arg(long)]
        list: bool,
    },
    /// Print events as they happen, and pass them on; prints the signing secret first
    Listen {
        /// Where to pass them on to
        #[arg(long, value_name = "URL")]
        forward_to: Option<String>,
        /// Only these types, with commas between them
        #[arg(long, value_name = "TYPES", value_delimiter = ',')]
        events: Vec<String>,
        #[command(flatten)]
        at: Where,
    },
    /// Let things go wrong by these rules, in place of those before; without any, show those in force
    Fault {
        /// Such as 'webhook-drop 50%'
        #[arg(value_name = "RULE")]
        rules: Vec<FaultRule>,
        /// Let nothing go wrong any more
        #[arg(long, conflicts_with = "rules")]
        clear: bool,
        #[command(flatten)]
        at: Where,
    },
    /// Move the clock ahead: sessions expire, deliveries fall due, keys are forgotten
    Advance {
        /// Such as 90s, 30m, 24h or 7d
        #[arg(value_name = "TIME", value_parser = duration)]
        by: Duration,
        #[command(flatten)]
        at: Where,
    },
}

/// Which sandbox.
#[derive(Debug, Parser)]
struct Where {
    /// Address of the sandbox
    #[arg(long = "sandbox", value_name = "URL", default_value = "http://127.0.0.1:4010")]
    url: String,
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a whole number and s, m, h or d, such as 24h".to_owned();
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let unit_s = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(unit_s).map(Duration::from_secs).ok_or_else(wrong)
}

pub(crate) async fn run(args: Sandbox) -> Outcome {
    match args.lever {
        None => serve(args.run).await,
        Some(Lever::Trigger { list: true, .. }) => say(&TRIGGERS.join("\n")),
        Some(Lever::Trigger { kind, at, .. }) => trigger(&kind.unwrap_or_default(), &at).await,
        Some(Lever::Listen { forward_to, events, at }) => {
            listen(forward_to.as_deref(), &events, &at).await
        }
        Some(Lever::Fault { rules, clear, at }) => fault(&rules, clear, &at).await,
        Some(Lever::Advance { by, at }) => {
            let now_ms = Remote::new(&at.url)?.advance(by).await?;
            say(&format!("the clock stands at {} (Unix seconds)", now_ms.div_euclid(1_000)))
        }
    }
}

async fn serve(args: Run) -> Outcome {
    logs::start();
    let defaults = Options::default();
    let running = holdfast_sandbox::start(Options {
        listen: args.listen.unwrap_or(defaults.listen),
        public_url: args.public_url,
        data_dir: args.data,
        seed: args.seed,
        webhooks: args.webhooks,
        api_keys: args.api_keys,
        every_key: args.every_key,
        faults: args.faults,
        rate_limit_per_s: args.rate_limit,
        answer_time: Duration::from_millis(args.answer_ms),
        clock_by_hand: args.clock_by_hand,
        ..defaults
    });
    let running = running.await?;
    let stop = StopSignal::new()?;
    say(&format!("listening on {}", running.url()))?;
    stop.told().await;
    running.shutdown().await;
    Ok(())
}

async fn trigger(kind: &str, at: &Where) -> Outcome {
    let made = Remote::new(&at.url)?.trigger(kind).await?;
    made.iter().try_for_each(|(kind, id)| say(&format!("{kind} [{id}]")))
}

async fn fault(rules: &[FaultRule], clear: bool, at: &Where) -> Outcome {
    let remote = Remote::new(&at.url)?;
    let in_force = if rules.is_empty() && !clear {
        remote.faults().await?
    } else {
        let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
        remote.set_faults(&rules).await?
    };
    if in_force.is_empty() {
        return say("nothing goes wrong");
    }
    in_force.iter().try_for_each(|rule| say(rule))
}

/// Prints what happens in the words of Stripe's own command line, and passes it on.
async fn listen(forward_to: Option<&str>, events: &[String], at: &Where) -> Outcome {
    let remote = Arc::new(Remote::new(&at.url)?);
    let listening = remote.listen(events).await?;
    say(&format!("listening on {}", at.url))?;
    say(&format!("> Ready! Your webhook signing secret is {} (^C to quit)", listening.secret))?;
    let hear = async {
        loop {
            for heard in remote.heard(&listening).await? {
                say(&format!("  --> {} [{}]", heard.kind, heard.event))?;
                if let Some(url) = forward_to {
                    // Beside the others: a slow endpoint does not keep the next event waiting.
                    tokio::spawn(pass_on(remote.clone(), url.to_owned(), heard));
                }
            }
        }
    };
    let stop = StopSignal::new()?;
    let outcome: Outcome = tokio::select! {
        outcome = hear => outcome,
        () = stop.told() => Ok(()),
    };
    // When the sandbox has gone, there is nothing to take leave of.
    let _ = remote.stop_listening(&listening).await;
    outcome
}

async fn pass_on(remote: Arc<Remote>, url: String, heard: Heard) -> Outcome {
    match remote.forward(&url, &heard).await {
        Ok(status) => say(&format!("  <-- [{status}] POST {url} [{}]", heard.event)),
        Err(why) => say(&format!("  <-- [failed] POST {url} [{}] {why}", heard.event)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("30m", 1_800), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for bad in ["", "24", "h", "-1s", "1w", "99999999999999999999d", "1.5h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
