-- Who works in the office, what they did, and what is known of each key and each delivery.

-- People who sign in. Every tenant has an administrator, numbered 1, from its first day.
CREATE TABLE users (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    user_number BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- The name in lower case: what is compared when somebody signs in.
    name_folded TEXT NOT NULL,
    -- administrator, finance or officer.
    role TEXT NOT NULL,
    -- argon2id in PHC form; empty until the person has chosen a password.
    password TEXT NOT NULL,
    -- Wrong passwords since the last right one, and until when none is looked at.
    failures BIGINT NOT NULL,
    locked_until_ms BIGINT NOT NULL,
    -- active or removed. A removed one stays, because the audit log names it.
    status TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, user_number)
);
CREATE UNIQUE INDEX users_by_name ON users (tenant, name_folded) WHERE status = 'active';
INSERT INTO users SELECT tenant, 1, 'Administrator', 'administrator', 'administrator', '', 0, 0,
    'active', created_at_ms FROM tenants;

-- Links and sessions are a person's from now on; whoever was signed in signs in again.
ALTER TABLE sign_in_links ADD COLUMN user_number BIGINT NOT NULL DEFAULT 1;
ALTER TABLE office_sessions ADD COLUMN user_number BIGINT NOT NULL DEFAULT 1;
DELETE FROM office_sessions;

-- What people changed. Each row's hash covers the row and the hash before it, so that no row can be
-- altered or taken out unseen. The tenant is empty for acts on the whole gateway.
CREATE TABLE audit (
    tenant TEXT NOT NULL,
    number BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    -- In words; never a secret.
    detail TEXT NOT NULL,
    previous_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant, number)
);

-- Who may use a payment type: officers, tables, portal; with commas between.
ALTER TABLE payment_types ADD COLUMN user_types TEXT NOT NULL DEFAULT 'officers';

-- What Stripe last said about a set of keys, and when (0: never asked).
ALTER TABLE processors ADD COLUMN checked_at_ms BIGINT NOT NULL DEFAULT 0;
