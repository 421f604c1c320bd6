-- How a business works with its customers. What rules and crmq.yml declare is copied here, so that
-- views can read it; what people decide in the CRM itself is kept by the record that it is about.

CREATE TABLE crm.declared (
    what        VARCHAR NOT NULL,            -- process, hours
    fingerprint VARCHAR NOT NULL             -- of what was declared when it was copied
);

CREATE TABLE crm.pipeline_name (
    spelling VARCHAR NOT NULL,               -- in small letters; '' = deals that name no pipeline
    pipeline VARCHAR NOT NULL
);

CREATE TABLE crm.pipeline_stage (
    pipeline      VARCHAR NOT NULL,
    stage         VARCHAR NOT NULL,
    position      BIGINT NOT NULL,           -- 1 = the first
    outcome       VARCHAR NOT NULL,          -- open, won, lost
    probability   DECIMAL(5, 2),             -- percent; null = the deal's own counts
    expected_days BIGINT
);

CREATE TABLE crm.lifecycle_place (
    stage    VARCHAR NOT NULL,
    position BIGINT NOT NULL                 -- 1 = the first
);

CREATE TABLE crm.lifecycle_step (
    from_stage   VARCHAR NOT NULL,
    to_stage     VARCHAR NOT NULL,
    needs_reason BOOLEAN NOT NULL            -- a step back
);

-- when the company is at work, UTC; between two moments lie as many working seconds as their
-- counts differ
CREATE TABLE crm.business_time (
    opens_at       TIMESTAMP NOT NULL,
    closes_at      TIMESTAMP NOT NULL,
    seconds_before BIGINT NOT NULL           -- working seconds from the first opening to this one
);

CREATE TABLE crm.ticket_target (
    priority               VARCHAR NOT NULL, -- '' = tickets of any other priority
    first_response_seconds BIGINT,
    resolution_seconds     BIGINT
);

CREATE TABLE crm.stale_age (
    entity VARCHAR NOT NULL,
    days   BIGINT NOT NULL                   -- untouched for longer than that = stale
);

-- a step in the life of a contact, taken in the CRM itself
CREATE TABLE crm.lifecycle_move (
    record_id  BIGINT NOT NULL,              -- the contact's record that it was made on
    from_stage VARCHAR,
    to_stage   VARCHAR NOT NULL,
    reason     VARCHAR,
    actor      VARCHAR NOT NULL,
    moved_at   TIMESTAMP NOT NULL
);

-- a lead that marketing gave to sales, and what sales said
CREATE TABLE crm.handover (
    handover_id BIGINT NOT NULL,
    record_id   BIGINT NOT NULL,             -- the contact's record that it was made on
    from_owner  VARCHAR,
    to_owner    VARCHAR NOT NULL,
    handed_at   TIMESTAMP NOT NULL,
    handed_by   VARCHAR NOT NULL,
    outcome     VARCHAR,                     -- accepted, returned; null = not answered yet
    reason      VARCHAR,                     -- of a return
    answered_at TIMESTAMP,
    answered_by VARCHAR
);

-- what workflows have done: an action of an event is there once
CREATE TABLE crm.workflow_action (
    workflow  VARCHAR NOT NULL,
    entity    VARCHAR NOT NULL,
    record_id BIGINT NOT NULL,
    event     VARCHAR NOT NULL,              -- the values that make it this event; '' = the only one
    place     BIGINT NOT NULL,               -- of the action in the workflow, from 1
    kind      VARCHAR NOT NULL,              -- task, tag, set, notify
    name      VARCHAR NOT NULL,              -- subject, tag, field, or who is told
    value     VARCHAR,                       -- of a field, or the text
    actor     VARCHAR NOT NULL,
    fired_at  TIMESTAMP NOT NULL
);
