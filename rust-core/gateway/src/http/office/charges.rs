//! The pages of charges: what is owed, one by one, from files, and by programs.

use super::enter::Dress;
use super::{Desk, Sheet};
use crate::charges::credentials::{self, CredentialError};
use crate::charges::list::{self, EXPORT_MAX, Found, PAGE_MAX, Wanted};
use crate::charges::typed::{self, Amount, PARTS_MAX, TypedCharge, USER_TYPES};
use crate::charges::{Habit, csv, habit};
use crate::http::error::Problem;
use crate::pages::Moment;
use crate::pages::charges::{
    ChargePage, ChargeRow, ChargesPage, CredentialView, CredentialsPage, ImportPage, PartView,
    StateChoice,
};
use crate::settings::FieldError;
use crate::users::Role;
use askama::Template;
use axum::extract::{Path, Query};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use holdfast_domain::{ChargeState, Mode};
use holdfast_ledger::{Charge, PutCharges, PutOutcome, Store, WithdrawCharge, WithdrawOutcome};
use serde::Deserialize;

/// Empty rows for further parts on the form.
const SPARE_PARTS: usize = 2;
/// The states that the list can be narrowed to.
const STATES: [ChargeState; 4] =
    [ChargeState::Open, ChargeState::BeingPaid, ChargeState::Settled, ChargeState::Withdrawn];

/// What of the list is wanted.
#[derive(Deserialize, Default)]
pub(in crate::http) struct ListQuery {
    #[serde(default)]
    find: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: u32,
}

impl ListQuery {
    fn wanted(&self) -> Wanted {
        let state = STATES.into_iter().find(|it| it.as_str() == self.state);
        Wanted { find: self.find.chars().take(60).collect(), state, users: None }
    }
}

pub(in crate::http) async fn page(
    desk: Desk,
    Query(asked): Query<ListQuery>,
) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    let (core, wanted) = (&desk.app.core, asked.wanted());
    let habit = habit(core, desk.slug()).await?;
    let offset = i64::from(asked.page).saturating_mul(PAGE_MAX);
    // One more than fits tells whether there is a next page.
    let span = (PAGE_MAX.saturating_add(1), offset);
    let mut found = list::find(core, desk.slug(), habit.mode, &wanted, span).await?;
    let page_max = usize::try_from(PAGE_MAX).unwrap_or(usize::MAX);
    let has_more = found.len() > page_max;
    found.truncate(page_max);
    let choice = |state: ChargeState| StateChoice {
        name: state.as_str(),
        words: state.words(),
        chosen: wanted.state == Some(state),
    };
    let page = ChargesPage {
        top: desk.top("charges").await?,
        rows: found.iter().map(|it| row(it, habit.mode)).collect(),
        find: wanted.find.clone(),
        states: STATES.map(choice).to_vec(),
        is_narrowed: !wanted.find.is_empty() || wanted.state.is_some(),
        state: wanted.state.map(ChargeState::as_str).unwrap_or_default(),
        previous: asked.page.checked_sub(1),
        next: has_more.then(|| asked.page.saturating_add(1)),
    };
    Ok(Html(page.render()?).into_response().dressed())
}

fn row(found: &Found, mode: Mode) -> ChargeRow {
    let charge = &found.charge;
    let what: Vec<&str> = charge.lines.iter().map(|line| line.text.as_str()).collect();
    ChargeRow {
        reference: charge.reference.to_string(),
        plate: charge.plate.clone(),
        payer: charge.payer.clone(),
        what: what.join(", "),
        amount: charge.amount,
        due_on: charge.due_on.clone(),
        state: found.state(mode).into(),
        payment: found.payment(mode).map(|it| it.to_string()),
        is_test: mode == Mode::Test,
    }
}

pub(in crate::http) async fn new(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    let habit = habit(&desk.app.core, desk.slug()).await?;
    let typed = TypedCharge {
        currency: habit.currency.code().to_owned(),
        user_types: USER_TYPES.map(|(name, _)| name).join(","),
        ..TypedCharge::default()
    };
    show(&desk, None, &typed, Vec::new(), false).await
}

async fn known(desk: &Desk, reference: &str) -> Result<(Found, Habit), Problem> {
    let habit = habit(&desk.app.core, desk.slug()).await?;
    let found = list::one(&desk.app.core, desk.slug(), reference).await?;
    let found = found.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "No such charge",
            "There is no charge of this reference.",
            "Go back to Charges and look for it there.",
        )
    })?;
    Ok((found, habit))
}

pub(in crate::http) async fn edit(
    desk: Desk,
    Path(reference): Path<String>,
) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    let (found, _) = known(&desk, &reference).await?;
    let typed = typed_of(&found.charge);
    show(&desk, Some(&found), &typed, Vec::new(), false).await
}

fn typed_of(charge: &Charge) -> TypedCharge {
    let currency = charge.amount.currency();
    let digits = |minor| {
        let text = holdfast_domain::Money::new(minor, currency).to_string();
        text.rsplit(' ').next().unwrap_or_default().to_owned()
    };
    let part =
        |line: &holdfast_ledger::ChargeLine| (line.text.clone(), Amount::Typed(digits(line.minor)));
    TypedCharge {
        reference: charge.reference.to_string(),
        plate: charge.plate.clone(),
        payer: charge.payer.clone(),
        parts: charge.lines.iter().map(part).collect(),
        currency: currency.code().to_owned(),
        due_on: charge.due_on.clone(),
        user_types: charge.user_types.clone(),
    }
}

async fn show(
    desk: &Desk,
    known: Option<&Found>,
    typed: &TypedCharge,
    errors: Vec<FieldError>,
    saved: bool,
) -> Result<Response, Problem> {
    let mode = habit(&desk.app.core, desk.slug()).await?.mode;
    let mut parts: Vec<PartView> = typed
        .parts
        .iter()
        .map(|(text, amount)| PartView {
            text: text.clone(),
            amount: match amount {
                Amount::Typed(typed) => typed.clone(),
                Amount::Minor(minor) => minor.to_string(),
            },
        })
        .collect();
    let rows = parts.len().saturating_add(SPARE_PARTS).min(PARTS_MAX).max(parts.len());
    parts.resize_with(rows, PartView::default);
    let failed = !errors.is_empty();
    let page = ChargePage {
        top: desk.top("charges").await?,
        row: known.map(|found| row(found, mode)),
        withdrawn: known.map(|it| it.charge.withdrawn.clone()).unwrap_or_default(),
        seen: known.map(|it| it.charge.changed_at_ms).unwrap_or_default(),
        reference: typed.reference.clone(),
        plate: typed.plate.clone(),
        payer: typed.payer.clone(),
        parts,
        currency: typed.currency.clone(),
        due_on: typed.due_on.clone(),
        user_types: USER_TYPES
            .iter()
            .map(|(name, words)| (*name, *words, typed.user_types.split(',').any(|it| it == *name)))
            .collect(),
        errors,
        saved,
    };
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Html(page.render()?)).into_response().dressed())
}

fn typed_in(sheet: &Sheet, reference: &str) -> TypedCharge {
    let field = |name| sheet.field(name).unwrap_or_default().to_owned();
    let parts = sheet.all("for").zip(sheet.all("amount"));
    let filled =
        parts.filter(|(text, amount)| !(text.trim().is_empty() && amount.trim().is_empty()));
    TypedCharge {
        reference: reference.to_owned(),
        plate: field("plate"),
        payer: field("payer"),
        parts: filled
            .take(PARTS_MAX.saturating_add(1))
            .map(|(text, amount)| (text.to_owned(), Amount::Typed(amount.to_owned())))
            .collect(),
        currency: field("currency"),
        due_on: field("due_on"),
        user_types: sheet.all("user_types").collect::<Vec<_>>().join(","),
    }
}

pub(in crate::http) async fn add(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Finance)?;
    let typed = typed_in(&sheet, sheet.text("reference")?);
    save(desk, None, &typed).await
}

pub(in crate::http) async fn change(
    Path(reference): Path<String>,
    sheet: Sheet,
) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Finance)?;
    let (found, _) = known(desk, &reference).await?;
    let typed = typed_in(&sheet, &reference);
    if sheet.number::<i64>("seen")? != found.charge.changed_at_ms {
        let why = "Somebody changed this charge since you opened it. This is how it stands now; \
                   change it again.";
        let errors = vec![("reference", why.to_owned())];
        return show(desk, Some(&found), &typed_of(&found.charge), errors, false).await;
    }
    save(desk, Some(&found), &typed).await
}

async fn save(
    desk: &Desk,
    known_as: Option<&Found>,
    typed: &TypedCharge,
) -> Result<Response, Problem> {
    let (core, slug) = (&desk.app.core, desk.slug());
    let currency = habit(core, slug).await?.currency;
    let nobody = typed.user_types.is_empty();
    let mut errors = match typed::checked(typed, slug, currency) {
        Ok(charge) if !nobody => {
            let who = desk.session.user.name.clone();
            let put = PutCharges { charges: vec![charge], may_change: known_as.is_some(), who };
            match core.store.run(put).await? {
                PutOutcome::Written { .. } if known_as.is_none() => {
                    return Ok(Redirect::to("/admin/charges").into_response());
                }
                PutOutcome::Written { .. } => {
                    let (found, _) = known(desk, &typed.reference).await?;
                    return show(desk, Some(&found), &typed_of(&found.charge), vec![], true).await;
                }
                PutOutcome::Refused(why) => why
                    .into_iter()
                    .map(|(_, why)| ("reference", sentence(&why.to_string())))
                    .collect(),
            }
        }
        Ok(_) => Vec::new(),
        Err(errors) => errors,
    };
    if nobody {
        errors.push(("user_types", "Choose at least one; nobody could pay otherwise.".into()));
    }
    show(desk, known_as, typed, errors, false).await
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

pub(in crate::http) async fn withdraw(
    Path(reference): Path<String>,
    sheet: Sheet,
) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Finance)?;
    let (found, _) = known(desk, &reference).await?;
    let refused = |why: String| vec![("reason", why)];
    let Some(reason) = typed::reason(sheet.text("reason")?) else {
        let why = format!("Write why, in at most {} characters.", typed::REASON_CHARS_MAX);
        return show(desk, Some(&found), &typed_of(&found.charge), refused(why), false).await;
    };
    let (tenant, who) = (desk.slug().clone(), desk.session.user.name.clone());
    let take = WithdrawCharge { tenant, reference: found.charge.reference.clone(), reason, who };
    match desk.app.core.store.run(take).await? {
        WithdrawOutcome::Withdrawn | WithdrawOutcome::Unknown => {
            Ok(Redirect::to("/admin/charges").into_response())
        }
        WithdrawOutcome::Refused(why) => {
            let errors = refused(sentence(&why.to_string()));
            show(desk, Some(&found), &typed_of(&found.charge), errors, false).await
        }
    }
}

pub(in crate::http) async fn import_page(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    show_import(&desk, "", Vec::new(), None).await
}

async fn show_import(
    desk: &Desk,
    text: &str,
    errors: Vec<String>,
    done: Option<(usize, usize)>,
) -> Result<Response, Problem> {
    let failed = !errors.is_empty();
    let page = ImportPage {
        top: desk.top("charges").await?,
        columns: csv::COLUMNS.join(","),
        text: text.to_owned(),
        errors,
        done,
    };
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Html(page.render()?)).into_response().dressed())
}

pub(in crate::http) async fn import(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Finance)?;
    let (core, slug, text) = (&desk.app.core, desk.slug(), sheet.text("csv")?);
    let currency = habit(core, slug).await?.currency;
    let charges = match csv::read(text.as_bytes(), slug, currency) {
        Ok(charges) => charges,
        Err(errors) => return show_import(desk, text, errors, None).await,
    };
    let names: Vec<String> = charges.iter().map(|it| it.reference.to_string()).collect();
    let who = desk.session.user.name.clone();
    let put = PutCharges { charges, may_change: sheet.field("replace").is_some(), who };
    match core.store.run(put).await? {
        PutOutcome::Written { new, changed } => {
            show_import(desk, "", Vec::new(), Some((new, changed))).await
        }
        PutOutcome::Refused(refused) => {
            let name = |place: usize| names.get(place).cloned().unwrap_or_default();
            let errors = refused.iter().take(PAGE_MAX.unsigned_abs() as usize);
            let errors = errors.map(|(place, why)| format!("{}: {why}.", name(*place))).collect();
            show_import(desk, text, errors, None).await
        }
    }
}

fn file(name: &str, bytes: Vec<u8>) -> Response {
    let named = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, named),
    ];
    (headers, bytes).into_response()
}

pub(in crate::http) async fn example(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    Ok(file("charges-example.csv", csv::EXAMPLE.as_bytes().to_vec()))
}

pub(in crate::http) async fn export(
    desk: Desk,
    Query(asked): Query<ListQuery>,
) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    let (core, slug) = (&desk.app.core, desk.slug());
    let mode = habit(core, slug).await?.mode;
    let found = list::find(core, slug, mode, &asked.wanted(), (EXPORT_MAX, 0)).await?;
    let rows = found.iter().map(|it| (&it.charge, it.state(mode).as_str()));
    Ok(file("charges.csv", csv::write(rows)))
}

pub(in crate::http) async fn programs(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Administrator)?;
    show_programs(&desk, None, None, "").await
}

async fn show_programs(
    desk: &Desk,
    made: Option<String>,
    error: Option<String>,
    name: &str,
) -> Result<Response, Problem> {
    let all = credentials::all(&desk.app.core, desk.slug()).await?;
    let failed = error.is_some();
    let page = CredentialsPage {
        top: desk.top("charges").await?,
        address: format!("{}/api/{}/charges", desk.app.public_url.as_str(), desk.slug()),
        credentials: all
            .into_iter()
            .map(|it| CredentialView {
                number: it.number,
                name: it.name,
                ends_with: it.ends_with,
                made_at: Moment::from_ms(it.created_at_ms),
                used_at: (it.used_at_ms > 0).then(|| Moment::from_ms(it.used_at_ms)),
            })
            .collect(),
        made,
        error,
        name: name.to_owned(),
    };
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Html(page.render()?)).into_response().dressed())
}

pub(in crate::http) async fn make_credential(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let name = sheet.text("name")?;
    let who = &desk.session.user.name;
    match credentials::make(&desk.app.core, desk.slug(), who, name).await {
        Ok(token) => show_programs(desk, Some(token), None, "").await,
        Err(CredentialError::Store(error)) => Err(error.into()),
        Err(CredentialError::Entropy(error)) => Err(error.into()),
        Err(error) => show_programs(desk, None, Some(error.to_string()), name).await,
    }
}

pub(in crate::http) async fn revoke_credential(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let who = &desk.session.user.name;
    credentials::revoke(&desk.app.core, desk.slug(), who, sheet.number("credential")?).await?;
    Ok(Redirect::to("/admin/charges/api").into_response())
}
