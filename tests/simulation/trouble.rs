//! What goes wrong by itself, between the steps of everybody else.

use super::Harm;
use super::faults::Fault;
use super::fixture;
use super::officer::Asked;
use super::world::{Happening, World};
use holdfast_domain::PaymentId;
use holdfast_handheld::engine::Call;
use holdfast_ledger::DeviceStatus;

/// How far a handheld's clock jumps, in milliseconds (25 hours).
const JUMP_MS_MAX: i64 = 25 * 3_600_000;
/// How long there is no network, in milliseconds.
const NO_NETWORK_MS: (i64, i64) = (3_000, 180_000);
/// How long a payment type is switched off, in milliseconds.
const METHOD_OFF_MS: (i64, i64) = (10_000, 180_000);
/// How long a handheld lies in a drawer, in milliseconds (up to four days).
const DRAWER_MS: (i64, i64) = (600_000, 4 * 86_400_000);

impl World {
    /// One moment in which anything may go wrong.
    pub(super) fn trouble(&mut self) {
        if self.at_peace {
            return;
        }
        for device in 0..self.devices.len() {
            self.trouble_of(device);
        }
        if self.gateway.is_up && self.strikes(Fault::GatewayAway) {
            self.kill_gateway("between steps");
        }
        self.switch_method();
        self.office_looks();
        self.backups();
        let tick_ms = self.script.tick_ms;
        self.enter_in(tick_ms, Happening::Trouble);
    }

    fn trouble_of(&mut self, device: usize) {
        if self.device(device).engine.is_some() && self.strikes(Fault::KilledIdle) {
            self.kill(device, "between steps");
        }
        if self.strikes(Fault::ClockJumps) {
            let jump_ms = self.draw_ms(-JUMP_MS_MAX, JUMP_MS_MAX);
            self.note(|| format!("handheld {device}: clock is off by {} s", jump_ms / 1_000));
            self.device(device).skew_ms = jump_ms;
        }
        if self.device(device).has_network && self.strikes(Fault::NoNetwork) {
            self.note(|| format!("handheld {device}: has no network"));
            self.device(device).has_network = false;
            let wait_ms = self.draw_ms(NO_NETWORK_MS.0, NO_NETWORK_MS.1);
            self.enter_in(wait_ms, Happening::NetworkBack { device });
        }
        if self.device(device).engine.is_some() && self.strikes(Fault::PowerCut) {
            self.device(device).boot_ms = self.now_ms();
            self.kill(device, "without power");
        }
        if self.device(device).engine.is_some() && self.strikes(Fault::RecordHarmed) {
            self.kill(device, "and its disk goes bad");
            let luck = self.shared.lock().chance.next();
            let what = self.device(device).disk.harm(Harm::Records, luck);
            self.note(|| format!("handheld {device}: cannot read {what}"));
        }
        if self.device(device).engine.is_some() && self.strikes(Fault::EnrolmentHarmed) {
            self.kill(device, "and does not know who it is");
            let luck = self.shared.lock().chance.next();
            let what = self.device(device).disk.harm(Harm::Enrolments, luck);
            self.note(|| format!("handheld {device}: cannot read {what}"));
        }
        self.retry_parked(device);
        if self.device(device).engine.is_some() && self.strikes(Fault::LaidAside) {
            self.switch_off(device, "in a drawer");
            let wait_ms = self.draw_ms(DRAWER_MS.0, DRAWER_MS.1);
            let generation = self.device(device).generation;
            self.enter_in(wait_ms, Happening::Starts { device, generation });
        }
        if self.strikes(Fault::Revoked) {
            self.note(|| format!("handheld {device}: is revoked"));
            let id = self.device(device).id;
            self.gateway.change_tables(|tables| {
                if let Some(known) = tables.devices.get_mut(&(fixture::tenant(), id)) {
                    known.status = DeviceStatus::Revoked;
                }
            });
        }
    }

    /// The officer finds an order that the gateway refused, and tries again.
    fn retry_parked(&mut self, device: usize) {
        let handheld = self.device(device);
        let Some(engine) = &handheld.engine else { return };
        let is_parked = |payment: &&PaymentId| {
            engine.standing(**payment).is_some_and(|(_, parked)| parked.is_some())
        };
        let parked = handheld.promised.iter().find(is_parked).copied();
        if let Some(payment) = parked
            && self.strikes(Fault::Retried)
        {
            self.call(device, Asked::Later, Call::Retry(payment));
        }
    }

    /// The office switches the payment type off.
    fn switch_method(&mut self) {
        if self.gateway.method_off.is_some() || !self.strikes(Fault::MethodOff) {
            return;
        }
        self.note(|| "office: switches the payment type off".to_owned());
        let key = (fixture::tenant(), fixture::payment_type_code());
        let switched_off = self.gateway.change_tables(|tables| tables.payment_types.remove(&key));
        self.gateway.method_off = switched_off;
        let wait_ms = self.draw_ms(METHOD_OFF_MS.0, METHOD_OFF_MS.1);
        self.enter_in(wait_ms, Happening::MethodBack);
    }

    pub(super) fn method_back(&mut self) {
        let Some(method) = self.gateway.method_off.take() else { return };
        self.note(|| "office: switches the payment type on".to_owned());
        let key = (fixture::tenant(), method.code.clone());
        self.gateway.change_tables(|tables| tables.payment_types.insert(key, method));
    }

    /// A backup is made now and then, where one will be put back; once in a run it is.
    fn backups(&mut self) {
        if self.shared.lock().doses.of(Fault::Restored) == 0 || self.gateway.restored_ms.is_some() {
            return;
        }
        if self.gateway.backup.is_none() {
            self.gateway.backup = Some((self.now_ms(), self.gateway.ledger.back_up()));
        } else if self.gateway.is_up && self.strikes(Fault::Restored) {
            self.restore();
        }
    }
}
