-- What Stripe delivered and what was refused, one by one; which signing secret is still needed; what
-- the gateway found by asking; from which addresses deliveries are taken.

-- Every delivery. Bodies stand with their event (events.body), and of refused ones nowhere. Of refused
-- ones the latest two hundred of a tenant are kept, the others are counted (refused_counts).
CREATE TABLE deliveries (
    -- In the order in which they came, over all tenants.
    number BIGINT PRIMARY KEY,
    tenant TEXT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    -- The path that it came to; empty for what was found by asking.
    address TEXT NOT NULL,
    -- test or live, and the destination ID of the secret that fits; empty while nobody believes it.
    mode TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    kind TEXT NOT NULL,
    event TEXT NOT NULL,
    -- The API version that the event was written in.
    api_version TEXT NOT NULL,
    -- Empty if it is about no payment of ours.
    payment TEXT NOT NULL,
    -- What became of it: followed, waiting, needless, ... or why it was refused.
    outcome TEXT NOT NULL,
    -- The HTTP status that we answered; 0: nobody delivered it, it was asked for.
    answer BIGINT NOT NULL,
    -- For the administrator; the sender was told nothing.
    reason TEXT NOT NULL,
    sender TEXT NOT NULL
);
CREATE INDEX deliveries_by_tenant ON deliveries (tenant, number);
CREATE INDEX deliveries_by_time ON deliveries (tenant, received_at_ms);
CREATE INDEX deliveries_by_event ON deliveries (tenant, event) WHERE event <> '';
CREATE INDEX deliveries_refused ON deliveries (tenant, number) WHERE answer >= 400;
INSERT INTO deliveries SELECT number, tenant, received_at_ms, '', '', '', '', '', '', '', 'refused',
    400, reason, sender FROM refused_deliveries;
DROP TABLE refused_deliveries;

-- Refused deliveries by day (days since 1970) and cause, however many there were.
CREATE TABLE refused_counts (
    tenant TEXT NOT NULL,
    day BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (tenant, day, outcome)
);

-- The Stripe account that a secret's endpoint belongs to, empty until known; when a delivery was first
-- and last signed with it; when one was last signed with it and no other of ours; and until when it
-- is good (0: for good, else the Stripe CLI's).
ALTER TABLE webhook_secrets ADD COLUMN account TEXT NOT NULL DEFAULT '';
ALTER TABLE webhook_secrets ADD COLUMN first_used_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE webhook_secrets ADD COLUMN last_used_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE webhook_secrets ADD COLUMN alone_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE webhook_secrets ADD COLUMN expires_at_ms BIGINT NOT NULL DEFAULT 0;

-- The object or payment, not known here yet, that an event waits for; empty if for none.
ALTER TABLE events ADD COLUMN waiting_for TEXT NOT NULL DEFAULT '';
CREATE INDEX events_waiting ON events (tenant, waiting_for) WHERE waiting_for <> '';
CREATE INDEX events_by_payment ON events (tenant, payment) WHERE payment <> '';

-- Payments that moved because somebody asked Stripe, not because a webhook told.
CREATE TABLE repairs (
    tenant TEXT NOT NULL,
    payment TEXT NOT NULL,
    -- The state that was found.
    state TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    -- redirect: the payer came back; poll: the gateway asked by itself.
    source TEXT NOT NULL,
    PRIMARY KEY (tenant, payment, state)
);
CREATE INDEX repairs_by_time ON repairs (tenant, at_ms);

-- What Stripe has on its books about our webhooks, and up to when its events were asked for.
CREATE TABLE webhook_looks (
    tenant TEXT NOT NULL,
    code TEXT NOT NULL,
    mode TEXT NOT NULL,
    asked_at_ms BIGINT NOT NULL,
    -- JSON: what was found, in words; empty: never asked.
    findings TEXT NOT NULL,
    events_until_s BIGINT NOT NULL,
    PRIMARY KEY (tenant, code, mode)
);

-- Addresses that deliveries are taken from (CIDR, a space between); empty: from anywhere.
CREATE TABLE webhook_settings (
    tenant TEXT PRIMARY KEY,
    allowed_senders TEXT NOT NULL
);

-- What the worker looks for: deliveries about a payment, and payments that change by themselves.
CREATE INDEX deliveries_by_payment ON deliveries (tenant, payment, received_at_ms) WHERE payment <> '';
CREATE INDEX payments_unfinished ON payments (tenant, payment)
    WHERE state IN ('processing', 'cancel_requested', 'refund_pending');
