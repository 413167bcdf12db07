//! The network between a handheld and the gateway.

use super::faults::Fault;
use super::fixture;
use super::world::{Happening, World};
use holdfast_handheld::engine::{Event, Request, Response, Ticket, TransportFault};

/// How long a packet takes, in milliseconds.
const WAY_MS: (i64, i64) = (5, 300);
/// How long it takes when others overtake it, in milliseconds.
const SLOW_WAY_MS: (i64, i64) = (300, 15_000);
/// How late a request can be that was taken for lost, in milliseconds (three days).
const LATE_MS_MAX: i64 = 3 * 24 * 60 * 60 * 1_000;
/// How long a handheld takes to find out that there is no network, in milliseconds.
const NO_NETWORK_MS: (i64, i64) = (20, 500);

/// One request on its way.
#[derive(Clone)]
pub(super) struct Exchange {
    pub(super) device: usize,
    pub(super) generation: u64,
    pub(super) ticket: Ticket,
    pub(super) request: Request,
    pub(super) sent_ms: i64,
}

impl Exchange {
    /// The address without scheme, host and `/api/TENANT/`.
    pub(super) fn path(&self) -> &str {
        let path = self.request.url.strip_prefix(fixture::GATEWAY_URL).unwrap_or_default();
        path.strip_prefix("/api/demo/").unwrap_or_default()
    }

    fn timeout_ms(&self) -> i64 {
        self.sent_ms.saturating_add_unsigned(self.request.timeout_ms)
    }
}

impl World {
    pub(super) fn send(&mut self, device: usize, ticket: Ticket, request: Request) {
        let sent_ms = self.now_ms();
        let handheld = self.device(device);
        handheld.on_its_way.insert(ticket);
        let generation = handheld.generation;
        let has_network = handheld.has_network;
        let exchange = Exchange { device, generation, ticket, request, sent_ms };
        self.note(|| format!("handheld {device}: sends {:?}", exchange.request));
        if !has_network {
            let wait_ms = self.draw_ms(NO_NETWORK_MS.0, NO_NETWORK_MS.1);
            return self.end_in(wait_ms, &exchange, Err(TransportFault::Unreachable));
        }
        let drawn = self.shared.lock().draw(&[
            Fault::RequestLost,
            Fault::RequestTwice,
            Fault::RequestLate,
            Fault::Overtaken,
        ]);
        let way_ms = self.draw_ms(WAY_MS.0, WAY_MS.1);
        let copy = |exchange: Exchange| {
            let exchange = Box::new(exchange);
            Happening::Arrives { exchange, is_copy: true }
        };
        match drawn {
            Some(Fault::RequestLost) => return self.time_out(&exchange),
            Some(Fault::RequestLate) => {
                let late_ms = self.draw_ms(1_000, LATE_MS_MAX);
                self.enter_in(late_ms, copy(exchange.clone()));
                return self.time_out(&exchange);
            }
            Some(Fault::RequestTwice) => {
                let second_ms = self.draw_ms(WAY_MS.0, SLOW_WAY_MS.1);
                self.enter_in(second_ms, copy(exchange.clone()));
            }
            _ => {}
        }
        let way_ms = if drawn == Some(Fault::Overtaken) {
            self.draw_ms(SLOW_WAY_MS.0, SLOW_WAY_MS.1)
        } else {
            way_ms
        };
        let exchange = Box::new(exchange);
        self.enter_in(way_ms, Happening::Arrives { exchange, is_copy: false });
    }

    /// A request is at the gateway's door.
    pub(super) fn arrives(&mut self, exchange: Exchange, is_copy: bool) {
        if !self.gateway.is_up {
            return self.refused(&exchange, is_copy);
        }
        if self.strikes(Fault::GatewayKilledBefore) {
            self.kill_gateway("before a decision");
            return self.refused(&exchange, is_copy);
        }
        self.note(|| format!("gateway: gets {:?}", exchange.request));
        if let Some(query) = exchange.path().strip_prefix("handheld/payments?") {
            let query = query.to_owned();
            if !is_copy {
                self.poll(exchange, &query);
            }
            return;
        }
        let response = self.answer(&exchange);
        if self.strikes(Fault::GatewayKilledAfter) {
            self.kill_gateway("after a decision");
            return self.refused(&exchange, is_copy);
        }
        if !is_copy {
            self.send_back(&exchange, response);
        }
    }

    /// The gateway's answer goes back to the handheld.
    pub(super) fn send_back(&mut self, exchange: &Exchange, response: Response) {
        let drawn = self.shared.lock().draw(&[
            Fault::AnswerLost,
            Fault::AnswerCut,
            Fault::AnswerForeign,
            Fault::AnswerProxy,
            Fault::Overtaken,
        ]);
        let slow = drawn == Some(Fault::Overtaken);
        let (least, most) = if slow { SLOW_WAY_MS } else { WAY_MS };
        let wait_ms = self.draw_ms(least, most);
        let page = |status, text: &str| {
            let body = text.as_bytes().to_vec().into();
            Ok(Response { status, retry_after_s: None, body })
        };
        let answer = match drawn {
            Some(Fault::AnswerLost) => return self.time_out(exchange),
            Some(Fault::AnswerCut) => {
                let length = u64::try_from(response.body.len()).unwrap_or(0);
                let cut = usize::try_from(self.shared.lock().chance.below(length)).unwrap_or(0);
                let body = response.body.iter().copied().take(cut).collect::<Vec<_>>().into();
                Ok(Response { body, ..response })
            }
            Some(Fault::AnswerForeign) => page(200, "<html>Welcome to our Wi-Fi</html>"),
            Some(Fault::AnswerProxy) => page(502, "<html>Bad Gateway</html>"),
            _ => Ok(response),
        };
        self.end_in(wait_ms, exchange, answer);
    }

    /// The gateway is not there, or went away in the middle.
    fn refused(&mut self, exchange: &Exchange, is_copy: bool) {
        if !is_copy {
            self.break_off(exchange);
        }
    }

    /// The connection ends, at once or after the handheld has waited in vain.
    pub(super) fn break_off(&mut self, exchange: &Exchange) {
        if self.shared.lock().chance.per_mille(500) {
            let wait_ms = self.draw_ms(WAY_MS.0, WAY_MS.1);
            self.end_in(wait_ms, exchange, Err(TransportFault::Unreachable));
        } else {
            self.time_out(exchange);
        }
    }

    fn time_out(&mut self, exchange: &Exchange) {
        let wait_ms = exchange.timeout_ms().saturating_sub(self.now_ms()).max(1);
        self.end_in(wait_ms, exchange, Err(TransportFault::Timeout));
    }

    fn end_in(
        &mut self,
        wait_ms: i64,
        exchange: &Exchange,
        answer: Result<Response, TransportFault>,
    ) {
        let Exchange { device, generation, ticket, .. } = *exchange;
        // Whatever comes after the handheld has stopped waiting comes too late.
        let left_ms = exchange.timeout_ms().saturating_sub(self.now_ms()).max(1);
        let is_late = wait_ms > left_ms;
        let answer = if is_late { Err(TransportFault::Timeout) } else { answer };
        let wait_ms = wait_ms.min(left_ms);
        self.enter_in(wait_ms, Happening::Answered { device, generation, ticket, answer });
    }

    pub(super) fn answered(
        &mut self,
        device: usize,
        generation: u64,
        ticket: Ticket,
        answer: Result<Response, TransportFault>,
    ) {
        let handheld = self.device(device);
        if handheld.generation != generation || !handheld.on_its_way.remove(&ticket) {
            return;
        }
        self.note(|| match &answer {
            Ok(response) => format!(
                "handheld {device}: hears {} {}",
                response.status,
                String::from_utf8_lossy(&response.body).chars().take(300).collect::<String>()
            ),
            Err(fault) => format!("handheld {device}: hears nothing ({fault})"),
        });
        self.tell(device, Event::Answered { ticket, answer });
    }

    pub(super) fn network_back(&mut self, device: usize) {
        self.note(|| format!("handheld {device}: has network"));
        self.device(device).has_network = true;
    }
}
