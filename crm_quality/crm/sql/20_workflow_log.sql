-- What workflows have done. A record keeps what was done to it wherever it goes, so a merge adds
-- tags up and loses none.

CREATE OR REPLACE VIEW crm.workflow_log AS
SELECT a.*, coalesce(m.entity_id, a.record_id) AS entity_id
FROM crm.workflow_action a LEFT JOIN matching.membership m USING (record_id);

-- tags of records, each once
CREATE OR REPLACE VIEW crm.tag AS
SELECT entity, entity_id, name AS tag, min(fired_at) AS since
FROM crm.workflow_log WHERE kind = 'tag' GROUP BY ALL;

-- values that workflows have set by runs that stand, the last of each field. The records have them
-- already; where a source sends a row anew without an owner, the one that was set still counts.
CREATE OR REPLACE VIEW crm.set_value AS
SELECT entity, entity_id, name AS field, arg_max(value, fired_at) AS value, max(fired_at) AS set_at
FROM crm.workflow_log l
WHERE kind = 'set' AND NOT EXISTS (
    SELECT 1 FROM audit.run r WHERE r.run_id = l.run_id AND r.undone_run IS NOT NULL)
GROUP BY ALL;

-- what workflows tell people; sent_at null = it waits. What was said of a person who was erased is gone.
CREATE OR REPLACE VIEW crm.notification AS
SELECT left(sha256(concat_ws(chr(31), l.workflow, l.entity, l.record_id, l.event, l.place)), 16)
           AS notification_id,
       l.workflow, l.entity, l.entity_id, l.record_id, l.event, l.place, l.name AS recipient,
       l.value AS text, l.fired_at AS noted_at, s.sent_at, s.actor AS sent_by
FROM crm.workflow_log l
LEFT JOIN crm.notification_sent s USING (workflow, entity, record_id, event, place)
WHERE l.kind = 'notify' AND l.value IS NOT NULL;
