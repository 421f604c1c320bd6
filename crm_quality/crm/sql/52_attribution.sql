-- needs: contact, company, deal, touchpoint, campaign
-- What brought each won deal: its touchpoints share the credit, by five models.

-- the touchpoints of each won deal in order: those of its customer up to the day it was closed, and
-- those that name the deal; touchpoints without a time are left out
--   n, k  how many there are, and which it is; n = 0: the deal has none
CREATE OR REPLACE VIEW crm.won_deal_touch AS
WITH won AS (
    SELECT entity_id AS deal_id, contact_id, contact_state AS bucket, amount, currency, close_date
    FROM crm.deal WHERE stage = 'won'
), touched AS (
    SELECT entity_id, contact_id, deal_id, occurred_at, lead_source, campaign_id
    FROM crm.touchpoint WHERE occurred_at IS NOT NULL
), pairs AS (
    SELECT w.deal_id, t.entity_id, t.occurred_at, t.lead_source, t.campaign_id
    FROM won w JOIN touched t ON t.contact_id = w.contact_id
     AND t.occurred_at < coalesce(w.close_date + 1, DATE '9999-12-31')
    UNION
    SELECT w.deal_id, t.entity_id, t.occurred_at, t.lead_source, t.campaign_id
    FROM won w JOIN touched t ON t.deal_id = w.deal_id
)
SELECT w.deal_id, w.contact_id, w.bucket, w.amount, w.currency, w.close_date,
       p.entity_id AS touchpoint_id, p.occurred_at, p.lead_source, p.campaign_id,
       count(p.entity_id) OVER (PARTITION BY w.deal_id) AS n,
       row_number() OVER (PARTITION BY w.deal_id ORDER BY p.occurred_at, p.entity_id) AS k,
       max(p.occurred_at) OVER (PARTITION BY w.deal_id) AS last_at
FROM won w LEFT JOIN pairs p USING (deal_id);

-- credit and revenue of each touchpoint by model. For each deal and model credits add up to exactly 1
-- and revenue to exactly its amount: shares are differences of rounded running sums.
--   first, last    all to one
--   linear         the same to each
--   position       40 % to the first, 40 % to the last, the rest shared by those between
--   decay          half for every seven days before the last one
-- A deal without touchpoints has one row, without touchpoint_id.
CREATE OR REPLACE VIEW crm.attribution AS
WITH weighed AS (
    SELECT t.*, m.model,
           CASE WHEN n = 0 THEN 1
                WHEN m.model = 'first' THEN (k = 1)::INTEGER
                WHEN m.model = 'last' THEN (k = n)::INTEGER
                WHEN m.model = 'linear' OR n = 1 THEN 1
                WHEN m.model = 'position' THEN
                     CASE WHEN n = 2 THEN 0.5 WHEN k IN (1, n) THEN 0.4 ELSE 0.2 / (n - 2) END
                ELSE pow(2, -date_diff('second', occurred_at, last_at) / 604800.0)
           END::DOUBLE AS weight
    FROM crm.won_deal_touch t,
         (VALUES ('first'), ('last'), ('linear'), ('position'), ('decay')) m (model)
), running AS (
    SELECT *, CASE WHEN k = greatest(n, 1) THEN 1
                   ELSE sum(weight) OVER upto / sum(weight) OVER whole END AS upto_here,
           CASE WHEN k = 1 THEN 0
                ELSE (sum(weight) OVER upto - weight) / sum(weight) OVER whole END AS before
    FROM weighed
    WINDOW whole AS (PARTITION BY model, deal_id),
           upto AS (PARTITION BY model, deal_id ORDER BY k ROWS UNBOUNDED PRECEDING)
), shared AS (
    SELECT *, round(upto_here, 6)::DECIMAL(9, 6) AS share,
           coalesce(lag(round(upto_here, 6)::DECIMAL(9, 6)) OVER steps, 0) AS share_before,
           CASE WHEN k = greatest(n, 1) THEN amount::DECIMAL(24, 2)
                ELSE round(amount::DECIMAL(24, 2) * upto_here::DECIMAL(12, 9), 2)::DECIMAL(24, 2) END AS money
    FROM running WINDOW steps AS (PARTITION BY model, deal_id ORDER BY k)
)
SELECT model, deal_id, contact_id, bucket, touchpoint_id, occurred_at, lead_source, campaign_id,
       (share - share_before)::DECIMAL(9, 6) AS credit,
       money - coalesce(lag(money) OVER steps, 0) AS revenue, currency, close_date
FROM shared WINDOW steps AS (PARTITION BY model, deal_id ORDER BY k);
