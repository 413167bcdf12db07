-- Live Mode: off (mode is test), on trial (mode is live and officers are named), on.

-- Officers who may take live payments while Live Mode is on trial: numbers with commas between; empty
-- when it is off, or open to everyone.
ALTER TABLE payment_types ADD COLUMN trial_officers TEXT NOT NULL DEFAULT '';

-- When deliveries signed with this mode's secret last proved the webhook (0: never).
ALTER TABLE processors ADD COLUMN webhook_verified_at_ms BIGINT NOT NULL DEFAULT 0;
