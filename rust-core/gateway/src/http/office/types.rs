//! Payment Types: the list, a new one, and one with its settings and keys.

use super::enter::Dress;
use super::{Desk, Sheet};
use crate::cash;
use crate::connection::{self, Step, Subject};
use crate::credentials::{credentials, newest_generation};
use crate::http::error::Problem;
use crate::live_mode;
use crate::pages::types::{KeysPart, TypePage, TypeRow, TypesPage};
use crate::processors::{self, PaymentTypeRow};
use crate::settings::{self, FieldError, SettingsError, TypedKeys, TypedType};
use crate::users::Role;
use crate::webhook_books;
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use holdfast_domain::{Mode, PaymentTypeCode};
use holdfast_ledger::work::FOLLOWED;
use holdfast_protocol::wire::Provider;

/// Who may use a payment type: its name in the form, and in words.
pub(crate) const USER_TYPES: [(&str, &str); 3] = [
    ("officers", "Officers, on handhelds"),
    ("tables", "Payers, by QR code on tables"),
    ("portal", "Payers, in the web portal"),
];

pub(in crate::http) async fn list(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Administrator)?;
    let types = processors::payment_types(&desk.app.core, desk.slug()).await?;
    let row = |kind: PaymentTypeRow| TypeRow {
        code: kind.code.to_string(),
        users: words_of(&kind.user_types),
        name: kind.name,
        provider: match kind.provider {
            Provider::Stripe => "Stripe",
            Provider::Cash => "Cash",
        },
        currency: kind.currency.code().to_owned(),
        is_test: kind.mode == Mode::Test,
        ready: kind.ready,
    };
    let page =
        TypesPage { top: desk.top("types").await?, types: types.into_iter().map(row).collect() };
    Ok(Html(page.render()?).into_response())
}

fn words_of(user_types: &str) -> String {
    let chosen = USER_TYPES.iter().filter(|(name, _)| user_types.split(',').any(|it| it == *name));
    chosen.map(|(_, words)| *words).collect::<Vec<_>>().join("; ")
}

/// What the form of a type shows.
struct Typed {
    is_cash: bool,
    code: String,
    name: String,
    currency: String,
    user_types: String,
}

/// What happened to the page just now.
#[derive(Default)]
struct News {
    errors: Vec<FieldError>,
    /// Which set of keys the errors or steps are about; none: the settings.
    about: Option<Mode>,
    heading: &'static str,
    steps: Vec<Step>,
    /// Publishable Key and Webhook ID as they were typed.
    typed: [String; 2],
}

pub(in crate::http) async fn new(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Administrator)?;
    let typed = Typed {
        is_cash: false,
        code: String::new(),
        name: String::new(),
        currency: "USD".to_owned(),
        user_types: "officers".to_owned(),
    };
    show(&desk, None, typed, News::default()).await
}

pub(in crate::http) async fn add(sheet: Sheet) -> Result<Response, Problem> {
    save_type(&sheet, None).await
}

pub(in crate::http) async fn save(
    Path(code): Path<String>,
    sheet: Sheet,
) -> Result<Response, Problem> {
    sheet.by(Role::Administrator)?;
    let kind = find(&sheet.desk, &code).await?;
    save_type(&sheet, Some(kind)).await
}

async fn save_type(sheet: &Sheet, known: Option<PaymentTypeRow>) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let chosen =
        USER_TYPES.iter().filter(|(name, _)| sheet.all("user_types").any(|it| it == *name));
    let user_types = chosen.map(|(name, _)| *name).collect::<Vec<_>>().join(",");
    let code = match &known {
        Some(kind) => kind.code.to_string(),
        None => sheet.text("code")?.to_owned(),
    };
    let (name, currency) = (sheet.text("name")?, sheet.text("currency")?);
    // The provider of a known type stays: its payments were made by it.
    let provider = match known.as_ref().map(|kind| kind.provider) {
        Some(Provider::Cash) => "cash",
        Some(Provider::Stripe) => "stripe",
        None => sheet.text("provider")?,
    };
    let typed = TypedType { code: &code, name, provider, currency, user_types: user_types.clone() };
    let (core, who) = (&desk.app.core, &desk.session.user.name);
    match settings::save_type(core, desk.slug(), who, typed, known.is_none()).await {
        Ok(code) => Ok(Redirect::to(&format!("/admin/types/{code}")).into_response()),
        Err(SettingsError::Folder(error)) => Err(error.into()),
        Err(SettingsError::Fields(errors)) => {
            let (is_cash, name) = (provider == "cash", name.into());
            let typed = Typed { is_cash, code, name, currency: currency.into(), user_types };
            show(desk, known, typed, News { errors, ..News::default() }).await
        }
    }
}

pub(super) async fn find(desk: &Desk, code: &str) -> Result<PaymentTypeRow, Problem> {
    let unknown = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "No such payment type",
            "There is no payment type with this code here.",
            "Go back to the list and choose one.",
        )
        .leading_to("/admin/types", "Payment Types")
    };
    let code = PaymentTypeCode::parse(code).map_err(|_| unknown())?;
    let found = processors::payment_type(&desk.app.core, desk.slug(), &code).await?;
    found.ok_or_else(unknown)
}

pub(in crate::http) async fn edit(
    Path(code): Path<String>,
    desk: Desk,
) -> Result<Response, Problem> {
    desk.needs(Role::Administrator)?;
    let kind = find(&desk, &code).await?;
    show_kind(&desk, kind, News::default()).await
}

async fn show_kind(desk: &Desk, kind: PaymentTypeRow, news: News) -> Result<Response, Problem> {
    let typed = Typed {
        is_cash: kind.provider == Provider::Cash,
        code: kind.code.to_string(),
        name: kind.name.clone(),
        currency: kind.currency.code().to_owned(),
        user_types: kind.user_types.clone(),
    };
    show(desk, Some(kind), typed, news).await
}

async fn show(
    desk: &Desk,
    known: Option<PaymentTypeRow>,
    typed: Typed,
    news: News,
) -> Result<Response, Problem> {
    let mut sets = Vec::new();
    if let Some(kind) = known.as_ref().filter(|kind| kind.provider == Provider::Stripe) {
        for mode in [Mode::Test, Mode::Live] {
            let about = news.about == Some(mode);
            sets.push(KeysPart {
                mode: mode.as_str(),
                in_force: kind.mode == mode,
                keys: settings::keys(&desk.app.core, desk.slug(), &kind.code, mode).await?,
                errors: if about { news.errors.clone() } else { Vec::new() },
                heading: if about { news.heading } else { "" },
                steps: if about { news.steps.clone() } else { Vec::new() },
                typed: if about { news.typed.clone() } else { Default::default() },
            });
        }
    }
    let failed = !news.errors.is_empty();
    let [address, address_by_host] =
        webhook_books::addresses(desk.app.public_url.as_str(), desk.slug());
    let page = TypePage {
        top: desk.top("types").await?,
        is_new: known.is_none(),
        is_cash: typed.is_cash,
        is_test: known.as_ref().is_none_or(|kind| kind.mode == Mode::Test),
        code: typed.code,
        name: typed.name,
        currency: typed.currency,
        user_types: USER_TYPES
            .iter()
            .map(|(name, words)| (*name, *words, typed.user_types.split(',').any(|it| it == *name)))
            .collect(),
        errors: if news.about.is_none() { news.errors } else { Vec::new() },
        sets,
        events: FOLLOWED.iter().map(|it| it.as_str().to_owned()).collect(),
        address,
        address_by_host,
    };
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Html(page.render()?)).into_response().dressed())
}

/// A payment type that has keys: cash has none.
async fn with_keys(desk: &Desk, code: &str) -> Result<PaymentTypeRow, Problem> {
    let kind = find(desk, code).await?;
    if kind.provider == Provider::Stripe { Ok(kind) } else { Err(super::incomplete()) }
}

fn mode_in(sheet: &Sheet) -> Result<Mode, Problem> {
    Mode::parse(sheet.text("mode")?).ok_or_else(super::incomplete)
}

/// Cash becomes real, or training again.
pub(in crate::http) async fn cash_mode(
    Path(code): Path<String>,
    sheet: Sheet,
) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let (kind, mode) = (find(desk, &code).await?, mode_in(&sheet)?);
    let who = &desk.session.user.name;
    cash::set_mode(&desk.app.core, desk.slug(), who, &kind.code, mode).await?;
    Ok(Redirect::to(&format!("/admin/types/{}", kind.code)).into_response())
}

pub(in crate::http) async fn save_keys(
    Path(code): Path<String>,
    sheet: Sheet,
) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let (kind, mode) = (with_keys(desk, &code).await?, mode_in(&sheet)?);
    let field = |name| sheet.field(name).unwrap_or_default();
    let typed = TypedKeys {
        secret_key: field("secret_key"),
        publishable_key: field("publishable_key"),
        webhook_id: field("webhook_id"),
        webhook_secret: field("webhook_secret"),
    };
    let (core, who) = (&desk.app.core, &desk.session.user.name);
    let saved = settings::save_keys(core, desk.slug(), who, &kind, mode, &typed).await;
    let news = match saved {
        Ok(()) => {
            let mut steps =
                vec![Step::good("The keys are stored, encrypted. Check the connection now.")];
            let keys = settings::keys(core, desk.slug(), &kind.code, mode).await?;
            let account = keys.map(|it| it.account).filter(|it| !it.is_empty());
            if let Some(account) = account {
                let of = (mode, account.as_str());
                steps.extend(connection::other_account(core, desk.slug(), &kind, of).await?);
            }
            News { about: Some(mode), heading: "Saved", steps, ..News::default() }
        }
        Err(SettingsError::Fields(errors)) => {
            // What is no secret stays in its field, to be corrected.
            let typed = typed.repeatable();
            News { errors, about: Some(mode), typed, ..News::default() }
        }
        Err(SettingsError::Folder(error)) => return Err(error.into()),
    };
    show_kind(desk, kind, news).await
}

/// Which proof was asked for.
enum Proof {
    Check,
    Verify,
    Register,
}

pub(in crate::http) async fn check(
    Path(code): Path<String>,
    sheet: Sheet,
) -> Result<Response, Problem> {
    prove(&code, &sheet, Proof::Check).await
}

pub(in crate::http) async fn verify(
    Path(code): Path<String>,
    sheet: Sheet,
) -> Result<Response, Problem> {
    prove(&code, &sheet, Proof::Verify).await
}

pub(in crate::http) async fn register(
    Path(code): Path<String>,
    sheet: Sheet,
) -> Result<Response, Problem> {
    prove(&code, &sheet, Proof::Register).await
}

async fn prove(code: &str, sheet: &Sheet, proof: Proof) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let (kind, mode) = (find(desk, code).await?, mode_in(sheet)?);
    let (core, tenant) = (&desk.app.core, desk.slug());
    let generation = newest_generation(core, tenant, &kind.code, mode).await?;
    let Some(generation) = generation else {
        let errors = vec![("secret_key", "Enter the Secret Key first and save it.".to_owned())];
        return show_kind(desk, kind, News { errors, about: Some(mode), ..News::default() }).await;
    };
    let keys = credentials(core, tenant, &kind.code, mode, generation).await.map_err(|error| {
        crate::http::log_failure(&error);
        Problem::unavailable()
    })?;
    let subject = Subject { core, tenant, kind: &kind, mode, keys };
    let public_url = desk.app.public_url.as_str();
    let (heading, what, steps) = match proof {
        Proof::Check => ("Connection", "connection_checked", subject.check().await?),
        Proof::Verify => ("Webhook check", "webhook_verified", subject.verify(public_url).await?),
        Proof::Register => {
            // A second press waits, and then finds what the first has made.
            let _alone = desk.app.registering.lock().await;
            let [address, _] = webhook_books::addresses(public_url, tenant);
            ("Webhook", "webhook_registered", subject.register(&address).await?)
        }
    };
    let good = steps.iter().all(|step| step.good);
    if good && matches!(what, "webhook_verified") {
        live_mode::webhook_is_verified(core, tenant, &kind.code, mode).await?;
    }
    let detail = format!("{} {mode}: {}", kind.code, if good { "good" } else { "not yet" });
    crate::audit::note(core, tenant, &desk.session.user.name, what, &detail).await?;
    show_kind(desk, kind, News { about: Some(mode), heading, steps, ..News::default() }).await
}
