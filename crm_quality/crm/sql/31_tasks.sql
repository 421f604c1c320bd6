-- needs: task, user, contact, company, deal, ticket, contract, campaign
-- Tasks: what is due, and what is late in the owner's own time zone. And records whose owner has
-- left or is nobody.

-- people as records name them: by name or by mailbox; in small letters
CREATE OR REPLACE VIEW crm.person AS
SELECT lower(trim(n.name)) AS called, min(u.entity_id) AS user_id,
       -- two people of one name: one who is there counts
       coalesce(bool_or(u.is_active), true) AS is_active, any_value(u.time_zone) AS time_zone
FROM crm.user u, LATERAL (SELECT unnest([u.name, u.email]) AS name) n
WHERE n.name IS NOT NULL
GROUP BY 1;

-- one row per open task. A moment of midnight (UTC) means the whole day, as the owner's clock has it
CREATE OR REPLACE VIEW crm.task_due AS
WITH placed AS (
    SELECT t.entity_id AS task_id, t.source_key, t.subject, t.priority, t.owner, t.due_at,
           t.contact_id, t.contact_state, t.company_id, t.deal_id, t.created_at, t.updated_at,
           coalesce(p.time_zone, getvariable('crm_zone'), 'UTC') AS time_zone,
           t.due_at = date_trunc('day', t.due_at) AS is_whole_day
    FROM crm.task t LEFT JOIN crm.person p ON p.called = lower(trim(t.owner))
    WHERE coalesce(t.task_status, 'open') NOT IN ('done', 'cancelled') AND t.done_at IS NULL
), local AS (
    SELECT *, CASE WHEN is_whole_day THEN due_at ELSE crm.local_time(due_at, time_zone) END AS due_local,
           crm.local_time(crm.moment(), time_zone) AS now_local
    FROM placed
)
SELECT * EXCLUDE (now_local),
       coalesce(CASE WHEN is_whole_day THEN now_local::DATE > due_at::DATE
                     ELSE crm.moment() > due_at END, false) AS is_overdue,
       CASE WHEN due_at IS NOT NULL THEN greatest(date_diff('day', due_local::DATE, now_local::DATE), 0)
            END AS days_late
FROM local;

CREATE OR REPLACE VIEW crm.task_owner AS
SELECT owner, count(*) AS open, count(*) FILTER (is_overdue) AS overdue,
       count(*) FILTER (due_at IS NULL) AS without_day, max(days_late) AS most_days_late
FROM crm.task_due GROUP BY owner;

-- records in use whose owner has left (inactive) or is no user (unknown); open deals, tickets and
-- tasks only. Where no user is known at all, nobody is called unknown.
CREATE OR REPLACE VIEW crm.owner_fault AS
WITH owned AS (
    SELECT 'contact' AS entity, entity_id, owner FROM crm.contact
    UNION ALL SELECT 'company', entity_id, owner FROM crm.company
    UNION ALL SELECT 'deal', entity_id, owner FROM crm.deal WHERE coalesce(stage, '') NOT IN ('won', 'lost')
    UNION ALL SELECT 'ticket', entity_id, owner FROM crm.ticket
        WHERE coalesce(ticket_status, '') NOT IN ('solved', 'closed') AND resolved_at IS NULL
    UNION ALL SELECT 'task', task_id, owner FROM crm.task_due
    UNION ALL SELECT 'contract', entity_id, owner FROM crm.contract WHERE cancelled_on IS NULL
    UNION ALL SELECT 'campaign', entity_id, owner FROM crm.campaign
        WHERE coalesce(campaign_status, '') NOT IN ('completed', 'cancelled')
)
SELECT o.entity, o.entity_id, o.owner,
       CASE WHEN p.user_id IS NULL THEN 'unknown' ELSE 'inactive' END AS fault
FROM owned o LEFT JOIN crm.person p ON p.called = lower(trim(o.owner))
WHERE o.owner IS NOT NULL AND (NOT p.is_active OR (p.user_id IS NULL AND EXISTS (FROM crm.person)));
