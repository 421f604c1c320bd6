-- A quarantine with a life: open → fixed → checked again → released, or waived until a day.

-- what a record's source gave, so that it can be corrected and checked again
ALTER TABLE quality.quarantine ADD COLUMN given VARCHAR;    -- JSON: field → text as its source gave it
ALTER TABLE quality.quarantine ADD COLUMN problem VARCHAR;  -- the row could not be read: why
ALTER TABLE quality.quarantine ADD COLUMN became BIGINT;    -- the version that took its place

-- how a batch was read, also where the definition is no part of the project (--source FILE.yml)
ALTER TABLE landing.batch ADD COLUMN source_definition VARCHAR;   -- JSON; null: none was known

-- every step of a record's way through quarantine; quality.quarantine has the last one
CREATE TABLE quality.quarantine_step (
    entity      VARCHAR NOT NULL,
    record_id   BIGINT NOT NULL,
    version_id  BIGINT NOT NULL,
    run_id      BIGINT NOT NULL,
    status      VARCHAR NOT NULL,            -- open, fixed, released, waived, lapsed, superseded
    occurred_at TIMESTAMP NOT NULL,
    actor       VARCHAR NOT NULL,
    reason      VARCHAR
);

INSERT INTO quality.quarantine_step
SELECT q.entity, q.record_id, q.version_id, q.run_id, 'open', q.opened_at, a.actor, NULL
FROM quality.quarantine q JOIN audit.run a USING (run_id)
UNION ALL
SELECT q.entity, q.record_id, q.version_id, q.closed_run, q.status, q.closed_at, a.actor, q.reason
FROM quality.quarantine q JOIN audit.run a ON a.run_id = q.closed_run
WHERE q.status <> 'open' AND q.closed_at IS NOT NULL;

-- a steward's words for what one row of a source says; in force for exactly that row
CREATE TABLE quality.correction (
    correction_id BIGINT NOT NULL,
    entity        VARCHAR NOT NULL,
    source        VARCHAR NOT NULL,
    source_key    VARCHAR NOT NULL,
    content_hash  VARCHAR NOT NULL,          -- the row that was corrected
    field         VARCHAR NOT NULL,
    old_value     VARCHAR,                   -- the text that it replaces; null: there was none
    new_value     VARCHAR,                   -- null: the field is to be empty
    actor         VARCHAR NOT NULL,
    reason        VARCHAR NOT NULL,
    corrected_at  TIMESTAMP NOT NULL,
    run_id        BIGINT NOT NULL
);

-- which correction gave which value of which version
CREATE TABLE quality.version_correction (
    entity        VARCHAR NOT NULL,
    version_id    BIGINT NOT NULL,
    field         VARCHAR NOT NULL,
    correction_id BIGINT NOT NULL
);

-- a record is accepted in spite of a rule of severity error, up to and including a day
CREATE TABLE quality.waiver (
    waiver_id    BIGINT NOT NULL,
    entity       VARCHAR NOT NULL,
    source       VARCHAR NOT NULL,
    source_key   VARCHAR NOT NULL,
    rule         VARCHAR NOT NULL,
    expires_on   DATE NOT NULL,              -- the last day on which it holds
    actor        VARCHAR NOT NULL,
    reason       VARCHAR NOT NULL,
    decided_at   TIMESTAMP NOT NULL,
    run_id       BIGINT NOT NULL,
    withdrawn_at TIMESTAMP                   -- a later decision took its place
);

-- which records wait: the last row that their source sent was set aside, and they have not ended.
-- One row per record; every count and list of what waits reads it.
CREATE VIEW quality.waiting AS
SELECT q.entity, q.record_id, r.source, r.source_key, q.version_id, q.run_id, q.opened_at,
       r.current_version IS NOT NULL AS in_force   -- an earlier version is used meanwhile
FROM quality.quarantine q JOIN landing.record r USING (record_id)
WHERE q.status = 'open' AND r.ended_at IS NULL
QUALIFY row_number() OVER (PARTITION BY q.record_id ORDER BY q.version_id DESC) = 1;
