-- needs: campaign, campaign_member, deal
-- Campaigns: whom they reached, who responded, what they cost and what was sold to those who did.
--   * A customer counts once in a campaign, with the strongest thing that any of its records did.
--   * A deal that was won counts for one campaign: the last to which its customer responded before
--     it was closed. So revenue by campaign never adds up to more than there is.
--   * Cost and revenue are told by currency and never mixed.

-- strength of what a member did; an unsubscription is told apart, since it is no response
CREATE OR REPLACE VIEW crm.member_strength AS
FROM (VALUES ('bounced', 0), ('sent', 1), ('unsubscribed', 2), ('opened', 3), ('clicked', 4), ('responded', 5))
     t (member_status, strength);

-- one row per campaign and customer; of members whose customer is not known, one row each
CREATE OR REPLACE VIEW crm.campaign_person AS
SELECT m.campaign_id, m.contact_id,
       CASE WHEN m.contact_id IS NULL THEN m.entity_id END AS member_id,
       arg_max(m.member_status, s.strength) AS member_status, max(s.strength) AS strength,
       coalesce(bool_or(m.member_status = 'responded' OR m.responded_at IS NOT NULL), false) AS has_responded,
       coalesce(bool_or(m.member_status = 'unsubscribed'), false) AS has_unsubscribed,
       coalesce(bool_or(m.member_status = 'bounced'), false) AS has_bounced,
       min(coalesce(m.responded_at, CASE WHEN m.member_status = 'responded'
                                         THEN coalesce(m.updated_at, m.created_at) END)) AS responded_at,
       count(*) AS rows
FROM crm.campaign_member m LEFT JOIN crm.member_strength s USING (member_status)
WHERE m.campaign_id IS NOT NULL
GROUP BY ALL;

-- the campaign that a won deal counts for
CREATE OR REPLACE VIEW crm.campaign_deal AS
WITH won AS (
    SELECT d.entity_id AS deal_id, d.contact_id, d.amount, d.currency,
           coalesce(d.close_date, d.updated_at::DATE, d.created_at::DATE) AS closed_on
    FROM crm.deal d WHERE d.stage = 'won' AND d.contact_id IS NOT NULL
)
SELECT w.deal_id, w.contact_id, w.amount, w.currency, w.closed_on, p.campaign_id, p.responded_at
FROM won w
JOIN crm.campaign_person p ON p.contact_id = w.contact_id AND p.has_responded
     AND p.responded_at::DATE <= w.closed_on
QUALIFY row_number() OVER (PARTITION BY w.deal_id ORDER BY p.responded_at DESC, p.campaign_id) = 1;

-- one row per campaign and currency in which it has cost or sold something
CREATE OR REPLACE VIEW crm.campaign_result AS
WITH people AS (
    SELECT campaign_id, count(*) AS people, sum(rows) AS rows,
           count(*) FILTER (strength >= 3) AS opened, count(*) FILTER (strength >= 4) AS clicked,
           count(*) FILTER (has_responded) AS responded,
           count(*) FILTER (has_unsubscribed) AS unsubscribed, count(*) FILTER (has_bounced) AS bounced
    FROM crm.campaign_person GROUP BY campaign_id
), money AS (
    SELECT campaign_id, currency, sum(cost) AS cost, sum(deals)::BIGINT AS deals, sum(revenue) AS revenue
    FROM (
        SELECT entity_id AS campaign_id, currency, cost, 0 AS deals, NULL::DECIMAL(38, 2) AS revenue
        FROM crm.campaign
        UNION ALL
        SELECT campaign_id, currency, NULL, count(*), sum(amount) FROM crm.campaign_deal GROUP BY ALL
    ) GROUP BY campaign_id, currency
    -- a campaign that cost nothing known has a row only where it sold nothing either
    QUALIFY sum(cost) IS NOT NULL OR sum(deals) > 0 OR count(*) OVER (PARTITION BY campaign_id) = 1
)
SELECT c.entity_id AS campaign_id, c.name, c.channel, c.campaign_status, c.starts_on, c.ends_on,
       coalesce(p.people, 0) AS people, coalesce(p.rows, 0)::BIGINT AS members,
       coalesce(p.opened, 0) AS opened, coalesce(p.clicked, 0) AS clicked,
       coalesce(p.responded, 0) AS responded, coalesce(p.unsubscribed, 0) AS unsubscribed,
       coalesce(p.bounced, 0) AS bounced,
       round(100.0 * p.responded / nullif(p.people, 0), 1) AS response_rate,
       m.currency, m.cost, coalesce(m.deals, 0) AS deals, m.revenue,
       (m.cost / nullif(p.responded, 0))::DECIMAL(18, 2) AS cost_per_response
FROM crm.campaign c LEFT JOIN people p ON p.campaign_id = c.entity_id
LEFT JOIN money m ON m.campaign_id = c.entity_id;
