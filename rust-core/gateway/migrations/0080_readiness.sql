-- What `/ready` writes to learn whether the disk still takes a busy commit, and not only one page.

CREATE TABLE readiness_probe (
    -- Always 1.
    one BIGINT NOT NULL PRIMARY KEY,
    -- Bytes without a meaning, other ones each time: the same ones would not be written again.
    filler BLOB NOT NULL
);
