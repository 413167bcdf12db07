//! The pages of charges: what is owed, one by one.

use super::enter::Dress;
use super::{Desk, Sheet};
use crate::charges::list::{self, Found, PAGE_MAX, Wanted};
use crate::charges::typed::{self, Amount, PARTS_MAX, TypedCharge, USER_TYPES};
use crate::charges::{Habit, habit};
use crate::http::error::Problem;
use crate::pages::Moment;
use crate::pages::charges::{ChargePage, ChargeRow, ChargesPage, OwedAgain, PartView, StateChoice};
use crate::settings::{FieldError, sentence};
use crate::users::Role;
use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use holdfast_domain::{ChargeState, Mode, Money};
use holdfast_ledger::{
    Charge, ChargeRefused, PutCharges, PutOutcome, Store, WithdrawCharge, WithdrawOutcome,
};
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
    pub(super) fn wanted(&self) -> Wanted {
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
        is_lost: found.is_lost(mode),
        owed_again: found.owed_again(mode).map(|it| OwedAgain {
            payment: it.payment.to_string(),
            at: Moment::from_ms(it.at_ms),
            how: if it.by_bank { "taken back by the bank" } else { "refunded" },
        }),
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
        let text = Money::new(minor, currency).to_string();
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
    let withdrawn = known.map(|it| it.charge.withdrawn.clone()).unwrap_or_default();
    if withdrawn.is_empty() {
        let rows = parts.len().saturating_add(SPARE_PARTS).min(PARTS_MAX).max(parts.len());
        parts.resize_with(rows, PartView::default);
    }
    let failed = !errors.is_empty();
    let page = ChargePage {
        top: desk.top("charges").await?,
        row: known.map(|found| row(found, mode)),
        withdrawn,
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
    save(desk, Some((&found, sheet.number("seen")?)), &typed).await
}

/// Saves what was typed. Of a known charge: what it was, and when it was last changed as the form
/// showed it.
async fn save(
    desk: &Desk,
    known_as: Option<(&Found, i64)>,
    typed: &TypedCharge,
) -> Result<Response, Problem> {
    let (core, slug) = (&desk.app.core, desk.slug());
    let currency = habit(core, slug).await?.currency;
    let nobody = typed.user_types.is_empty();
    let mut errors = match typed::checked(typed, slug, currency) {
        Ok(charge) if !nobody => {
            let who = desk.session.user.name.clone();
            let (charges, may_change) = (vec![charge.clone()], known_as.is_some());
            let seen_ms = known_as.map(|(_, seen_ms)| seen_ms);
            match core.store.run(PutCharges { charges, may_change, seen_ms, who }).await? {
                PutOutcome::Written { .. } if known_as.is_none() => {
                    return Ok(Redirect::to("/admin/charges").into_response());
                }
                PutOutcome::Written { .. } => {
                    let (found, _) = known(desk, &typed.reference).await?;
                    return show(desk, Some(&found), &typed_of(&found.charge), vec![], true).await;
                }
                PutOutcome::Refused(why) if is_stale(&why) => return stale(desk, &charge).await,
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
    show(desk, known_as.map(|(found, _)| found), typed, errors, false).await
}

fn is_stale(why: &[(usize, ChargeRefused)]) -> bool {
    why.iter().any(|(_, why)| *why == ChargeRefused::Changed)
}

/// Somebody else was faster: the form shows how the charge stands now, and what of it is not as typed.
async fn stale(desk: &Desk, wanted: &Charge) -> Result<Response, Problem> {
    let (found, _) = known(desk, wanted.reference.as_str()).await?;
    let differs = differences(&found.charge, wanted).join("; ");
    let why = format!(
        "Somebody changed this charge since you opened it, so yours was not saved. This is how it \
         stands now; change it again. {differs}."
    );
    show(desk, Some(&found), &typed_of(&found.charge), vec![("reference", why)], false).await
}

/// What stands, beside what was typed.
fn differences(now: &Charge, typed: &Charge) -> Vec<String> {
    let parts = |charge: &Charge| {
        let currency = charge.amount.currency();
        let part = |line: &holdfast_ledger::ChargeLine| {
            format!("{} {}", line.text, Money::new(line.minor, currency))
        };
        charge.lines.iter().map(part).collect::<Vec<_>>().join(", ")
    };
    let pairs = [
        ("plate", now.plate.clone(), typed.plate.clone()),
        ("payer", now.payer.clone(), typed.payer.clone()),
        ("what is owed", parts(now), parts(typed)),
        ("due on", now.due_on.clone(), typed.due_on.clone()),
        ("who may settle it", now.user_types.clone(), typed.user_types.clone()),
    ];
    let told = |text: String| if text.is_empty() { "nothing".to_owned() } else { text };
    pairs
        .into_iter()
        .filter(|(_, now, typed)| now != typed)
        .map(|(what, now, typed)| format!("{what}: now {}, you wrote {}", told(now), told(typed)))
        .collect()
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
