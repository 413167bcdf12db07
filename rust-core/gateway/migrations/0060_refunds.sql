-- Money on its way back: what was asked for, and what the finance role was told.

-- Wishes to refund. The request to Stripe is stored before it is sent.
CREATE TABLE refund_requests (
    tenant TEXT NOT NULL,
    -- Minted with the form: the same form sent twice is this row.
    request_key TEXT NOT NULL,
    payment TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    -- In the words of whoever asked; may be empty.
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    -- frozen, made or refused.
    state TEXT NOT NULL,
    -- Byte for byte what is sent, and sent again.
    frozen_path TEXT NOT NULL,
    frozen_body TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    asked_at_ms BIGINT NOT NULL,
    -- Stripe's refund; empty until known.
    refund TEXT NOT NULL,
    -- Why it waits or was refused, in words; empty while all is well.
    problem TEXT NOT NULL,
    PRIMARY KEY (tenant, request_key),
    FOREIGN KEY (tenant, payment) REFERENCES payments (tenant, payment)
);
CREATE INDEX refund_requests_by_payment ON refund_requests (tenant, payment);
-- While nobody knows what became of one, no other begins.
CREATE UNIQUE INDEX refund_requests_one_undecided ON refund_requests (tenant, payment)
    WHERE state = 'frozen';

-- Refunds and disputes as the finance role was told of them, one line for each. A change makes the
-- line new again.
CREATE TABLE finance_alerts (
    tenant TEXT NOT NULL,
    -- Stripe's refund or dispute, or the key of a request that Stripe refused.
    object TEXT NOT NULL,
    payment TEXT NOT NULL,
    status TEXT NOT NULL,
    -- What it was before; empty if it was nothing.
    was TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    -- Empty and 0 until somebody acknowledged it.
    acknowledged_by TEXT NOT NULL,
    acknowledged_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, object),
    FOREIGN KEY (tenant, payment) REFERENCES payments (tenant, payment)
);
CREATE INDEX finance_alerts_by_time ON finance_alerts (tenant, changed_at_ms);
CREATE INDEX finance_alerts_unread ON finance_alerts (tenant) WHERE acknowledged_by = '';
