-- What workflows set is written by a run, which can be undone; what they tell people waits in an outbox
-- until it is taken from there, once.

ALTER TABLE crm.workflow_action ADD COLUMN run_id BIGINT;  -- that wrote it; null = it wrote nothing

CREATE TABLE crm.notification_sent (
    workflow  VARCHAR NOT NULL,
    entity    VARCHAR NOT NULL,
    record_id BIGINT NOT NULL,
    event     VARCHAR NOT NULL,
    place     BIGINT NOT NULL,               -- of the action in the workflow, from 1
    actor     VARCHAR NOT NULL,              -- who took it
    sent_at   TIMESTAMP NOT NULL
);
