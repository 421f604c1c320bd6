-- What workflows have done. A record keeps what was done to it wherever it goes, so a merge adds
-- tags up and loses none.

CREATE OR REPLACE VIEW crm.workflow_log AS
SELECT a.*, coalesce(m.entity_id, a.record_id) AS entity_id
FROM crm.workflow_action a LEFT JOIN matching.membership m USING (record_id);

-- tags of records, each once
CREATE OR REPLACE VIEW crm.tag AS
SELECT entity, entity_id, name AS tag, min(fired_at) AS since
FROM crm.workflow_log WHERE kind = 'tag' GROUP BY ALL;

-- values that workflows have set, the last of each field; a source's own value goes before it
CREATE OR REPLACE VIEW crm.set_value AS
SELECT entity, entity_id, name AS field, arg_max(value, fired_at) AS value, max(fired_at) AS set_at
FROM crm.workflow_log WHERE kind = 'set' GROUP BY ALL;
