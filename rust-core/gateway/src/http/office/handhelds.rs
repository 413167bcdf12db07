//! Handhelds: codes, approval, and the end of a lost one.

use super::{Desk, Sheet};
use crate::audit;
use crate::handhelds::{self, NewCode};
use crate::http::error::Problem;
use crate::pages::Moment;
use crate::pages::office::{HandheldView, HandheldsPage, NewCodeView, OfficerView};
use crate::store::StoreError;
use crate::users::Role;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use holdfast_domain::{DeviceId, OfficerId};
use qrcode::QrCode;
use qrcode::render::svg;

/// Side of the enrolment code's picture, in CSS pixels.
const QR_SIDE_PX: u32 = 240;

pub(in crate::http) async fn page(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Administrator)?;
    show(&desk, None).await
}

async fn show(desk: &Desk, new_code: Option<NewCodeView>) -> Result<Response, Problem> {
    let officers = handhelds::officers(&desk.app.core, desk.slug()).await?;
    let enrolled = handhelds::all(&desk.app.core, desk.slug()).await?;
    let continuity = handhelds::continuity(&desk.app.core, desk.slug()).await?;
    let page = HandheldsPage {
        top: desk.top("handhelds").await?,
        officers: officers
            .into_iter()
            .map(|it| OfficerView { id: it.id.0, name: it.name })
            .collect(),
        handhelds: enrolled.into_iter().map(|it| handheld_view(it, &continuity)).collect(),
        new_code,
    };
    Ok(Html(page.render()?).into_response())
}

fn handheld_view(
    handheld: handhelds::Handheld,
    continuity: &[(DeviceId, DeviceId)],
) -> HandheldView {
    let earlier = continuity.iter().filter(|(device, _)| *device == handheld.device);
    HandheldView {
        id: handheld.device.to_string(),
        name: handheld.name,
        officer: handheld.officer.name,
        six_digits: handheld.six_digits,
        enrolled_at: Moment::from_ms(handheld.enrolled_at_ms),
        status: handheld.status,
        continues: earlier.map(|(_, earlier)| earlier.to_string()).collect(),
    }
}

/// Makes a code and shows it, once: the page that shows it is the answer to the form.
pub(in crate::http) async fn new_code(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let chosen = sheet.number("officer")?;
    let officers = handhelds::officers(&desk.app.core, desk.slug()).await?;
    let chosen = officers.into_iter().find(|it| it.id == OfficerId(chosen));
    let officer = chosen.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "No such officer",
            "This officer is not on the list any more.",
            "Go back, reload the page and choose again.",
        )
    })?;
    let base_url = desk.app.public_url.as_str();
    let NewCode { link, expires_in_s } =
        handhelds::new_code(&desk.app.core, desk.slug(), officer.id, false, base_url).await?;
    note(desk, "handheld_code_made", &format!("for {}", officer.name)).await?;
    let view = NewCodeView {
        code: link.code.to_string(),
        qr: qr_svg(&link.to_string())?,
        link: link.to_string(),
        officer: officer.name,
        minutes: expires_in_s / 60,
    };
    show(desk, Some(view)).await
}

fn qr_svg(text: &str) -> Result<String, Problem> {
    let code = QrCode::new(text).map_err(|_| Problem::unavailable())?;
    let picture = code.render::<svg::Color<'_>>().min_dimensions(QR_SIDE_PX, QR_SIDE_PX).build();
    // The prologue belongs to a file of its own, not into a page.
    let start = picture.find("<svg").unwrap_or(0);
    Ok(picture.get(start..).unwrap_or_default().to_owned())
}

pub(in crate::http) async fn approve(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let (handheld, digits) = (sheet.text("handheld")?, sheet.text("six_digits")?);
    let approved = match DeviceId::parse(handheld) {
        Ok(device) => handhelds::approve(&desk.app.core, desk.slug(), device, digits).await?,
        Err(_) => false,
    };
    if !approved {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "Not approved",
            "This handheld is gone, was revoked, or shows other digits now. Nothing was changed.",
            "Go back, reload the page and compare again.",
        ));
    }
    note(desk, "handheld_approved", handheld).await?;
    Ok(Redirect::to("/admin/handhelds").into_response())
}

pub(in crate::http) async fn revoke(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let handheld = sheet.text("handheld")?;
    let revoked = match DeviceId::parse(handheld) {
        Ok(device) => handhelds::revoke(&desk.app.core, desk.slug(), device).await?,
        Err(_) => false,
    };
    if !revoked {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "Not revoked",
            "There is no such handheld here. Nothing was changed.",
            "Go back and reload the page.",
        ));
    }
    note(desk, "handheld_revoked", handheld).await?;
    Ok(Redirect::to("/admin/handhelds").into_response())
}

async fn note(desk: &Desk, what: &'static str, detail: &str) -> Result<(), StoreError> {
    audit::note(&desk.app.core, desk.slug(), &desk.session.user.name, what, detail).await
}
