-- needs: contact, company, deal, ticket, transaction, activity, engagement, task, note, campaign_member, contract, consent, preference, usage_event, touchpoint
-- One row per customer: what hangs on it, counted and added up (nothing personal), and the golden record.
--   counts               0 = there is none; a customer of whom nothing is known has nulls nowhere here
--   currency, net, paid  money, where all of it is of one currency; null = none was paid, or several are
--   net_by_currency      always whole: currency → what stays
--   first_seen_at        the earliest that any source or row of theirs says
--   last_seen_at         the latest thing they did or that was done with them; plans do not count
--   sendable             an address of theirs may be written to for marketing
CREATE OR REPLACE VIEW crm.customer_figures AS
WITH money AS (
    SELECT contact_id, sum(payments)::BIGINT AS payments, count(*) AS currencies,
           CASE WHEN count(*) = 1 THEN any_value(currency) END AS currency,
           CASE WHEN count(*) = 1 THEN any_value(net) END AS net,
           CASE WHEN count(*) = 1 THEN any_value(paid) END AS paid,
           map_from_entries(list((coalesce(currency, '?'), net) ORDER BY currency)) AS net_by_currency,
           min(first_paid_at) AS first_paid_at, max(last_paid_at) AS last_paid_at
    FROM crm.contact_money WHERE contact_id IS NOT NULL GROUP BY ALL
), parts AS (
    -- added up by entity first: plans (tasks, contracts) are not seen
    SELECT contact_id, 'activity' AS entity, count(*) AS rows, 0 AS still_open, 0 AS won,
           min(coalesce(occurred_at, created_at)) AS first_at, max(coalesce(occurred_at, created_at)) AS last_at
    FROM crm.activity WHERE contact_id IS NOT NULL GROUP BY contact_id
    UNION ALL
    SELECT contact_id, 'engagement', count(*), 0, 0,
           min(coalesce(occurred_at, created_at)), max(coalesce(occurred_at, created_at))
    FROM crm.engagement WHERE contact_id IS NOT NULL GROUP BY contact_id
    UNION ALL
    SELECT contact_id, 'transaction', count(*), 0, 0,
           min(coalesce(occurred_at, created_at)), max(coalesce(occurred_at, created_at))
    FROM crm.transaction WHERE contact_id IS NOT NULL GROUP BY contact_id
    UNION ALL
    SELECT contact_id, 'deal', count(*), count(*) FILTER (coalesce(stage, '') NOT IN ('won', 'lost')), count(*) FILTER (stage = 'won'),
           min(coalesce(created_at, close_date::TIMESTAMP)), max(coalesce(created_at, close_date::TIMESTAMP))
    FROM crm.deal WHERE contact_id IS NOT NULL GROUP BY contact_id
    UNION ALL
    SELECT contact_id, 'ticket', count(*), count(*) FILTER (coalesce(ticket_status, '') NOT IN ('solved', 'closed')), 0,
           min(created_at), max(created_at)
    FROM crm.ticket WHERE contact_id IS NOT NULL GROUP BY contact_id
    UNION ALL
    SELECT contact_id, 'task', count(*), count(*) FILTER (coalesce(task_status, 'open') = 'open'), 0,
           NULL, NULL
    FROM crm.task WHERE contact_id IS NOT NULL GROUP BY contact_id
    UNION ALL
    SELECT contact_id, 'note', count(*), 0, 0,
           min(coalesce(occurred_at, created_at)), max(coalesce(occurred_at, created_at))
    FROM crm.note WHERE contact_id IS NOT NULL GROUP BY contact_id
    UNION ALL
    SELECT contact_id, 'campaign_member', count(*), 0, 0,
           min(coalesce(responded_at, created_at)), max(coalesce(responded_at, created_at))
    FROM crm.campaign_member WHERE contact_id IS NOT NULL GROUP BY contact_id
    UNION ALL
    SELECT contact_id, 'contract', count(*), 0, 0,
           NULL, NULL
    FROM crm.contract WHERE contact_id IS NOT NULL GROUP BY contact_id
    UNION ALL
    SELECT contact_id, 'consent', count(*), 0, 0,
           min(occurred_at), max(occurred_at)
    FROM crm.consent WHERE contact_id IS NOT NULL GROUP BY contact_id
    UNION ALL
    SELECT contact_id, 'preference', count(*), 0, 0,
           min(occurred_at), max(occurred_at)
    FROM crm.preference WHERE contact_id IS NOT NULL GROUP BY contact_id
    UNION ALL
    SELECT contact_id, 'usage_event', count(*), 0, 0,
           min(coalesce(occurred_at, created_at)), max(coalesce(occurred_at, created_at))
    FROM crm.usage_event WHERE contact_id IS NOT NULL GROUP BY contact_id
    UNION ALL
    SELECT contact_id, 'touchpoint', count(*), 0, 0,
           min(coalesce(occurred_at, created_at)), max(coalesce(occurred_at, created_at))
    FROM crm.touchpoint WHERE contact_id IS NOT NULL GROUP BY contact_id
), counted AS (
    SELECT contact_id, sum(rows)::BIGINT AS events,
           coalesce(sum(rows) FILTER (entity = 'activity'), 0)::BIGINT AS activities,
           coalesce(sum(rows) FILTER (entity = 'engagement'), 0)::BIGINT AS engagements,
           coalesce(sum(rows) FILTER (entity = 'touchpoint'), 0)::BIGINT AS touchpoints,
           coalesce(sum(rows) FILTER (entity = 'usage_event'), 0)::BIGINT AS usage_events,
           coalesce(sum(still_open) FILTER (entity = 'deal'), 0)::BIGINT AS open_deals,
           sum(won)::BIGINT AS won_deals,
           coalesce(sum(still_open) FILTER (entity = 'ticket'), 0)::BIGINT AS open_tickets,
           coalesce(sum(still_open) FILTER (entity = 'task'), 0)::BIGINT AS open_tasks,
           min(first_at) AS first_event_at, max(last_at) AS last_event_at
    FROM parts GROUP BY contact_id
), known AS (
    SELECT m.entity_id AS contact_id, min(v.created_at) AS created_at
    FROM landing.contact_version v JOIN matching.membership m USING (record_id)
    WHERE v.status = 'accepted' GROUP BY ALL
), sendable AS (
    SELECT DISTINCT contact_id FROM crm.permission
    WHERE channel = 'email' AND purpose = 'marketing' AND status = 'granted'
)
SELECT c.entity_id,
       coalesce(e.events, 0) AS events, coalesce(e.activities, 0) AS activities,
       coalesce(e.engagements, 0) AS engagements, coalesce(e.touchpoints, 0) AS touchpoints,
       coalesce(e.usage_events, 0) AS usage_events, coalesce(e.open_deals, 0) AS open_deals,
       coalesce(e.won_deals, 0) AS won_deals, coalesce(e.open_tickets, 0) AS open_tickets,
       coalesce(e.open_tasks, 0) AS open_tasks, coalesce(m.payments, 0) AS payments,
       coalesce(m.currencies, 0) AS currencies, m.currency, m.net, m.paid, m.net_by_currency,
       m.first_paid_at, m.last_paid_at,
       least(k.created_at, e.first_event_at) AS first_seen_at,
       coalesce(e.last_event_at, k.created_at) AS last_seen_at,
       s.contact_id IS NOT NULL AS sendable
FROM crm.contact c
LEFT JOIN counted e ON e.contact_id = c.entity_id
LEFT JOIN money m ON m.contact_id = c.entity_id
LEFT JOIN known k ON k.contact_id = c.entity_id
LEFT JOIN sendable s ON s.contact_id = c.entity_id;

-- the same with the golden values
CREATE OR REPLACE VIEW crm.customer AS
SELECT c.* EXCLUDE (run_id), f.* EXCLUDE (entity_id)
FROM crm.contact c JOIN crm.customer_figures f ON f.entity_id = c.entity_id;
