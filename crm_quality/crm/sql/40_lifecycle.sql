-- needs: contact
-- The way of contacts through their stages: what sources say from version to version, and steps
-- that were taken in the CRM itself. Each record has a way of its own, so a merge mixes nothing up;
-- contact_id says whose it is now.

-- one row per step; from_stage null = the first that is known. fault: `illegal` = the rules do not
-- allow it, `no_reason` = a step back for which nobody gave a reason; null = fine, or no rule
CREATE OR REPLACE VIEW crm.lifecycle_event AS
WITH version AS (
    SELECT v.record_id, v.lifecycle_stage AS stage, v.created_at, v.version_id AS n,
           coalesce(v.updated_at, b.received_at) AS occurred_at
    FROM landing.contact_version v JOIN landing.batch b USING (batch_id)
    WHERE v.status = 'accepted' AND v.lifecycle_stage IS NOT NULL
), said AS (
    -- a source that says again what it said before takes no step, wherever the CRM has moved on to
    SELECT record_id, stage, occurred_at, created_at, n, 'source' AS said_by, NULL AS reason, NULL AS actor
    FROM version
    QUALIFY stage IS DISTINCT FROM lag(stage) OVER (PARTITION BY record_id ORDER BY occurred_at, n)
    UNION ALL
    SELECT record_id, to_stage, moved_at, NULL, 9223372036854775807, 'crm', reason, actor FROM crm.lifecycle_move
), step AS (
    SELECT *, lag(stage) OVER way AS from_stage, row_number() OVER way AS place
    FROM said WINDOW way AS (PARTITION BY record_id ORDER BY occurred_at, n)
    QUALIFY place = 1 OR stage IS DISTINCT FROM from_stage
), timed AS (
    SELECT s.record_id, m.entity_id AS contact_id, s.from_stage, s.stage,
           CASE WHEN s.place = 1 THEN least(coalesce(s.created_at, s.occurred_at), s.occurred_at)
                ELSE s.occurred_at END AS occurred_at,
           s.said_by, s.reason, s.actor, s.n
    FROM step s JOIN matching.membership m USING (record_id)
)
SELECT t.* EXCLUDE (n),
       lead(t.occurred_at) OVER (PARTITION BY t.record_id ORDER BY t.occurred_at, t.n) AS left_at,
       CASE WHEN t.from_stage IS NULL OR NOT EXISTS (FROM crm.lifecycle_step) THEN NULL
            WHEN s.to_stage IS NULL THEN 'illegal'
            WHEN s.needs_reason AND t.reason IS NULL THEN 'no_reason' END AS fault
FROM timed t
LEFT JOIN crm.lifecycle_step s ON s.from_stage = t.from_stage AND s.to_stage = t.stage;

-- where each customer stands: the last step that any of its records took
CREATE OR REPLACE VIEW crm.lifecycle_state AS
SELECT e.contact_id, arg_max(e.stage, (e.occurred_at, e.record_id)) AS stage,
       max(e.occurred_at) AS since, any_value(c.owner) AS owner, any_value(c.lead_source) AS lead_source
FROM crm.lifecycle_event e JOIN crm.contact c ON c.entity_id = e.contact_id
WHERE e.occurred_at <= crm.moment()
GROUP BY e.contact_id;

-- customers by stage, and how long they have been there
CREATE OR REPLACE VIEW crm.lifecycle AS
SELECT s.stage, any_value(p.position) AS position, count(*) AS customers,
       round(median(date_diff('day', s.since, crm.moment())), 1) AS median_days
FROM crm.lifecycle_state s LEFT JOIN crm.lifecycle_place p USING (stage)
GROUP BY s.stage;

-- leads that were handed over
CREATE OR REPLACE VIEW crm.lead_handover AS
SELECT h.*, m.entity_id AS contact_id,
       CASE WHEN h.outcome IS NULL THEN 'open' ELSE h.outcome END AS handover_state,
       round((epoch(coalesce(h.answered_at, crm.moment())) - epoch(h.handed_at)) / 3600.0, 1) AS hours
FROM crm.handover h JOIN matching.membership m USING (record_id);

-- why leads were returned, by who returned them
CREATE OR REPLACE VIEW crm.returned_lead AS
SELECT to_owner AS owner, reason, count(*) AS returned
FROM crm.handover WHERE outcome = 'returned' GROUP BY ALL;
