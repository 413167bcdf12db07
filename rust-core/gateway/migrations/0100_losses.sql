-- A dispute that was lost leaves its charges settled until somebody of the finance role decides.

-- 1: they stay settled all the same. Only of a dispute that was lost.
ALTER TABLE finance_alerts ADD COLUMN written_off BIGINT NOT NULL DEFAULT 0;
CREATE INDEX finance_alerts_lost ON finance_alerts (tenant, payment) WHERE status = 'dispute_lost';

-- What a person has to look at, counted on every page of the office.
CREATE INDEX payments_to_look_at ON payments (tenant) WHERE state = 'needs_attention';

-- How much of a handheld's refused cash waits.
CREATE INDEX refused_cash_of_handheld ON refused_cash (tenant, device) WHERE handled_by = '';
