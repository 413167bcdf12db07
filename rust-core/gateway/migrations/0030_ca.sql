-- The private CA that vouches for the gateway's certificate (DER), as it was last served with; empty
-- where a public one does. It is public; links that enrol handhelds carry its pin.
ALTER TABLE installation ADD COLUMN ca_certificate BLOB NOT NULL DEFAULT x'';
