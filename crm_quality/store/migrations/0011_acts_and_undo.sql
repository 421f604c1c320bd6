-- What stewards do to whole customers, which records moved, and runs that were undone.

-- one row per merge, unmerge or split; what it rests on are decisions
CREATE TABLE matching.act (
    act_id         BIGINT NOT NULL,
    run_id         BIGINT NOT NULL,          -- the run that applied it
    entity         VARCHAR NOT NULL,
    kind           VARCHAR NOT NULL,         -- merge, unmerge, split
    entity_id      BIGINT NOT NULL,          -- merge: the customer that stays; else the one divided
    actor          VARCHAR NOT NULL,
    reason         VARCHAR NOT NULL,
    acted_at       TIMESTAMP NOT NULL,
    takes_back     BIGINT,                   -- unmerge: the merge that it takes back
    taken_back_run BIGINT                    -- the run in which it was taken back; null: it stands
);

-- where each record of the customers in question was and went
CREATE TABLE matching.act_record (
    act_id        BIGINT NOT NULL,
    record_id     BIGINT NOT NULL,
    entity_before BIGINT NOT NULL,
    entity_after  BIGINT NOT NULL
);

CREATE TABLE matching.act_decision (
    act_id      BIGINT NOT NULL,
    decision_id BIGINT NOT NULL,
    effect      VARCHAR NOT NULL             -- made, withdrawn
);

-- every record that went from one customer to another
CREATE TABLE audit.move (
    run_id        BIGINT NOT NULL,
    entity        VARCHAR NOT NULL,
    record_id     BIGINT NOT NULL,
    entity_before BIGINT NOT NULL,
    entity_after  BIGINT NOT NULL
);

-- when sources ended records, and when these came back (ended_at is null)
CREATE TABLE landing.record_end (
    run_id    BIGINT NOT NULL,
    record_id BIGINT NOT NULL,
    ended_at  TIMESTAMP
);

INSERT INTO landing.record_end
SELECT coalesce(ended_run, first_run), record_id, ended_at FROM landing.record
WHERE ended_at IS NOT NULL;

-- records that only undone runs brought: their numbers are theirs should they come again
CREATE TABLE landing.withdrawn_record (
    record_id     BIGINT NOT NULL,
    entity        VARCHAR NOT NULL,
    source        VARCHAR NOT NULL,
    source_key    VARCHAR NOT NULL,
    withdrawn_run BIGINT NOT NULL
);

ALTER TABLE audit.run ADD COLUMN undone_run BIGINT;   -- the run that undid this one
ALTER TABLE quality.quarantine_step ADD COLUMN became BIGINT;   -- as in quality.quarantine

-- run_id is the run that last applied a decision, or that it was taken back
ALTER TABLE matching.decision ADD COLUMN applied_run BIGINT;     -- the first that applied it
ALTER TABLE matching.decision ADD COLUMN withdrawn_run BIGINT;   -- the one that took it back
UPDATE matching.decision SET applied_run = run_id WHERE withdrawn_at IS NULL;
UPDATE matching.decision SET withdrawn_run = run_id WHERE withdrawn_at IS NOT NULL;

-- the version that a golden record had when it was last there, so that no version comes twice
CREATE TABLE crm.former_version (
    entity    VARCHAR NOT NULL,
    entity_id BIGINT NOT NULL,
    version   BIGINT NOT NULL
);
