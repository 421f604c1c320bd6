-- Who was in a segment when: snapshots of members, kept as changes. And figures of customers that take
-- long to find, kept until anything changes.

-- the last change that the tables crm.kept_… know of
CREATE TABLE crm.kept (known VARCHAR NOT NULL);

CREATE TABLE crm.segment_snapshot (
    segment     VARCHAR NOT NULL,
    snapshot_id BIGINT NOT NULL,             -- counts up within the segment
    condition   VARCHAR NOT NULL,            -- as it was declared then
    as_of       DATE NOT NULL,               -- the day that counted as today
    taken_at    TIMESTAMP NOT NULL,
    actor       VARCHAR NOT NULL,
    run_id      BIGINT,                      -- the last run before it; null: none
    members     BIGINT NOT NULL
);

-- who came and went with each snapshot; members of one are all changes up to it added up
CREATE TABLE crm.segment_change (
    segment     VARCHAR NOT NULL,
    snapshot_id BIGINT NOT NULL,
    contact_id  BIGINT NOT NULL,             -- as it was called then
    change      VARCHAR NOT NULL,            -- entered, left
    why         VARCHAR NOT NULL,            -- first_snapshot, condition, new, merged, split, values, gone
    other_id    BIGINT,                      -- merged: the contact that it is part of now; split: that it came from
    seen        VARCHAR                      -- JSON: what the condition reads, as it was
);
