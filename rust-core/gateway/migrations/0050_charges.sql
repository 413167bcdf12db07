-- What is owed, who settles it, and cash.

-- Charges. Withdrawn ones stay, because payments name them.
CREATE TABLE charges (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    -- Such as a notice number: 1 to 12 capitals, digits and inner hyphens.
    reference TEXT NOT NULL,
    plate TEXT NOT NULL,
    -- Letters and digits in capitals: what is searched for.
    plate_folded TEXT NOT NULL,
    payer TEXT NOT NULL,
    -- In small letters: what is searched for.
    payer_folded TEXT NOT NULL,
    -- JSON: text and minor units of each part.
    lines TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    -- YYYY-MM-DD; empty: at once.
    due_on TEXT NOT NULL,
    -- Who may settle it: officers, portal; with commas between.
    user_types TEXT NOT NULL,
    -- Why it is not owed any more; empty while it is.
    withdrawn TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, reference)
);
CREATE INDEX charges_by_plate ON charges (tenant, plate_folded);
CREATE INDEX charges_by_payer ON charges (tenant, payer_folded);
CREATE INDEX charges_by_change ON charges (tenant, changed_at_ms);

-- Which payments were held for which charges. Test and live never meet.
CREATE TABLE claims (
    tenant TEXT NOT NULL,
    reference TEXT NOT NULL,
    payment TEXT NOT NULL,
    mode TEXT NOT NULL,
    -- waiting, holding, settled or released.
    state TEXT NOT NULL,
    -- When the payment was accepted: the longest waiting comes next.
    made_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, reference, payment),
    FOREIGN KEY (tenant, reference) REFERENCES charges (tenant, reference),
    FOREIGN KEY (tenant, payment) REFERENCES payments (tenant, payment)
);
-- A charge is never settled by two payments at once.
CREATE UNIQUE INDEX claims_one_settling ON claims (tenant, mode, reference)
    WHERE state IN ('holding', 'settled');
CREATE INDEX claims_by_payment ON claims (tenant, payment);

-- A charge of the payment that another payment holds; empty if none.
ALTER TABLE payments ADD COLUMN held_up TEXT NOT NULL DEFAULT '';

-- Cash that was handed in at the end of a shift. What is in a closed shift is not voided any more.
CREATE TABLE cash_shifts (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    number BIGINT NOT NULL,
    officer BIGINT NOT NULL,
    device TEXT NOT NULL,
    mode TEXT NOT NULL,
    currency TEXT NOT NULL,
    -- What the payments of the shift come to, and what was counted.
    expected_minor BIGINT NOT NULL,
    counted_minor BIGINT NOT NULL,
    payments BIGINT NOT NULL,
    closed_at_ms BIGINT NOT NULL,
    -- Who counted.
    closed_by TEXT NOT NULL,
    PRIMARY KEY (tenant, number)
);
CREATE TABLE cash_handed_in (
    tenant TEXT NOT NULL,
    payment TEXT NOT NULL,
    -- The shift it was handed in with.
    number BIGINT NOT NULL,
    PRIMARY KEY (tenant, payment),
    FOREIGN KEY (tenant, payment) REFERENCES payments (tenant, payment),
    FOREIGN KEY (tenant, number) REFERENCES cash_shifts (tenant, number)
);

-- Programs that write charges through the API. Only the hash of a credential is kept.
CREATE TABLE charge_credentials (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    -- The last four characters, for people.
    ends_with TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    -- 0: never.
    used_at_ms BIGINT NOT NULL,
    -- 0: it is good.
    revoked_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, number)
);
