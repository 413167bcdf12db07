//! After the trouble: nothing fails any more, and everything gets the time it needs.

use super::faults::Doses;
use super::invariants::Violation;
use super::world::{Happening, World};

/// For how long everybody is awake, in milliseconds: longer than the longest pause of a handheld and
/// than a worker's lease, several times.
const AWAKE_MS: i64 = 10 * 60_000;
/// How long the rest gets, in milliseconds (15 days): longer than any lifetime and any delay.
const REST_MS: i64 = 15 * 24 * 3_600_000;
/// How long a handheld is awake in the end, to hear what happened, in milliseconds.
const HEARS_MS: i64 = 3 * 60_000;

impl World {
    /// Peace, until nothing is left to happen; then the rules for the end.
    pub(super) fn peace(&mut self) -> Result<(), Violation> {
        self.note(|| "peace".to_owned());
        self.at_peace = true;
        self.shared.lock().doses = Doses::default();
        self.everybody_is_there();
        let awake_until_ms = self.now_ms().saturating_add(AWAKE_MS);
        // In pieces, so that a run in which all is said and done ends early.
        while self.now_ms() < awake_until_ms {
            let next_ms = self.now_ms().saturating_add(20_000);
            self.pass_until(next_ms)?;
            if self.is_settled() {
                return self.check_the_end();
            }
        }
        // Days in which no handheld is switched on cost nothing: payers pay or do not, sessions
        // expire, lifetimes end.
        for device in 0..self.devices.len() {
            self.switch_off(device, "for the weekend");
            self.device(device).in_drawer = true;
        }
        let rest_until_ms = self.now_ms().saturating_add(REST_MS);
        self.pass_until(rest_until_ms)?;
        self.everybody_is_there();
        let hears_until_ms = self.now_ms().saturating_add(HEARS_MS);
        self.pass_until(hears_until_ms)?;
        self.check_the_end()
    }

    fn everybody_is_there(&mut self) {
        for device in 0..self.devices.len() {
            let handheld = self.device(device);
            handheld.has_network = true;
            handheld.in_drawer = false;
            if handheld.engine.is_none() {
                let generation = handheld.generation;
                self.enter_in(1, Happening::Starts { device, generation });
            }
        }
        self.method_back();
        if !self.gateway.is_up {
            self.gateway.is_up = true;
            self.shared.lock().changed = true;
        }
    }
}
