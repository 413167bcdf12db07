-- Backups, and what a gateway that was put back asks Stripe.

-- In a backup: when it was begun. Empty in a gateway that runs.
CREATE TABLE backup (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    made_at_ms BIGINT NOT NULL
);

-- Asking Stripe what happened since a backup, with one set of credentials.
CREATE TABLE recoveries (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    payment_type TEXT NOT NULL,
    mode TEXT NOT NULL,
    generation BIGINT NOT NULL,
    -- Stripe's account, empty where it is not known.
    account TEXT NOT NULL,
    -- sessions, events or done.
    stage TEXT NOT NULL,
    -- Sessions and events from here on are asked for.
    from_unix_s BIGINT NOT NULL,
    -- The last ID of the page before; empty at the start of a stage.
    after_id TEXT NOT NULL,
    sessions_seen BIGINT NOT NULL,
    -- Those that this ledger did not know.
    sessions_found BIGINT NOT NULL,
    events_found BIGINT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    -- What went wrong last, in words; empty if nothing did.
    trouble TEXT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    -- 0: not yet.
    finished_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, payment_type, mode, generation)
);

-- Sessions at Stripe of payments that are not known here (yet): they wait for their order.
CREATE TABLE found_sessions (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    session TEXT NOT NULL,
    payment TEXT NOT NULL,
    number BIGINT NOT NULL,
    -- open, expired or complete, when it was listed.
    status TEXT NOT NULL,
    created_unix_s BIGINT NOT NULL,
    expires_at_unix_s BIGINT NOT NULL,
    -- Empty unless open. Whoever has the address can pay there.
    url TEXT NOT NULL,
    mode TEXT NOT NULL,
    -- The credentials that found it.
    payment_type TEXT NOT NULL,
    pin_account TEXT NOT NULL,
    pin_generation BIGINT NOT NULL,
    PRIMARY KEY (tenant, session)
);
CREATE INDEX found_sessions_by_payment ON found_sessions (tenant, payment);
