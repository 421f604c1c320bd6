-- From a file to golden records. Times are UTC (TIMESTAMP without zone). No table has a primary
-- key: bulk writes go through staged frames, and an index that must fit in memory would be the
-- first thing to break at ten million records; uniqueness is asserted by `crmq store verify`.

CREATE SCHEMA landing;
CREATE SCHEMA quality;
CREATE SCHEMA matching;
CREATE SCHEMA crm;
CREATE SCHEMA audit;

-- one pass of the pipeline ---------------------------------------------------------------------

CREATE TABLE audit.run (
    run_id            BIGINT NOT NULL,
    started_at        TIMESTAMP NOT NULL,
    finished_at       TIMESTAMP NOT NULL,
    command           VARCHAR NOT NULL,
    actor             VARCHAR NOT NULL,
    as_of             DATE NOT NULL,
    rules_fingerprint VARCHAR NOT NULL,
    product_version   VARCHAR NOT NULL,
    changed           BOOLEAN NOT NULL,      -- false: the run found nothing new
    summary           JSON NOT NULL          -- what `crmq run --format json` printed
);

-- append-only and hash-chained: hash = sha256(previous_hash || payload_digest || head)
CREATE TABLE audit.event (
    event_id       BIGINT NOT NULL,
    run_id         BIGINT,
    occurred_at    TIMESTAMP NOT NULL,
    actor          VARCHAR NOT NULL,
    kind           VARCHAR NOT NULL,         -- project.created, run.committed, store.migrated …
    payload        JSON,
    salt           VARCHAR NOT NULL,
    payload_digest VARCHAR NOT NULL,
    previous_hash  VARCHAR NOT NULL,
    hash           VARCHAR NOT NULL
);

-- what a run did to the meaning of ids: created, changed, merged, split
CREATE TABLE audit.change (
    run_id       BIGINT NOT NULL,
    entity       VARCHAR NOT NULL,
    kind         VARCHAR NOT NULL,
    entity_id    BIGINT NOT NULL,            -- the entity as it is now
    former_id    BIGINT                      -- merged: the id that went into it; split: where it came from
);

-- records and their versions ---------------------------------------------------------------------

CREATE TABLE landing.batch (
    batch_id      BIGINT NOT NULL,
    run_id        BIGINT NOT NULL,
    entity        VARCHAR NOT NULL,
    source        VARCHAR,                   -- null: the file names the source in each row
    origin        VARCHAR NOT NULL,          -- name of the file, or "frame"
    file_hash     VARCHAR,
    rows_received BIGINT NOT NULL,
    mapping       JSON NOT NULL,             -- canonical field → column
    received_at   TIMESTAMP NOT NULL
);

CREATE TABLE landing.record (
    record_id       BIGINT NOT NULL,         -- increasing in order of arrival, never used again
    entity          VARCHAR NOT NULL,
    source          VARCHAR NOT NULL,
    source_key      VARCHAR NOT NULL,        -- (entity, source, source_key) is unique
    first_run       BIGINT NOT NULL,
    accepted_no     BIGINT,                  -- order of first acceptance; null: never accepted
    current_version BIGINT,                  -- null: no accepted version
    ended_at        TIMESTAMP,               -- the source deleted it
    ended_run       BIGINT
);

-- every e-mail address and phone number of an accepted version, many per record
CREATE TABLE landing.contact_point (
    record_id  BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    entity     VARCHAR NOT NULL,
    kind       VARCHAR NOT NULL,             -- email, phone
    field      VARCHAR NOT NULL,             -- the field it stands in
    value      VARCHAR NOT NULL,             -- canonical form
    value_raw  VARCHAR                       -- as it came; null: one of several in a cell
);

CREATE TABLE landing.contact_version (
    version_id   BIGINT NOT NULL,            -- increasing in order of arrival
    record_id    BIGINT NOT NULL,
    run_id       BIGINT NOT NULL,
    batch_id     BIGINT NOT NULL,
    row_number   BIGINT,                     -- 1-based data row in its file
    status       VARCHAR NOT NULL,           -- accepted, quarantined
    content_hash VARCHAR NOT NULL,
    rules_hash   VARCHAR NOT NULL,           -- of the definitions that standardised it
    raw          VARCHAR,                    -- JSON: header → text, the row as it came
    custom       VARCHAR,                    -- JSON: unmapped columns that were filled
    salutation VARCHAR, first_name VARCHAR, middle_name VARCHAR, last_name VARCHAR,
    name_suffix VARCHAR, gender VARCHAR, date_of_birth DATE, birth_place VARCHAR,
    email VARCHAR, other_emails VARCHAR[], phone VARCHAR, mobile VARCHAR, other_phones VARCHAR[],
    company_name VARCHAR, job_title VARCHAR, street VARCHAR, city VARCHAR, state VARCHAR,
    postcode VARCHAR, country VARCHAR, website VARCHAR, tax_id VARCHAR, lead_source VARCHAR,
    lifecycle_stage VARCHAR, owner VARCHAR, email_opt_out BOOLEAN, do_not_call BOOLEAN,
    created_at TIMESTAMP, updated_at TIMESTAMP
);

CREATE TABLE landing.company_version (
    version_id   BIGINT NOT NULL,
    record_id    BIGINT NOT NULL,
    run_id       BIGINT NOT NULL,
    batch_id     BIGINT NOT NULL,
    row_number   BIGINT,
    status       VARCHAR NOT NULL,
    content_hash VARCHAR NOT NULL,
    rules_hash   VARCHAR NOT NULL,
    raw          VARCHAR,
    custom       VARCHAR,
    name VARCHAR, domain VARCHAR, website VARCHAR, phone VARCHAR, email VARCHAR,
    registration_id VARCHAR, vat_id VARCHAR, parent_source_key VARCHAR, industry VARCHAR,
    size_band VARCHAR, employees BIGINT, street VARCHAR, city VARCHAR, state VARCHAR,
    postcode VARCHAR, country VARCHAR, owner VARCHAR, lifecycle_stage VARCHAR,
    created_at TIMESTAMP, updated_at TIMESTAMP
);

-- quality ------------------------------------------------------------------------------------------

CREATE TABLE quality.issue (
    run_id     BIGINT NOT NULL,
    entity     VARCHAR NOT NULL,
    record_id  BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    field      VARCHAR,                      -- null: the whole record
    rule       VARCHAR NOT NULL,             -- stable code
    severity   VARCHAR NOT NULL,             -- error, warning, info
    value      VARCHAR,                      -- as it came
    message    VARCHAR NOT NULL,
    suggestion VARCHAR
);

CREATE TABLE quality.quarantine (
    entity     VARCHAR NOT NULL,
    record_id  BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    run_id     BIGINT NOT NULL,
    status     VARCHAR NOT NULL,             -- open, fixed, released, waived, superseded
    opened_at  TIMESTAMP NOT NULL,
    closed_at  TIMESTAMP,
    closed_run BIGINT,
    reason     VARCHAR
);

-- each check of each run: passed + warned + failed + errored + skipped = all
CREATE TABLE quality.check_result (
    run_id   BIGINT NOT NULL,
    entity   VARCHAR NOT NULL,
    rule     VARCHAR NOT NULL,
    title    VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    status   VARCHAR NOT NULL,
    checked  BIGINT NOT NULL,
    failing  BIGINT NOT NULL
);

-- figures of the store after each run
CREATE TABLE quality.metric (
    run_id BIGINT NOT NULL,
    entity VARCHAR NOT NULL,
    field  VARCHAR,                          -- null: of whole records
    source VARCHAR,                          -- null: of all sources
    metric VARCHAR NOT NULL,                 -- filled, valid, records, accepted, quarantined, golden …
    value  DOUBLE NOT NULL,                  -- a count
    total  DOUBLE                            -- what it is a part of; null: a plain count
);

-- matching -----------------------------------------------------------------------------------------

CREATE TABLE matching.model (
    model_id   BIGINT NOT NULL,
    entity     VARCHAR NOT NULL,
    run_id     BIGINT NOT NULL,
    origin     VARCHAR NOT NULL,             -- trained, prior
    in_use     BOOLEAN NOT NULL,
    content    JSON NOT NULL
);

CREATE TABLE matching.pair (
    entity            VARCHAR NOT NULL,
    record_id_l       BIGINT NOT NULL,       -- the lesser of the two
    record_id_r       BIGINT NOT NULL,
    match_weight      DOUBLE NOT NULL,       -- log2 odds
    match_probability DOUBLE NOT NULL,
    relation          VARCHAR,               -- same_person, relatives, colleagues, namesakes, unrelated
    run_id            BIGINT NOT NULL
);

CREATE TABLE matching.decision (
    decision_id  BIGINT NOT NULL,
    entity       VARCHAR NOT NULL,
    verdict      VARCHAR NOT NULL,           -- same, different
    source_l     VARCHAR NOT NULL,
    source_key_l VARCHAR NOT NULL,
    source_r     VARCHAR NOT NULL,
    source_key_r VARCHAR NOT NULL,
    actor        VARCHAR NOT NULL,
    reason       VARCHAR,
    decided_at   TIMESTAMP NOT NULL,
    run_id       BIGINT,
    withdrawn_at TIMESTAMP
);

CREATE TABLE matching.shared_value (
    entity VARCHAR NOT NULL,
    kind   VARCHAR NOT NULL,
    value  VARCHAR NOT NULL,
    people BIGINT NOT NULL                   -- how many different people use it
);

-- one row per record that was ever accepted
CREATE TABLE matching.membership (
    record_id BIGINT NOT NULL,
    entity_id BIGINT NOT NULL,
    run_id    BIGINT NOT NULL                -- the run that put it there
);

-- golden records -----------------------------------------------------------------------------------

CREATE TABLE crm.contact (
    entity_id BIGINT NOT NULL,
    version   BIGINT NOT NULL,               -- goes up by one with every change
    run_id    BIGINT NOT NULL,               -- the run that last changed it
    records   BIGINT NOT NULL,               -- live source records behind it
    sources   VARCHAR[] NOT NULL,
    salutation VARCHAR, first_name VARCHAR, middle_name VARCHAR, last_name VARCHAR,
    name_suffix VARCHAR, gender VARCHAR, date_of_birth DATE, birth_place VARCHAR,
    email VARCHAR, other_emails VARCHAR[], phone VARCHAR, mobile VARCHAR, other_phones VARCHAR[],
    company_name VARCHAR, job_title VARCHAR, street VARCHAR, city VARCHAR, state VARCHAR,
    postcode VARCHAR, country VARCHAR, website VARCHAR, tax_id VARCHAR, lead_source VARCHAR,
    lifecycle_stage VARCHAR, owner VARCHAR, email_opt_out BOOLEAN, do_not_call BOOLEAN,
    created_at TIMESTAMP, updated_at TIMESTAMP
);

CREATE TABLE crm.company (
    entity_id BIGINT NOT NULL,
    version   BIGINT NOT NULL,
    run_id    BIGINT NOT NULL,
    records   BIGINT NOT NULL,
    sources   VARCHAR[] NOT NULL,
    name VARCHAR, domain VARCHAR, website VARCHAR, phone VARCHAR, email VARCHAR,
    registration_id VARCHAR, vat_id VARCHAR, parent_source_key VARCHAR, industry VARCHAR,
    size_band VARCHAR, employees BIGINT, street VARCHAR, city VARCHAR, state VARCHAR,
    postcode VARCHAR, country VARCHAR, owner VARCHAR, lifecycle_stage VARCHAR,
    created_at TIMESTAMP, updated_at TIMESTAMP
);

-- which record gave each value of an entity with several records; where an entity has one record,
-- that record gave them all (crm.provenance says both)
CREATE TABLE crm.value_origin (
    entity    VARCHAR NOT NULL,
    entity_id BIGINT NOT NULL,
    field     VARCHAR NOT NULL,
    record_id BIGINT NOT NULL,
    rule      VARCHAR NOT NULL,              -- survivorship strategy
    run_id    BIGINT NOT NULL
);

-- one row per source record, quarantined ones included (each its own entity until released)
CREATE VIEW crm.crosswalk AS
SELECT r.entity, r.source, r.source_key, r.record_id,
       coalesce(m.entity_id, r.record_id) AS entity_id,
       CASE WHEN r.ended_at IS NOT NULL THEN 'ended'
            WHEN r.current_version IS NULL THEN 'quarantined'
            ELSE 'accepted' END AS status
FROM landing.record r LEFT JOIN matching.membership m USING (record_id);
