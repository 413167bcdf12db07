-- Cash that officers took and whose orders were refused: money without a payment.
CREATE TABLE refused_cash (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    -- The payment that it would have been.
    payment TEXT NOT NULL,
    device TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    officer BIGINT NOT NULL,
    payment_type TEXT NOT NULL,
    mode TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    -- By the handheld's clock.
    held_at_unix_s BIGINT NOT NULL,
    -- As the officer was told.
    why TEXT NOT NULL,
    refused_at_ms BIGINT NOT NULL,
    -- What was done about it, by whom and when; empty and 0 while it waits.
    handled TEXT NOT NULL,
    handled_by TEXT NOT NULL,
    handled_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, payment)
);
CREATE INDEX refused_cash_waiting ON refused_cash (tenant) WHERE handled_by = '';
