-- Values that people put in place of what the records say, and where each golden value comes from.

-- A value that stands in the golden record of the customer whose record it was made on: it goes
-- where that record goes, through merge and unmerge. Pins beat enriched values, the newer the older.
CREATE TABLE crm.override (
    override_id       BIGINT NOT NULL,
    entity            VARCHAR NOT NULL,
    record_id         BIGINT NOT NULL,       -- the customer's anchor when it was made
    field             VARCHAR NOT NULL,
    kind              VARCHAR NOT NULL,      -- pinned (by a steward), enriched (a proposal accepted)
    value             VARCHAR,               -- canonical, as text; null: the field is to be empty
    actor             VARCHAR NOT NULL,
    reason            VARCHAR NOT NULL,
    made_at           TIMESTAMP NOT NULL,
    expires_on        DATE,                  -- the last day on which it holds; null: until withdrawn
    arrived_at        TIMESTAMP,             -- enriched: values of records that came later go first
    proposal_id       BIGINT,                -- enriched: which proposal
    run_id            BIGINT NOT NULL,
    withdrawn_at      TIMESTAMP,
    withdrawn_by      VARCHAR,
    withdrawn_because VARCHAR,
    applied           BOOLEAN NOT NULL       -- golden records were derived with it
);

-- what a file says of customers that is not in their golden records: a steward accepts or rejects it
CREATE TABLE crm.proposal (
    proposal_id BIGINT NOT NULL,
    entity      VARCHAR NOT NULL,
    record_id   BIGINT NOT NULL,             -- the customer's anchor when it was made
    field       VARCHAR NOT NULL,
    old_value   VARCHAR,                     -- the golden value then, as text
    new_value   VARCHAR NOT NULL,            -- canonical, as text
    source      VARCHAR NOT NULL,            -- who says so
    origin      VARCHAR NOT NULL,            -- name of the file
    row_number  BIGINT NOT NULL,
    updated_at  TIMESTAMP NOT NULL,          -- when it was true, as the file says; else when it came
    proposed_at TIMESTAMP NOT NULL,
    proposed_by VARCHAR NOT NULL,
    status      VARCHAR NOT NULL,            -- open, accepted, rejected, superseded
    decided_at  TIMESTAMP,
    decided_by  VARCHAR,
    reason      VARCHAR
);

ALTER TABLE crm.value_origin ADD COLUMN override_id BIGINT;
