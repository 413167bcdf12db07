-- What money that went back does to the charges it had settled.

-- When this payment's money, which had settled the charge, was gone again; 0 while it settles the
-- charge, and if it never did. The charge is owed again unless another payment settles it.
ALTER TABLE claims ADD COLUMN returned_at_ms BIGINT NOT NULL DEFAULT 0;

-- 1: what the payment settled is cancelled once all of it went back; 0: it is owed again.
ALTER TABLE refund_requests ADD COLUMN cancels_charges BIGINT NOT NULL DEFAULT 0;
