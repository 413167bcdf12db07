-- The first schema. Columns are only BIGINT, TEXT and BLOB, so that PostgreSQL takes it too.
-- Times are milliseconds since 1970 unless their name says otherwise; money is whole minor units;
-- IDs are text as people see them; yes and no are 1 and 0. A column named *_sealed holds AES-256-GCM
-- ciphertext that opens only at its own tenant, table, row and column.

-- This installation, in one row.
CREATE TABLE installation (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    -- Every order names the gateway it was signed for.
    gateway TEXT NOT NULL,
    -- Grows when the ledger is restored from a backup; handhelds then present their orders again.
    epoch BIGINT NOT NULL,
    -- Where payers reach the gateway, as `init` or `serve` was told; empty: wherever it listens.
    public_url TEXT NOT NULL,
    -- Where it was reached when it last started: for the links that the command line prints.
    serving_url TEXT NOT NULL,
    -- ES256: signs receipts.
    signing_key_sealed BLOB NOT NULL,
    signing_public_key BLOB NOT NULL,
    -- X25519: opens the sealed copies that handhelds keep of their orders.
    copy_key_sealed BLOB NOT NULL,
    copy_public_key BLOB NOT NULL,
    -- 32 random bytes that tokens of handhelds are made with.
    token_secret_sealed BLOB NOT NULL,
    -- The latest fence that was given to a leased job; never given twice.
    last_fence BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

-- Keys that seal secrets, each wrapped by the master key. The scope is a tenant, or empty for
-- the gateway's own.
CREATE TABLE data_keys (
    scope TEXT NOT NULL,
    number BIGINT NOT NULL,
    wrapped BLOB NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (scope, number)
);

-- An organisation.
CREATE TABLE tenants (
    tenant TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- Counts every change of a payment; handhelds and live lists ask for what came after.
    revision BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

-- Host names that belong to one tenant. Under such a name no other tenant is served.
CREATE TABLE hosts (
    host TEXT PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (tenant)
);

-- Links that sign an administrator in, once. Only the hash of the token is kept.
CREATE TABLE sign_in_links (
    token_hash BLOB PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    expires_at_ms BIGINT NOT NULL,
    -- 0: not yet.
    used_at_ms BIGINT NOT NULL
);

-- Browsers that are signed in. Only the hash of the cookie is kept.
CREATE TABLE office_sessions (
    token_hash BLOB PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    expires_at_ms BIGINT NOT NULL
);

-- Staff who use handhelds, numbered from 1 within their tenant.
CREATE TABLE officers (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    officer BIGINT NOT NULL,
    name TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, officer),
    UNIQUE (tenant, name)
);

-- One-time codes that enrol a handheld. Only the hash of the code is kept.
CREATE TABLE enrolment_codes (
    code_hash BLOB PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    -- The officer whom enrolment names.
    officer BIGINT NOT NULL,
    -- 1: the handheld needs no approval afterwards.
    approved BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    -- The handheld that used it; empty: nobody yet.
    device TEXT NOT NULL
);

-- Handhelds.
CREATE TABLE devices (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    device TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Compressed point of P-256.
    public_key BLOB NOT NULL,
    -- pending, approved or revoked.
    status TEXT NOT NULL,
    officer BIGINT NOT NULL,
    -- Key of its confirm codes.
    confirm_secret_sealed BLOB NOT NULL,
    enrolled_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, device)
);

-- Price lists. A version never changes: orders name the one they were priced with.
CREATE TABLE catalogues (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    version BIGINT NOT NULL,
    currency TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, version)
);

CREATE TABLE catalogue_items (
    tenant TEXT NOT NULL,
    version BIGINT NOT NULL,
    -- The order in which items are shown.
    position BIGINT NOT NULL,
    item BIGINT NOT NULL,
    name TEXT NOT NULL,
    price_minor BIGINT NOT NULL,
    PRIMARY KEY (tenant, version, item),
    FOREIGN KEY (tenant, version) REFERENCES catalogues (tenant, version)
);

-- Ways to pay.
CREATE TABLE payment_types (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    -- stripe.
    provider TEXT NOT NULL,
    -- test or live: which of its credentials are in force.
    mode TEXT NOT NULL,
    currency TEXT NOT NULL,
    -- What the provider takes at least and at most.
    minor_min BIGINT NOT NULL,
    minor_max BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, code)
);

-- Credentials of a payment type in a mode. A changed key is a new generation; a payment keeps the
-- generation it was accepted with.
CREATE TABLE processors (
    tenant TEXT NOT NULL,
    code TEXT NOT NULL,
    mode TEXT NOT NULL,
    generation BIGINT NOT NULL,
    -- Stripe's account, empty until known.
    account TEXT NOT NULL,
    -- Where Stripe's API is.
    api_base TEXT NOT NULL,
    secret_key_sealed BLOB NOT NULL,
    -- Prefix and last four characters, for people.
    secret_key_masked TEXT NOT NULL,
    -- Public by nature; empty if not set.
    publishable_key TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, code, mode, generation),
    FOREIGN KEY (tenant, code) REFERENCES payment_types (tenant, code)
);

-- Secrets that Stripe signs webhooks with. Several may be good at once, while one is replaced.
CREATE TABLE webhook_secrets (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    mode TEXT NOT NULL,
    number BIGINT NOT NULL,
    -- Destination ID (we_ or ed_), empty if not told.
    endpoint TEXT NOT NULL,
    secret_sealed BLOB NOT NULL,
    secret_masked TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, mode, number)
);

-- Payments: each is one order that an officer held for.
CREATE TABLE payments (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    payment TEXT NOT NULL,
    device TEXT NOT NULL,
    -- The handheld's own count (64 bits, unsigned, stored as the signed number of the same bits).
    sequence BIGINT NOT NULL,
    officer BIGINT NOT NULL,
    -- SHA-256 of the signed payload: with tenant, device and payment ID the order's identity.
    digest BLOB NOT NULL,
    order_bytes BLOB NOT NULL,
    -- handheld or payer: who brought it first.
    carrier TEXT NOT NULL,
    mode TEXT NOT NULL,
    payment_type TEXT NOT NULL,
    -- The credentials it is tied to.
    pin_account TEXT NOT NULL,
    pin_generation BIGINT NOT NULL,
    -- JSON: name, quantity and amount of each line.
    lines TEXT NOT NULL,
    currency TEXT NOT NULL,
    total_minor BIGINT NOT NULL,
    held_at_unix_s BIGINT NOT NULL,
    accepted_at_ms BIGINT NOT NULL,
    lifetime_ends_at_ms BIGINT NOT NULL,
    -- Read off the evidence, never set by hand.
    state TEXT NOT NULL,
    -- JSON; empty unless declined, or in need of attention.
    decline TEXT NOT NULL,
    attention TEXT NOT NULL,
    revision BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    -- Empty and 0 until an order exists.
    receipt_order_id TEXT NOT NULL,
    paid_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, payment),
    UNIQUE (tenant, device, sequence)
);
CREATE INDEX payments_by_id ON payments (payment);
CREATE UNIQUE INDEX payments_by_revision ON payments (tenant, revision);
CREATE INDEX payments_by_device ON payments (tenant, device, revision);

-- What handhelds say about orders later: cancel, withdraw, or that a record of theirs is damaged.
-- The order itself may never have come.
CREATE TABLE notices (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    payment TEXT NOT NULL,
    -- SHA-256 of the signed payload: the same notice again is the same row.
    digest BLOB NOT NULL,
    device TEXT NOT NULL,
    -- cancel, withdraw or quarantined.
    kind TEXT NOT NULL,
    -- Typed by the officer, or what is wrong with the record; empty for cancel.
    reason TEXT NOT NULL,
    made_at_unix_s BIGINT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant, payment, digest)
);

-- Attempts to open a checkout session. The request is stored before it is sent.
CREATE TABLE attempts (
    tenant TEXT NOT NULL,
    payment TEXT NOT NULL,
    number BIGINT NOT NULL,
    -- frozen, opened or disposed.
    state TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    -- Byte for byte what is sent, and sent again.
    frozen_body TEXT NOT NULL,
    frozen_at_ms BIGINT NOT NULL,
    expires_at_unix_s BIGINT NOT NULL,
    -- Empty until known. Whoever has the address can pay there.
    session TEXT NOT NULL,
    url TEXT NOT NULL,
    PRIMARY KEY (tenant, payment, number),
    FOREIGN KEY (tenant, payment) REFERENCES payments (tenant, payment)
);
-- A payer can never pay the same payment on two pages.
CREATE UNIQUE INDEX attempts_one_alive ON attempts (tenant, payment) WHERE state <> 'disposed';

-- What was learned about a payment. Rows are only added; the state follows from all of them.
CREATE TABLE evidence (
    tenant TEXT NOT NULL,
    payment TEXT NOT NULL,
    -- JSON; the same piece is stored once, whoever brought it.
    piece TEXT NOT NULL,
    -- act, webhook, redirect or poll: who brought it first.
    source TEXT NOT NULL,
    learned_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, payment, piece),
    FOREIGN KEY (tenant, payment) REFERENCES payments (tenant, payment)
);

-- Which payment an object of Stripe's belongs to.
CREATE TABLE objects (
    tenant TEXT NOT NULL,
    object TEXT NOT NULL,
    payment TEXT NOT NULL,
    PRIMARY KEY (tenant, object),
    FOREIGN KEY (tenant, payment) REFERENCES payments (tenant, payment)
);

-- What exists after a payment is paid. One for each payment, by the primary key.
CREATE TABLE orders (
    tenant TEXT NOT NULL,
    payment TEXT NOT NULL,
    receipt_order_id TEXT NOT NULL,
    paid_at_ms BIGINT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    PRIMARY KEY (tenant, payment),
    UNIQUE (tenant, receipt_order_id),
    FOREIGN KEY (tenant, payment) REFERENCES payments (tenant, payment)
);

-- Webhook events whose signature was right, each once, stored before it is acknowledged.
CREATE TABLE events (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    mode TEXT NOT NULL,
    -- Stripe's account, empty where the endpoint has only one.
    account TEXT NOT NULL,
    event TEXT NOT NULL,
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    body BLOB NOT NULL,
    -- Empty if it is about no payment of ours.
    payment TEXT NOT NULL,
    PRIMARY KEY (tenant, mode, account, event)
);

-- Deliveries that were refused: counted, and the latest named, without their bodies.
CREATE TABLE refused_deliveries (
    number BIGINT PRIMARY KEY,
    tenant TEXT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    sender TEXT NOT NULL,
    -- For the administrator; the sender was told nothing.
    reason TEXT NOT NULL
);
CREATE INDEX refused_deliveries_by_tenant ON refused_deliveries (tenant, number);

-- Work to be done, at most one of a kind for a payment.
CREATE TABLE jobs (
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    payment TEXT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    -- 0: nobody has it.
    leased_until_ms BIGINT NOT NULL,
    -- Given anew with each lease (installation.last_fence); only its holder may finish the job.
    fence BIGINT NOT NULL,
    -- Grows with each wish; a job that was wanted meanwhile is done again.
    wanted BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, payment),
    FOREIGN KEY (tenant, payment) REFERENCES payments (tenant, payment)
);
CREATE INDEX jobs_by_due ON jobs (due_at_ms);
