-- Asking Stripe goes on where it stopped.

-- A question to Stripe about events whose answer has more pages than one look reads. The next look goes
-- on after the last event that was read; a question without a row here is asked from its beginning.
CREATE TABLE event_questions (
    tenant TEXT NOT NULL,
    code TEXT NOT NULL,
    mode TEXT NOT NULL,
    -- undelivered or all.
    question TEXT NOT NULL,
    -- The window of time that is asked about; Stripe names the newest event in it first.
    from_unix_s BIGINT NOT NULL,
    until_unix_s BIGINT NOT NULL,
    -- The last event that was read.
    after_id TEXT NOT NULL,
    PRIMARY KEY (tenant, code, mode, question)
);

-- Each event that a question brings is looked for among those that are here.
CREATE INDEX events_by_event ON events (tenant, event);

-- Card pages of orders that nobody has brought again: when they are looked at next (0: they are final)
-- and how often they were.
ALTER TABLE found_sessions ADD COLUMN due_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE found_sessions ADD COLUMN looks BIGINT NOT NULL DEFAULT 0;
-- 1: Stripe has the payer's money.
ALTER TABLE found_sessions ADD COLUMN is_paid BIGINT NOT NULL DEFAULT 0;
-- What was found before this was kept is looked at once more, if it was not over.
UPDATE found_sessions SET due_at_ms = 1 WHERE status <> 'expired';
