-- needs: contact, company, deal, ticket, transaction, activity, engagement, task, note, campaign_member, contract, consent, preference, usage_event, touchpoint
-- One row per customer: the golden record and what hangs on it, counted and added up.
--   counts               0 = there is none; a customer of whom nothing is known has nulls nowhere here
--   currency, net, paid  money, where all of it is of one currency; null = none was paid, or several are
--   net_by_currency      always whole: currency → what stays
--   first_seen_at        the earliest that any source or row of theirs says
--   last_seen_at         the latest thing they did or that was done with them; plans do not count
--   sendable             an address of theirs may be written to for marketing
CREATE OR REPLACE VIEW crm.customer AS
WITH money AS (
    SELECT contact_id, sum(payments)::BIGINT AS payments, count(*) AS currencies,
           CASE WHEN count(*) = 1 THEN any_value(currency) END AS currency,
           CASE WHEN count(*) = 1 THEN any_value(net) END AS net,
           CASE WHEN count(*) = 1 THEN any_value(paid) END AS paid,
           map_from_entries(list((coalesce(currency, '?'), net) ORDER BY currency)) AS net_by_currency,
           min(first_paid_at) AS first_paid_at, max(last_paid_at) AS last_paid_at
    FROM crm.contact_money WHERE contact_id IS NOT NULL GROUP BY ALL
), counted AS (
    SELECT contact_id, count(*) AS events,
           count(*) FILTER (entity = 'activity') AS activities,
           count(*) FILTER (entity = 'engagement') AS engagements,
           count(*) FILTER (entity = 'touchpoint') AS touchpoints,
           count(*) FILTER (entity = 'usage_event') AS usage_events,
           count(*) FILTER (entity = 'deal' AND coalesce(what, '') NOT IN ('won', 'lost')) AS open_deals,
           count(*) FILTER (entity = 'deal' AND what = 'won') AS won_deals,
           count(*) FILTER (entity = 'ticket' AND coalesce(what, '') NOT IN ('solved', 'closed'))
               AS open_tickets,
           count(*) FILTER (entity = 'task' AND coalesce(what, 'open') = 'open') AS open_tasks,
           min(occurred_at) FILTER (entity NOT IN ('task', 'contract')) AS first_event_at,
           max(occurred_at) FILTER (entity NOT IN ('task', 'contract')) AS last_event_at
    FROM crm.event WHERE contact_id IS NOT NULL GROUP BY ALL
), known AS (
    SELECT m.entity_id AS contact_id, min(v.created_at) AS created_at
    FROM landing.contact_version v JOIN matching.membership m USING (record_id)
    WHERE v.status = 'accepted' GROUP BY ALL
), sendable AS (
    SELECT DISTINCT contact_id FROM crm.permission
    WHERE channel = 'email' AND purpose = 'marketing' AND status = 'granted'
)
SELECT c.* EXCLUDE (run_id),
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
