//! A handheld without screens, for tests in other languages: `robot-handheld FOLDER`.
//!
//! One command a line on standard input, one JSON object a line on standard output, in the same order:
//!
//! | command | answer |
//! |---|---|
//! | `enrol LINK` | `{"device_id", "officer", "six_digits", "approved"}` |
//! | `hold ITEM QUANTITY` | the payment, held for by the first payment type that is Stripe's |
//! | `refresh` | `{}`, once what the gateway offers is known anew |
//! | `search TEXT` | `{"charges"}` that the gateway finds |
//! | `charge REFERENCE TYPE` | the payment, held for a charge that a search found |
//! | `wait-receipt PAYMENT` | the payment, once the gateway has made its order |
//! | `wait PAYMENT STATE` | the payment, once it is in that state |
//! | `radio on` or `off` | `{"radio"}`; switched off, nothing is sent |
//! | `aged PAYMENT SECONDS` | `{"pay_address"}` of an order like this one, held so long before it |
//!
//! A payment is `{"payment_id", "state", "total", "pay_address", "receipt_order_id", "confirm_code", "decline"}`.
//! What cannot be done is answered `{"error"}`. The robot ends with its standard input.

mod keys;
mod radio;

use std::io::{BufRead, Write, stdin, stdout};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use holdfast_domain::PaymentId;
use holdfast_handheld::{CartLine, Core, CoreConfig, DeviceKey, PaymentView, Ports, Provider};
use holdfast_protocol::pay_address::{order_bytes, pay_address};
use holdfast_protocol::{DeviceSignature, SignedOrder};
use serde_json::{Value, json};

/// How long `wait` waits: a payment through a browser on a busy machine.
const WAIT_MAX: Duration = Duration::from_secs(60);

type Answer = Result<Value, String>;

struct Robot {
    core: Core,
    radio: radio::Radio,
    key: Arc<keys::SoftwareKey>,
    runtime: tokio::runtime::Runtime,
    changes: Receiver<()>,
}

fn main() -> Result<(), String> {
    let folder = std::env::args().nth(1).ok_or("usage: robot-handheld FOLDER")?;
    let robot = Robot::open(folder)?;
    for line in stdin().lock().lines() {
        let line = line.map_err(words)?;
        let answer = robot.answer(&line).unwrap_or_else(|error| json!({ "error": error }));
        writeln!(stdout().lock(), "{answer}").map_err(words)?;
    }
    robot.core.close();
    Ok(())
}

impl Robot {
    fn open(folder: String) -> Result<Self, String> {
        let (changed, changes) = channel();
        let key = Arc::new(keys::SoftwareKey::kept_in(&folder)?);
        let ports = Ports {
            device_key: key.clone(),
            vault: Arc::new(keys::OpenVault),
            listener: Arc::new(keys::Bell(changed)),
        };
        let config = CoreConfig {
            data_dir: folder,
            locale: "en-US".to_owned(),
            app_version: "robot".to_owned(),
        };
        let radio = radio::Radio::new()?;
        let network = Arc::new(radio.clone());
        let core = Core::open_with_network(config, ports, network).map_err(words)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(words)?;
        Ok(Self { core, radio, key, runtime, changes })
    }

    fn answer(&self, line: &str) -> Answer {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["enrol", link] => self.enrol((*link).to_owned()),
            ["hold", item, quantity] => self.hold(CartLine {
                item_id: item.parse().map_err(words)?,
                quantity: quantity.parse().map_err(words)?,
            }),
            ["refresh"] => {
                self.runtime.block_on(self.core.refresh()).map_err(words).map(|()| json!({}))
            }
            ["search", find] => self.search((*find).to_owned()),
            ["charge", reference, code] => self.hold_charge(reference, code),
            ["wait-receipt", payment] => self.wait_receipt(payment),
            ["wait", payment, state] => self.wait(payment, state),
            ["radio", state @ ("on" | "off")] => {
                self.radio.switch(*state == "on");
                self.core.network_changed(*state == "on");
                Ok(json!({ "radio": state }))
            }
            ["aged", payment, seconds] => self.aged(payment, seconds.parse().map_err(words)?),
            _ => Err(format!("no such command: {line}")),
        }
    }

    fn enrol(&self, link: String) -> Answer {
        let enrolment = self.runtime.block_on(self.core.enrol(link)).map_err(words)?;
        self.runtime.block_on(self.core.refresh()).map_err(words)?;
        Ok(json!({
            "device_id": enrolment.device_id,
            "officer": enrolment.officer,
            "six_digits": enrolment.six_digits,
            "approved": enrolment.approved,
        }))
    }

    fn hold(&self, line: CartLine) -> Answer {
        let types = self.core.snapshot().payment_types;
        let stripe = types.into_iter().find(|it| it.provider == Provider::Stripe);
        let code = stripe.ok_or("the gateway offers no payment type of Stripe's")?.code;
        self.runtime.block_on(async {
            let draft = self.core.open_summary(vec![line]).await.map_err(words)?;
            let id = draft.payment_id;
            self.core.choose_method(id.clone(), code).await.map_err(words)?;
            Ok(in_json(&self.core.hold(id).await.map_err(words)?))
        })
    }

    /// Signed by the device key like any order, with another payment ID and an earlier time.
    fn aged(&self, payment_id: &str, seconds: u64) -> Answer {
        let payment = self.core.payment(payment_id).ok_or("no such payment")?;
        let address = payment.pay_address.ok_or("it has no pay address")?;
        let (base, order) = address.rsplit_once("/O/").ok_or("no pay address")?;
        let order = order_bytes(order).ok_or("no order in it")?;
        let mut payload = SignedOrder::parse(&order).map_err(words)?.payload().clone();
        payload.held_at_unix_s = payload.held_at_unix_s.saturating_sub(seconds);
        payload.payment = PaymentId::mint(payload.held_at_unix_s.saturating_mul(1_000), &[7; 10]);
        payload.sequence = payload.sequence.saturating_add(1_000);
        let signature = self.key.sign(&payload.to_be_signed()).map_err(words)?;
        let signature = DeviceSignature::from_der(&signature).map_err(words)?;
        let order = SignedOrder::assemble(payload, signature);
        Ok(json!({ "pay_address": pay_address(base, &order) }))
    }

    /// What is owed, by plate, reference or name.
    fn search(&self, find: String) -> Answer {
        let found = self.runtime.block_on(self.core.search_charges(find)).map_err(words)?;
        let charge = |it: holdfast_handheld::ChargeView| json!({ "reference": it.reference, "amount": it.amount.minor, "state": it.state.as_str() });
        Ok(json!({ "charges": found.charges.into_iter().map(charge).collect::<Vec<_>>() }))
    }

    /// Holds for a charge that was found.
    fn hold_charge(&self, reference: &str, code: &str) -> Answer {
        self.runtime.block_on(async {
            let charges = vec![reference.to_owned()];
            let draft = self.core.open_summary_of(Vec::new(), charges).await.map_err(words)?;
            let id = draft.payment_id;
            self.core.choose_method(id.clone(), code.to_owned()).await.map_err(words)?;
            Ok(in_json(&self.core.hold(id).await.map_err(words)?))
        })
    }

    /// Waits until the gateway has made the order.
    fn wait_receipt(&self, payment_id: &str) -> Answer {
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            let payment = self.core.payment(payment_id).ok_or("no such payment")?;
            if payment.receipt_order_id.is_some() {
                return Ok(in_json(&payment));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if let Err(RecvTimeoutError::Timeout) = self.changes.recv_timeout(left) {
                return Err("no receipt order ID yet".to_owned());
            }
        }
    }

    fn wait(&self, payment_id: &str, state: &str) -> Answer {
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            let payment = self.core.payment(payment_id).ok_or("no such payment")?;
            if payment.state.as_str() == state {
                return Ok(in_json(&payment));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if let Err(RecvTimeoutError::Timeout) = self.changes.recv_timeout(left) {
                return Err(format!("still {}, not {state}", payment.state.as_str()));
            }
        }
    }
}

fn in_json(payment: &PaymentView) -> Value {
    json!({
        "payment_id": payment.payment_id,
        "state": payment.state.as_str(),
        "total": payment.total.minor,
        "pay_address": payment.pay_address,
        "receipt_order_id": payment.receipt_order_id,
        "provisional_receipt": payment.provisional_receipt,
        "confirm_code": payment.confirm_code,
        "decline": payment.decline.map(|reason| reason.sentence()),
    })
}

fn words(error: impl ToString) -> String {
    error.to_string()
}
