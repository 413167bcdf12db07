//! Live Mode of a payment type: the guide, the trial, and off.

use super::enter::Dress;
use super::types::find;
use super::{Desk, Sheet};
use crate::handhelds::officers;
use crate::http::error::Problem;
use crate::live_mode::{self, LiveModeError};
use crate::pages::types::{LiveModePage, ProofView};
use crate::processors::PaymentTypeRow;
use crate::users::Role;
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use holdfast_domain::live::{Proof, trial_max};
use holdfast_domain::{Mode, OfficerId, PaymentTypeCode};

pub(in crate::http) async fn page(
    Path(code): Path<String>,
    desk: Desk,
) -> Result<Response, Problem> {
    desk.needs(Role::Administrator)?;
    let kind = find(&desk, &code).await?;
    show(&desk, kind, None).await
}

async fn show(
    desk: &Desk,
    kind: PaymentTypeRow,
    error: Option<String>,
) -> Result<Response, Problem> {
    let core = &desk.app.core;
    let proven = live_mode::proven(core, desk.slug(), &kind.code).await?;
    let proof = |proof: Proof| proof_view(proof, &kind.code, proven.contains(&proof));
    let named = kind.trial.clone().unwrap_or_default();
    let known = officers(core, desk.slug()).await?;
    let minor_min = crate::processors::limits(kind.currency).map_or(0, |it| it.minor_min);
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = LiveModePage {
        top: desk.top("types").await?,
        proofs: Proof::ALL.into_iter().map(proof).collect(),
        code: kind.code.to_string(),
        name: kind.name,
        is_live: kind.mode == Mode::Live,
        is_trial: kind.trial.is_some(),
        officers: known.into_iter().map(|it| (it.id.0, it.name, named.contains(&it.id))).collect(),
        most: trial_max(kind.currency, minor_min),
        error,
    };
    Ok((status, Html(page.render()?)).into_response().dressed())
}

/// A step with how and where it is done.
fn proof_view(proof: Proof, code: &PaymentTypeCode, done: bool) -> ProofView {
    let keys = |mode: Mode, words| (format!("/admin/types/{code}#keys-{mode}"), words);
    let payments = || ("/admin/payments".to_owned(), "Payments");
    let (how, place) = match proof {
        Proof::TestPayment => (
            "Hold for any amount on a handheld, open its code, and pay with Stripe's test card 4242 4242 \
             4242 4242.",
            payments(),
        ),
        Proof::WebhookVerified => (
            "Register the webhook there first, or enter its secret.",
            keys(Mode::Test, "Test keys"),
        ),
        Proof::TestRefund => ("Open a payment that is paid and press Refund Payment.", payments()),
        Proof::LiveKey => (
            "Leave test mode in Stripe's Dashboard and copy the key that begins with sk_live_.",
            keys(Mode::Live, "Live keys"),
        ),
        Proof::LiveWebhookSecret => (
            "Live mode has a webhook of its own at Stripe. One button there registers it.",
            keys(Mode::Live, "Live keys"),
        ),
    };
    ProofView { words: proof.words(), how, place, done }
}

pub(in crate::http) async fn change(
    Path(code): Path<String>,
    sheet: Sheet,
) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let kind = find(desk, &code).await?;
    let (core, who) = (&desk.app.core, &desk.session.user.name);
    match sheet.text("to")? {
        "off" => live_mode::turn_off(core, desk.slug(), &kind.code, who).await?,
        "trial" => {
            let named = sheet.all("officers").filter_map(|it| it.parse().ok()).map(OfficerId);
            let named = named.collect();
            match live_mode::begin_trial(core, desk.slug(), &kind.code, who, named).await {
                Ok(()) => {}
                Err(LiveModeError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    let words = crate::settings::sentence(error.to_string().trim_end_matches('.'));
                    return show(desk, kind, Some(words)).await;
                }
            }
        }
        _ => return Err(super::incomplete()),
    }
    Ok(Redirect::to(&format!("/admin/types/{}/live", kind.code)).into_response())
}
