//! Each command: arguments in, one call of the gateway's or the sandbox's library, words out.

use crate::args::{
    At, Backup, Catalogue, Command, Data, Handheld, Init, Keys, Officer, Order, Restore, Serve,
    Stripe, StripeSet, Tenant,
};
use crate::logs;
use crate::sandbox;
use crate::serving::StopSignal;
use holdfast_gateway::admin::Health;
use holdfast_gateway::{Options, Secret, TlsFiles, admin};
use std::error::Error;
use std::io::Write;
use std::path::Path;

pub(crate) type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

pub(crate) async fn run(command: Command) -> Outcome {
    match command {
        Command::Init(args) => init(args).await,
        Command::Serve(args) => serve(args).await,
        Command::Tenant(Tenant::Add { slug, data, name, hosts }) => {
            let add = admin::TenantAdd { tenant: slug, name, hosts };
            let link = admin::tenant_add(&data, add).await?;
            say(&format!("sign-in link (works once, for a day): {}", link.0))
        }
        Command::SignIn(At { data, tenant }) => {
            let link = admin::sign_in_link(&data, &tenant).await?;
            say(&format!("sign-in link (works once, for a day): {}", link.0))
        }
        Command::Officer(Officer::Add { name, at }) => {
            let id = admin::officer_add(&at.data, &at.tenant, &name).await?;
            say(&format!("officer {} added", id.0))
        }
        Command::Handheld(Handheld::Code { at, officer, approved }) => {
            code(at, officer, approved).await
        }
        Command::Handheld(Handheld::Approve { id, at }) => {
            let approved = admin::handheld_approve(&at.data, &at.tenant, id).await?;
            say(&format!("{} approved; its six digits: {}", approved.name, approved.six_digits))
        }
        Command::Handheld(Handheld::Revoke { id, at }) => {
            admin::handheld_revoke(&at.data, &at.tenant, id).await?;
            say(&format!("{id} revoked"))
        }
        Command::Order(Order::Import { file, at }) => {
            let imported = admin::order_import(&at.data, &at.tenant, &file).await?;
            for (place, why) in &imported.refused {
                advise(&format!("copy {place}: {why}"));
            }
            let (new, known, refused) = (imported.new, imported.known, imported.refused.len());
            say(&format!("{new} orders imported, {known} known before, {refused} refused"))
        }
        Command::Catalogue(Catalogue::Load { file, at }) => {
            let loaded = admin::catalogue_load(&at.data, &at.tenant, &file).await?;
            say(&format!("{} items loaded as version {}", loaded.items, loaded.version))
        }
        Command::Stripe(Stripe::Set(args)) => stripe_set(args).await,
        Command::Keys(Keys::Rotate(Data { data })) => {
            let rotated = admin::keys_rotate(&data).await?;
            say(&format!("{} data keys are wrapped with a new master key", rotated.data_keys))?;
            advise(
                "Keep a copy of the new master.key apart from the database; the old one opens only old backups.",
            );
            Ok(())
        }
        Command::Backup(Backup { file, at }) => backup(&at.data, &file).await,
        Command::Restore(args) => restore(args).await,
        Command::Doctor(Data { data }) => doctor(&data).await,
        Command::Sandbox(args) => sandbox::run(args).await,
    }
}

async fn backup(data: &Path, file: &Path) -> Outcome {
    let made = admin::backup(data, file).await?;
    say(&format!("{}: {} KB, whole", file.display(), made.bytes.div_ceil(1024)))?;
    advise(
        "No plain secret is in it, and not the master key: keep a copy of master.key apart. Without \
         that key no backup opens.",
    );
    Ok(())
}

async fn restore(args: Restore) -> Outcome {
    let Restore { file, force, at } = args;
    let done = admin::restore(admin::Restore { data: at.data, file, force }).await?;
    say(&format!("restored: {} payments, epoch {}", done.payments, done.epoch))?;
    if let Some(kept) = &done.kept {
        advise(&format!("The database that was there is kept in {}.", kept.display()));
    }
    advise(
        "Start serve now: it asks Stripe what happened since the backup, and until that is done \
         payers get no new card page. `holdfast doctor` and the office say how far it is. \
         Handhelds show their orders again by themselves.",
    );
    advise(
        "What people changed since the backup has to be done again: handhelds that were revoked are \
         good again until you revoke them, and users, keys and price lists are those of the backup. \
         Everybody signs in again.",
    );
    if done.beyond_events {
        advise(
            "The backup is older than 30 days, and Stripe keeps events no longer: compare refunds and \
             disputes of before then with Stripe's Dashboard.",
        );
    }
    Ok(())
}

async fn doctor(data: &Path) -> Outcome {
    let findings = admin::doctor(data).await?;
    for found in &findings {
        let mark = match found.health {
            Health::Good => "ok  ",
            Health::Advice => "note",
            Health::Bad => "BAD ",
        };
        say(&format!("{mark} {}: {}", found.what, found.words))?;
    }
    let bad = findings.iter().filter(|found| found.health == Health::Bad).count();
    if bad == 0 {
        Ok(())
    } else {
        Err(format!("{bad} of {} things are to be mended", findings.len()).into())
    }
}

/// What was asked for goes to standard output, and at once.
pub(crate) fn say(line: &str) -> Outcome {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

/// Advice goes to standard error, where it disturbs no script.
fn advise(line: &str) {
    // Advice that cannot be read is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

async fn init(args: Init) -> Outcome {
    let without_url = args.public_url.is_none();
    let made = admin::init(admin::Init {
        data: args.at.data,
        tenant: args.at.tenant,
        name: args.name,
        public_url: args.public_url,
        hosts: args.hosts,
    });
    let made = made.await?;
    say(&format!("sign-in link (works once, for a day): {}", made.sign_in_link))?;
    if without_url {
        advise(
            "Without --public-url the link leads to the address that serve uses by default; with \
             another --listen, put that address in its place.",
        );
    }
    advise("Keep a copy of master.key apart from the database: without it no secret opens.");
    Ok(())
}

async fn serve(args: Serve) -> Outcome {
    logs::start();
    let tls = args.tls_cert.zip(args.tls_key);
    let running = holdfast_gateway::start(Options {
        data: args.data,
        listen: args.listen,
        public_url: args.public_url,
        tls: tls.map(|(certificate, key)| TlsFiles { certificate, key }),
        tls_ca: args.tls_ca,
        metrics_listen: args.metrics_listen,
        trusted_proxies: args.trusted_proxies,
    });
    let running = running.await?;
    let stop = StopSignal::new()?;
    say(&format!("listening on {}", running.url()))?;
    stop.told().await;
    running.shutdown().await;
    Ok(())
}

async fn code(at: At, officer: Option<String>, approved: bool) -> Outcome {
    let made = admin::handheld_code(&at.data, &at.tenant, officer.as_deref(), approved).await?;
    say(&made.link)?;
    let minutes = made.expires_in_s / 60;
    advise(&format!(
        "For {}: scan or type it on the handheld within {minutes} minutes (code {}).",
        made.officer, made.code
    ));
    if !approved {
        advise("Then compare the six digits and approve the handheld on the Handhelds page.");
    }
    Ok(())
}

async fn stripe_set(args: StripeSet) -> Outcome {
    let from_environment = |name| std::env::var(name).ok().map(Secret::new);
    let mode = args.mode;
    let code = args.code.clone();
    let set = admin::stripe_set(
        &args.at.data,
        admin::SetProcessor {
            tenant: args.at.tenant,
            code: args.code,
            mode,
            name: args.name,
            currency: args.currency,
            webhook_id: args.webhook_id,
            api_base: args.api_base,
            secret_key: from_environment("STRIPE_SECRET_KEY"),
            publishable_key: from_environment("STRIPE_PUBLISHABLE_KEY"),
            webhook_secret: from_environment("STRIPE_WEBHOOK_SECRET"),
        },
    );
    let set = set.await?;
    let webhook = set.webhook_secret.map_or_else(String::new, |it| format!(", webhook {it}"));
    say(&format!(
        "{code} {mode}: secret key {}{webhook}, generation {}",
        set.secret_key, set.generation
    ))?;
    if webhook.is_empty() {
        advise(
            "No STRIPE_WEBHOOK_SECRET was given; without one, redirect and poll settle payments.",
        );
    }
    if let Some((account, other)) = set.two_accounts {
        advise(&format!(
            "STRIPE_SECRET_KEY is of the account {account}, and the key of the other mode is of {other}. \
             Unless one is a sandbox of the same business, set the key again that is of the wrong account."
        ));
    }
    if let Some(currency) = set.prices_in {
        advise(&format!(
            "The price list is in {currency}, which {code} does not take: load it again with \
             `holdfast catalogue load`."
        ));
    }
    if set.mode_in_force != mode {
        advise(&format!(
            "{code} stays in {} mode; these keys are kept for later.",
            set.mode_in_force
        ));
    }
    Ok(())
}
