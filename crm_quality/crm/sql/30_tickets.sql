-- needs: ticket
-- Tickets: how long customers waited, in the company's working time, and what is still open.
-- Working time comes from crm.business_time, which `crmq crm` keeps as crmq.yml declares it.

-- working seconds from the first opening to each moment that tickets speak of
CREATE OR REPLACE VIEW crm.ticket_moment AS
WITH moments AS (
    SELECT created_at AS moment FROM crm.ticket UNION SELECT first_response_at FROM crm.ticket
    UNION SELECT resolved_at FROM crm.ticket UNION SELECT crm.moment()
)
SELECT m.moment, coalesce(b.seconds_before + epoch(least(m.moment, b.closes_at) - b.opens_at), 0)::BIGINT
       AS seconds
FROM (FROM moments WHERE moment IS NOT NULL) m
ASOF LEFT JOIN crm.business_time b ON m.moment >= b.opens_at;

-- one row per ticket. first_response and resolution: working seconds from its opening; null = not
-- yet, or the source does not say. waiting: working seconds that an open ticket is old.
-- missed: the time promised for its priority has passed; null = none was promised, or not known
CREATE OR REPLACE VIEW crm.ticket_time AS
WITH timed AS (
    SELECT t.entity_id AS ticket_id, t.subject, t.priority, t.ticket_status, t.channel,
           coalesce(t.owner, w.value) AS owner,
           t.contact_id, t.contact_state, t.company_id, t.created_at, t.first_response_at,
           t.resolved_at,
           t.ticket_status NOT IN ('solved', 'closed')
               OR (t.ticket_status IS NULL AND t.resolved_at IS NULL) AS is_open,
           f.seconds - o.seconds AS first_response, r.seconds - o.seconds AS resolution,
           n.seconds - o.seconds AS waiting,
           coalesce(p.first_response_seconds, a.first_response_seconds) AS first_response_target,
           coalesce(p.resolution_seconds, a.resolution_seconds) AS resolution_target
    FROM crm.ticket t
    LEFT JOIN crm.set_value w ON w.entity = 'ticket' AND w.field = 'owner' AND w.entity_id = t.entity_id
    LEFT JOIN crm.ticket_moment o ON o.moment = t.created_at
    LEFT JOIN crm.ticket_moment f ON f.moment = t.first_response_at AND t.first_response_at >= t.created_at
    LEFT JOIN crm.ticket_moment r ON r.moment = t.resolved_at AND t.resolved_at >= t.created_at
    LEFT JOIN crm.ticket_moment n ON n.moment = crm.moment()
    LEFT JOIN crm.ticket_target p ON p.priority = t.priority
    LEFT JOIN crm.ticket_target a ON a.priority = ''
)
SELECT * REPLACE (CASE WHEN is_open THEN waiting END AS waiting),
       -- an open ticket has missed its time when that much has passed without an answer
       coalesce(first_response, CASE WHEN is_open THEN waiting END) > first_response_target
           AS first_response_missed,
       coalesce(resolution, CASE WHEN is_open THEN waiting END) > resolution_target
           AS resolution_missed
FROM timed;

-- open tickets of each customer; contact_id null = whose they are is not known
CREATE OR REPLACE VIEW crm.ticket_open AS
SELECT contact_id, contact_state, count(*) AS tickets,
       count(*) FILTER (priority IN ('high', 'urgent')) AS pressing, min(created_at) AS oldest,
       max(waiting) AS longest_waiting, count(*) FILTER (resolution_missed) AS missed
FROM crm.ticket_time WHERE is_open GROUP BY contact_id, contact_state;

-- by priority; times are working hours, medians of the tickets that have them
CREATE OR REPLACE VIEW crm.ticket_service AS
SELECT priority, count(*) AS tickets, count(*) FILTER (is_open) AS open,
       round(median(first_response) / 3600.0, 2) AS first_response_hours,
       round(median(resolution) / 3600.0, 2) AS resolution_hours,
       any_value(first_response_target) / 3600.0 AS first_response_promised,
       count(*) FILTER (first_response_missed) AS first_response_missed,
       any_value(resolution_target) / 3600.0 AS resolution_promised,
       count(*) FILTER (resolution_missed) AS resolution_missed,
       count(*) FILTER (created_at IS NULL) AS without_opening
FROM crm.ticket_time GROUP BY priority;
