//! The command line, as it is written in the design: other people's scripts rely on it.

use crate::sandbox::Sandbox;
use clap::{Parser, Subcommand};
use holdfast_gateway::{Cidr, DEFAULT_LISTEN, DeviceId, Mode, PaymentTypeCode, TenantSlug};
use std::path::PathBuf;

/// Card payments in the field: the gateway behind the handhelds.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a data folder: database, master key, first tenant; prints the one-time sign-in link
    Init(Init),
    /// Serve a data folder until SIGTERM
    Serve(Serve),
    /// Tenants of a gateway
    #[command(subcommand)]
    Tenant(Tenant),
    /// Print a new one-time sign-in link for a tenant's administrator
    SignIn(At),
    /// Staff who use handhelds
    #[command(subcommand)]
    Officer(Officer),
    /// Handhelds of a tenant
    #[command(subcommand)]
    Handheld(Handheld),
    /// Price lists of a tenant
    #[command(subcommand)]
    Catalogue(Catalogue),
    /// Signed orders
    #[command(subcommand)]
    Order(Order),
    /// Stripe's keys of a payment type
    #[command(subcommand)]
    Stripe(Stripe),
    /// Keys that protect the database
    #[command(subcommand)]
    Keys(Keys),
    /// Write a consistent copy of the database to a new file; a running serve goes on. No plain secret
    /// is in it, and not the master key: keep that apart, a backup opens nothing without it
    Backup(Backup),
    /// Put a backup in the database's place; serve must be stopped. The next serve asks Stripe what
    /// happened since, and handhelds show their orders again
    Restore(Restore),
    /// Look at keys, disk, clock, audit log and Stripe, and say what to mend; changes nothing
    Doctor(Data),
    /// Run a stand-in for Stripe on this machine
    Sandbox(Sandbox),
}

/// Which gateway.
#[derive(Debug, clap::Args)]
pub(crate) struct Data {
    /// The data folder that `holdfast init` made
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// The file to write; it must not be there yet
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) at: Data,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The backup
    pub(crate) file: PathBuf,
    /// Also where the database that is there knows more, is another gateway's, or cannot be read
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) at: Data,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a new master key and wrap every data key with it; a running serve goes on
    Rotate(Data),
}

/// Which tenant of which gateway.
#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// The data folder that `holdfast init` made
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The tenant's slug
    #[arg(long, value_name = "SLUG")]
    pub(crate) tenant: TenantSlug,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) at: At,
    /// Name of the organisation, as payers read it
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Where payers reach the gateway: https://HOST (http only for this machine)
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// A host name that belongs to this tenant alone; may be repeated
    #[arg(long = "host", value_name = "NAME")]
    pub(crate) hosts: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// The data folder that `holdfast init` made
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Address and port; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_LISTEN)]
    pub(crate) listen: String,
    /// Where payers reach the gateway, if not as `init` was told
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// A reverse proxy whose X-Forwarded-For or Forwarded is believed, such as 10.0.0.0/8; may be
    /// repeated
    #[arg(long = "trusted-proxy", value_name = "CIDR")]
    pub(crate) trusted_proxies: Vec<Cidr>,
    /// PEM file with the certificate and its chain
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// PEM file with the private CA that vouches for the certificate; handhelds that enrol from now on
    /// trust it, and nobody else
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// Address and port for operators' programs: /health, /ready and /metrics; not for the world
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics_listen: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tenant {
    /// Add a tenant; prints its administrator's one-time sign-in link
    Add {
        /// 1 to 24 lower-case letters, digits and inner hyphens
        slug: TenantSlug,
        /// The data folder that `holdfast init` made
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Name of the organisation, as payers read it
        #[arg(long)]
        name: Option<String>,
        /// A host name that belongs to this tenant alone; may be repeated
        #[arg(long = "host", value_name = "NAME")]
        hosts: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Officer {
    /// Add an officer
    Add {
        /// As handhelds and lists show it
        name: String,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Handheld {
    /// Print a link that enrols one handheld, good for ten minutes
    Code {
        #[command(flatten)]
        at: At,
        /// Who uses the handheld; needed when there are several officers
        #[arg(long, value_name = "NAME")]
        officer: Option<String>,
        /// The handheld needs no approval afterwards
        #[arg(long)]
        approved: bool,
    },
    /// Approve an enrolled handheld, after comparing its six digits
    Approve {
        /// The handheld's ID
        id: DeviceId,
        #[command(flatten)]
        at: At,
    },
    /// Revoke a lost handheld: its new orders are refused, what it already sent stays
    Revoke {
        /// The handheld's ID
        id: DeviceId,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Order {
    /// Bring in the sealed copies that a handheld exported after it lost its key; again is harmless
    Import {
        /// The exported file
        file: PathBuf,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Catalogue {
    /// Load a CSV file (columns id,name,price) as the next price list, whole or not at all
    Load {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Stripe {
    /// Store keys: STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY and STRIPE_WEBHOOK_SECRET are read from
    /// the environment only; works beside a running serve
    Set(StripeSet),
}

#[derive(Debug, clap::Args)]
pub(crate) struct StripeSet {
    #[command(flatten)]
    pub(crate) at: At,
    /// Code of the payment type, such as STRIPE
    #[arg(long)]
    pub(crate) code: PaymentTypeCode,
    /// Which keys these are; they must say the same
    #[arg(long, value_name = "test|live", value_parser = mode)]
    pub(crate) mode: Mode,
    /// Name of the payment type, as handhelds show it [default: Online Payment]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Currency of the payment type [default: usd]
    #[arg(long)]
    pub(crate) currency: Option<String>,
    /// Destination ID of the webhook (we_… or ed_…)
    #[arg(long, value_name = "ID")]
    pub(crate) webhook_id: Option<String>,
    /// Where Stripe's API is, for a stand-in: https, or plain http on this machine
    #[arg(long, value_name = "URL")]
    pub(crate) api_base: Option<String>,
}

fn mode(text: &str) -> Result<Mode, String> {
    Mode::parse(text).ok_or_else(|| "write test or live".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_commands_of_the_contract_are_read() {
        for line in [
            "holdfast init --data d --tenant demo --name Demo --public-url https://a --host b --host c",
            "holdfast serve --data d --listen 127.0.0.1:0 --public-url https://a",
            "holdfast serve --data d --tls-cert c --tls-key k --tls-ca a",
            "holdfast serve --data d --trusted-proxy 10.0.0.0/8 --trusted-proxy ::1",
            "holdfast tenant add demo --host a --data d",
            "holdfast sign-in --data d --tenant demo",
            "holdfast officer add Ada --data d --tenant demo",
            "holdfast handheld code --officer Ada --approved --data d --tenant demo",
            "holdfast handheld approve 00010203040506ff --data d --tenant demo",
            "holdfast catalogue load f.csv --data d --tenant demo",
            "holdfast stripe set --data d --tenant demo --code STRIPE --mode test --name N \
             --currency usd --webhook-id we_1 --api-base http://127.0.0.1:1",
            "holdfast keys rotate --data d",
            "holdfast doctor --data d",
            "holdfast backup f --data d",
            "holdfast restore f --force --data d",
            "holdfast sandbox --listen 127.0.0.1:0 --data d --seed 7 --webhook http://a/b=whsec_c",
            "holdfast sandbox --listen 127.0.0.1:0 --fault 409 --fault webhook-drop --clock-by-hand",
            "holdfast sandbox --listen 127.0.0.1:0 --api-key rk_test_a1=charge_read --rate-limit 25",
            "holdfast sandbox trigger payment_intent.succeeded --sandbox http://127.0.0.1:1",
            "holdfast sandbox trigger --list",
            "holdfast sandbox listen --forward-to http://a/b --sandbox http://127.0.0.1:1",
            "holdfast sandbox listen --events a,b",
            "holdfast sandbox fault 429 --sandbox http://127.0.0.1:1",
            "holdfast sandbox fault --clear",
            "holdfast sandbox advance 24h --sandbox http://127.0.0.1:1",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
        }
    }

    #[test]
    fn wrong_use_is_told_by_the_parser() {
        for (line, kind) in [
            ("holdfast serve", ErrorKind::MissingRequiredArgument),
            ("holdfast serve --data d --tls-cert c", ErrorKind::MissingRequiredArgument),
            ("holdfast serve --data d --trusted-proxy everybody", ErrorKind::ValueValidation),
            ("holdfast init --data d --tenant Demo", ErrorKind::ValueValidation),
            (
                "holdfast stripe set --data d --tenant demo --code STRIPE --mode both",
                ErrorKind::ValueValidation,
            ),
            ("holdfast sandbox --listen here", ErrorKind::ValueValidation),
            ("holdfast sandbox", ErrorKind::MissingRequiredArgument),
            ("holdfast sandbox --listen 127.0.0.1:0 --fault sometimes", ErrorKind::ValueValidation),
            ("holdfast sandbox advance soon", ErrorKind::ValueValidation),
            ("holdfast sandbox trigger", ErrorKind::MissingRequiredArgument),
            ("holdfast fly", ErrorKind::InvalidSubcommand),
        ] {
            assert_eq!(parse(line).unwrap_err().kind(), kind, "{line}");
        }
    }

    #[test]
    fn no_key_can_be_written_on_the_command_line() {
        let line = "holdfast stripe set --data d --tenant demo --code STRIPE --mode test";
        for flag in ["--secret-key sk_test_a", "--webhook-secret whsec_a"] {
            assert!(parse(&format!("{line} {flag}")).is_err(), "{flag}");
        }
    }
}
