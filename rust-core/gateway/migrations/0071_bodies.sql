-- Events stay for ever, so that each is taken once; their bodies do not.

-- When the body was thrown away (0: it is there). The rest of the row stays.
ALTER TABLE events ADD COLUMN pruned_at_ms BIGINT NOT NULL DEFAULT 0;
-- Bodies that are still there, the oldest first: of events that are applied, and of those that wait.
CREATE INDEX events_applied_bodies ON events (received_at_ms)
    WHERE pruned_at_ms = 0 AND waiting_for = '';
CREATE INDEX events_waiting_bodies ON events (received_at_ms)
    WHERE pruned_at_ms = 0 AND waiting_for <> '';

-- How many payments stand how: counted for Prometheus, without a look at the payments themselves.
CREATE INDEX payments_by_state ON payments (tenant, state);
