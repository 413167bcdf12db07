-- Which handheld was which before: proved at enrolment, of force once the new one is approved.
CREATE TABLE device_continuity (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    device TEXT NOT NULL,
    earlier TEXT NOT NULL,
    PRIMARY KEY (tenant, device, earlier)
);
