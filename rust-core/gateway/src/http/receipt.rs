//! Signed receipts: the QR code on a paid payer's page, which a handheld without network checks.

use super::error::Problem;
use super::payer::find;
use super::{App, HostOwner};
use axum::extract::{Extension, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use holdfast_ledger::Payment;
use holdfast_protocol::{DeviceSignature, ReceiptPayload, SignedReceipt};
use p256::ecdsa::Signature;
use p256::ecdsa::signature::Signer;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use std::sync::Arc;

/// Side of the picture in CSS pixels; it is drawn in whole modules.
const PICTURE_SIDE: u32 = 260;

/// The receipt of a payment as an address; none unless it is paid and nothing is wrong with it.
pub(super) fn address(app: &App, payment: &Payment) -> Option<String> {
    let paid_at_ms = payment.paid_at_ms?;
    let payload = ReceiptPayload {
        gateway: app.installation.gateway,
        tenant: payment.tenant.clone(),
        mode: payment.mode,
        payment: payment.payment,
        amount: payment.total,
        receipt_order_id: payment.receipt_order_id.filter(|_| payment.state.has_been_paid())?,
        paid_at_unix_s: u64::try_from(paid_at_ms.div_euclid(1000)).ok()?,
    };
    let signature: Signature = app.signing_key.sign(&payload.to_be_signed());
    let signature = DeviceSignature::from_der(signature.to_der().as_bytes()).ok()?;
    Some(SignedReceipt::assemble(payload, signature).address(app.public_url.as_str()))
}

/// The receipt as a QR code.
pub(super) async fn picture(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let payment = find(&app, &owner, &id).await?;
    let code = address(&app, &payment)
        .and_then(|address| QrCode::with_error_correction_level(address, EcLevel::M).ok());
    let Some(code) = code else { return Err(not_a_receipt()) };
    let picture = code
        .render::<svg::Color<'_>>()
        .min_dimensions(PICTURE_SIDE, PICTURE_SIDE)
        .dark_color(svg::Color("#000000"))
        .light_color(svg::Color("#ffffff"))
        .build();
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], picture).into_response())
}

/// Somebody scanned a receipt with a phone in place of a handheld.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(text): Path<String>,
) -> Result<Problem, Problem> {
    let receipt = SignedReceipt::verify_scanned(&text, &app.receipt_key());
    let receipt = receipt.map_err(|_| not_a_receipt())?;
    let paid = receipt.payload();
    let mode =
        if paid.mode == holdfast_domain::Mode::Test { " In test mode: no real money." } else { "" };
    Ok(Problem::new(
        StatusCode::OK,
        "This receipt is genuine",
        format!("{} was paid for order {}.{mode}", paid.amount, paid.receipt_order_id),
        "A handheld that scans it says \"paid, verified offline\".",
    ))
}

fn not_a_receipt() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "No receipt",
        "This is not a receipt of this gateway, or the payment is not paid.",
        "Open the payment\u{2019}s own page and look at its state.",
    )
}
