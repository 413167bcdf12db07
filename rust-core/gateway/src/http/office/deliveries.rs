//! Deliveries: what Stripe sent, what went wrong, what was found without it, and the signing secrets.

use super::enter::Dress;
use super::{Desk, Sheet};
use crate::connection::Step;
use crate::core::Core;
use crate::credentials::{credentials, newest_generation};
use crate::deliveries::repairs::{self, Repaired};
use crate::deliveries::replay::{self, Replayed};
use crate::deliveries::secrets::{self, Advice, SecretView};
use crate::deliveries::senders::{self, Senders};
use crate::deliveries::trouble::{self, Books};
use crate::deliveries::{self, Delivery, SHOWN_MAX};
use crate::http::App;
use crate::http::error::Problem;
use crate::pages::Moment;
use crate::pages::deliveries::{
    BooksView, DeliveriesPage, DeliveryRow, FieldView, RepairedRow, SecretRow, TrialView,
    TroublePart,
};
use crate::processors;
use crate::store::{StoreError, rows};
use crate::users::Role;
use crate::webhook_books;
use crate::webhook_secrets::{self, NO_ROOM, WebhookSecretRow};
use crate::worker::reconcile;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use holdfast_domain::{Mode, TenantSlug};
use holdfast_ledger::work::FOLLOWED;
use holdfast_stripe::{CallError, STRIPE_API_BASE, WebhookSecret};
use sqlx::query;

/// How long the Stripe CLI's secret is good here, in milliseconds: a day, as long as one tries things.
const CLI_SECRET_TTL_MS: i64 = 24 * 60 * 60 * 1000;
/// Longest ID of an event, in characters.
const EVENT_ID_CHARS_MAX: usize = 255;

/// What happened to the page just now.
#[derive(Default)]
struct News {
    steps: Vec<Step>,
    secret_error: Option<String>,
    senders: Option<FieldView>,
    replay: FieldView,
}

impl News {
    fn is_refusal(&self) -> bool {
        let fields = [self.senders.as_ref(), Some(&self.replay)];
        self.secret_error.is_some() || fields.iter().flatten().any(|it| it.error.is_some())
    }
}

pub(in crate::http) async fn page(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    show(&desk, News::default()).await
}

async fn show(desk: &Desk, news: News) -> Result<Response, Problem> {
    let (core, tenant) = (&desk.app.core, desk.slug());
    let status = if news.is_refusal() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let newest = deliveries::newest(core, tenant).await?;
    let missed = repairs::missed(core, tenant).await?;
    let books = trouble::books(core, tenant).await?;
    let all = trouble::trouble(core, &desk.app.refusals, tenant, &missed, &books).await?;
    let senders = match news.senders {
        Some(typed) => typed,
        None => FieldView { typed: senders::of(core, tenant).await?.lines(), error: None },
    };
    let page = DeliveriesPage {
        top: desk.top("deliveries").await?,
        trouble: TroublePart { all }.render()?,
        steps: news.steps,
        newest: newest.first().map_or(0, |it| it.number),
        rows: newest.into_iter().map(row_html).collect::<Result<_, _>>()?,
        rows_max: SHOWN_MAX,
        repaired: missed.into_iter().map(|it| repaired_row(it, &books)).collect(),
        secrets: secrets::list(core, tenant).await?.into_iter().map(secret_row).collect(),
        books: (books.asked_at_ms > 0)
            .then(|| BooksView { asked: Moment::from_ms(books.asked_at_ms), steps: books.steps }),
        trial: trial(desk, news.secret_error).await?,
        senders,
        replay: news.replay,
    };
    Ok((status, Html(page.render()?)).into_response().dressed())
}

/// What is wrong, on the page and in its live stream.
pub(in crate::http) async fn trouble_html(
    app: &App,
    tenant: &TenantSlug,
) -> Result<String, Problem> {
    let missed = repairs::missed(&app.core, tenant).await?;
    let books = trouble::books(&app.core, tenant).await?;
    let all = trouble::trouble(&app.core, &app.refusals, tenant, &missed, &books).await?;
    Ok(TroublePart { all }.render()?)
}

/// One row of the list, on the page and in its live stream.
pub(in crate::http) fn row_html(it: Delivery) -> Result<String, askama::Error> {
    let row = DeliveryRow {
        number: it.number,
        at: Moment::from_ms(it.at_ms),
        address: it.address,
        endpoint: it.endpoint,
        is_test: it.mode == Mode::Test.as_str(),
        kind: it.kind,
        event: it.event,
        payment: it.payment,
        outcome: it.outcome.as_str(),
        result: it.outcome.words(),
        good: !it.outcome.is_refused(),
        answer: it.answer,
        reason: it.reason,
        sender: it.sender,
    };
    row.render()
}

fn repaired_row(it: Repaired, books: &Books) -> RepairedRow {
    let at_stripe = books.steps.iter().find(|step| !step.good);
    RepairedRow {
        payment: it.payment,
        at: Moment::from_ms(it.at_ms),
        state: it.state.into(),
        how: it.how,
        why: match (it.refused, at_stripe) {
            (Some(reason), _) => format!("Its delivery was refused: {reason}."),
            (None, Some(step)) => format!("Nothing came. {}", step.words),
            (None, None) => "Stripe delivered nothing about it.".to_owned(),
        },
    }
}

fn secret_row(it: SecretView) -> SecretRow {
    let (advice, until_ms) = match it.advice {
        Advice::Temporary => ("The Stripe CLI's; it ends by itself", Some(it.expires_ms)),
        Advice::Drop => (
            "Safe to drop: a newer one is in use, and for a day nothing came that only this one fits",
            None,
        ),
        Advice::Keep(until_ms) => (
            "A newer one is in use. Safe to drop if nothing comes that only this one fits, from",
            Some(until_ms),
        ),
        Advice::Roll => ("Older than 90 days: roll it at Stripe and enter the new one", None),
        Advice::Unused => ("Nothing has come with it yet. Press Verify webhook", None),
        Advice::InUse => ("In use", None),
    };
    SecretRow {
        mode: it.mode.as_str(),
        number: it.number,
        account: it.account,
        endpoint: it.endpoint,
        masked: it.masked,
        added: Moment::from_ms(it.added_ms),
        last_used: (it.last_used_ms > 0).then(|| Moment::from_ms(it.last_used_ms)),
        advice: advice.to_owned(),
        until: until_ms.map(Moment::from_ms),
        may_go: matches!(it.advice, Advice::Drop | Advice::Temporary | Advice::Unused),
    }
}

async fn trial(desk: &Desk, secret_error: Option<String>) -> Result<TrialView, StoreError> {
    let [address, _] = webhook_books::addresses(desk.app.public_url.as_str(), desk.slug());
    Ok(TrialView {
        address,
        events: FOLLOWED.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(","),
        sandbox: sandbox(&desk.app.core, desk.slug()).await?,
        secret_error,
    })
}

/// Where the test keys go, if not to Stripe.
async fn sandbox(core: &Core, tenant: &TenantSlug) -> Result<Option<String>, StoreError> {
    let sql = query(
        "SELECT api_base FROM processors WHERE tenant = ? AND mode = 'test' AND api_base <> ? \
         ORDER BY created_at_ms DESC LIMIT 1",
    );
    let sql = sql.bind(tenant.as_str()).bind(STRIPE_API_BASE);
    let row = sql.fetch_optional(&core.store.reads).await?;
    row.map(|row| rows::text(&row, "api_base")).transpose()
}

/// Asks Stripe for its side, and for the events that did not come.
pub(in crate::http) async fn ask(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let (core, public_url) = (&desk.app.core, desk.app.public_url.as_str());
    reconcile::look_at(core, desk.slug(), public_url).await?;
    Ok(Redirect::to("/admin/deliveries#books").into_response())
}

pub(in crate::http) async fn replay(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Finance)?;
    let (core, who) = (&desk.app.core, &desk.session.user.name);
    let event = sheet.text("event")?.trim();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let refused = |why: &str| News {
        replay: FieldView { typed: event.to_owned(), error: Some(why.to_owned()) },
        ..News::default()
    };
    let is_id = event.starts_with("evt_") && event.bytes().all(plain);
    if !is_id || event.len() > EVENT_ID_CHARS_MAX {
        return show(desk, refused("An event's ID begins with evt_; copy it from Stripe.")).await;
    }
    let mut replayed = replay::replay(core, desk.slug(), who, event).await?;
    if replayed == Replayed::Unknown && fetch(desk, event).await? {
        replayed = replay::replay(core, desk.slug(), who, event).await?;
    }
    let step = match replayed {
        Replayed::Looked(payment) => {
            Step::good(format!("Stripe is asked about payment {payment} again; see Payments."))
        }
        Replayed::Nothing => {
            Step::bad("This event is about no payment of this gateway; there is nothing to do.")
        }
        Replayed::Unknown => {
            let why = "Neither this gateway nor Stripe knows this event. Stripe keeps events for 30 \
                       days.";
            return show(desk, refused(why)).await;
        }
    };
    show(desk, News { steps: vec![step], ..News::default() }).await
}

/// Fetches an event from Stripe with the keys of every payment type; true if one knew it.
async fn fetch(desk: &Desk, id: &str) -> Result<bool, Problem> {
    let (core, tenant) = (&desk.app.core, desk.slug());
    for kind in processors::payment_types(core, tenant).await? {
        for mode in [Mode::Test, Mode::Live] {
            let newest = newest_generation(core, tenant, &kind.code, mode).await?;
            let Some(generation) = newest else { continue };
            let keys = credentials(core, tenant, &kind.code, mode, generation).await;
            let client = keys.ok().and_then(|keys| {
                crate::accounts::impatient(core, &keys.api_base, keys.secret_key).ok()
            });
            let Some(client) = client else { continue };
            match client.event(id).await {
                Ok(event) => {
                    replay::bring(core, tenant, mode, &event).await?;
                    return Ok(true);
                }
                Err(CallError::Refused(_)) => {}
                Err(error) => tracing::info!(%tenant, %error, "an event could not be asked for"),
            }
        }
    }
    Ok(false)
}

pub(in crate::http) async fn drop_secret(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let mode = Mode::parse(sheet.text("mode")?).ok_or_else(super::incomplete)?;
    let (core, who) = (&desk.app.core, &desk.session.user.name);
    secrets::remove(core, desk.slug(), who, mode, sheet.number("number")?).await?;
    Ok(Redirect::to("/admin/deliveries#secrets").into_response())
}

/// The temporary secret that `stripe listen` prints: for test mode, for a day.
pub(in crate::http) async fn cli_secret(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let (core, tenant) = (&desk.app.core, desk.slug());
    let refused = |why: String| News { secret_error: Some(why), ..News::default() };
    let secret = match WebhookSecret::parse(sheet.text("secret")?) {
        Ok(secret) => secret,
        Err(why) => {
            let why = format!("This is not what stripe listen prints: {why}.");
            return show(desk, refused(why)).await;
        }
    };
    if !webhook_secrets::has_room(core, tenant, Mode::Test, &secret).await? {
        return show(desk, refused(NO_ROOM.to_owned())).await;
    }
    let until_ms = core.now_ms().saturating_add(CLI_SECRET_TTL_MS);
    let detail = format!("test {}, for a day", secret.masked());
    let row =
        WebhookSecretRow { secret, endpoint: "Stripe CLI".to_owned(), until_ms: Some(until_ms) };
    webhook_secrets::add(core, tenant, Mode::Test, row).await?;
    let who = &desk.session.user.name;
    crate::audit::note(core, tenant, who, "cli_secret_added", &detail).await?;
    Ok(Redirect::to("/admin/deliveries#secrets").into_response())
}

/// From which addresses deliveries are taken.
pub(in crate::http) async fn senders(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let typed = sheet.text("senders")?;
    match Senders::parse(typed) {
        Ok(list) => {
            let who = &desk.session.user.name;
            senders::set(&desk.app.core, desk.slug(), who, &list).await?;
            Ok(Redirect::to("/admin/deliveries#senders").into_response())
        }
        Err(why) => {
            let senders = FieldView { typed: typed.to_owned(), error: Some(why) };
            show(desk, News { senders: Some(senders), ..News::default() }).await
        }
    }
}
