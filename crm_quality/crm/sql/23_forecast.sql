-- needs: deal
-- What the open deals will bring, month by month, in three ways, and how far each way was off in
-- the past. A forecast of a month is made at its first moment from what was known then:
--   stage    amount × the chance that its stage is declared to have
--   history  amount × the share of deals won among those that had been in that stage and were closed
--            by then (of all closed deals where none had been in it)
--   plain    what was won in the three months before, by month on average
-- A deal whose expected day has passed counts in the month at hand.

-- the first moments of the last 12 months, of this month and (for what is to come) now; who wants
-- nothing but what is to come sets the variable crm_only_now, which saves looking back
CREATE OR REPLACE VIEW crm.forecast_made AS
SELECT (date_trunc('month', crm.moment()) - to_months(n))::TIMESTAMP AS made_at, false AS is_now
FROM range(0, CASE WHEN getvariable('crm_only_now') THEN 0 ELSE 13 END) t (n)
UNION ALL SELECT crm.moment(), true;

-- deals that were open then, as they were known then
CREATE OR REPLACE VIEW crm.forecast_deal AS
WITH known AS (
    SELECT f.made_at, f.is_now, h.*
    FROM crm.forecast_made f
    JOIN crm.deal_history h ON h.valid_from <= f.made_at AND (h.valid_to > f.made_at OR h.valid_to IS NULL)
)
SELECT k.made_at, k.is_now, k.deal_id, k.pipeline, k.stage, k.amount, k.currency, k.owner,
       greatest(date_trunc('month', k.close_date), date_trunc('month', k.made_at))::DATE AS month,
       s.probability
FROM known k LEFT JOIN crm.pipeline_stage s USING (pipeline, stage)
WHERE coalesce(s.outcome, CASE WHEN k.stage IN ('won', 'lost') THEN k.stage ELSE 'open' END) = 'open'
  AND k.amount IS NOT NULL;

-- how deals that were closed by then had ended, by each stage that they had been in
CREATE OR REPLACE VIEW crm.stage_win_rate AS
WITH closed AS (
    SELECT deal_id, pipeline, arg_max(outcome, entered_at) AS outcome, max(entered_at) AS closed_at
    FROM crm.deal_stage_event WHERE outcome <> 'open' GROUP BY ALL
), been AS (
    SELECT DISTINCT c.deal_id, c.pipeline, c.outcome, c.closed_at, e.stage
    FROM closed c JOIN crm.deal_stage_event e USING (deal_id) WHERE e.outcome = 'open'
    UNION ALL
    SELECT deal_id, pipeline, outcome, closed_at, NULL FROM closed
)
SELECT f.made_at, f.is_now, b.pipeline, b.stage, count(*) AS deals,
       count(*) FILTER (b.outcome = 'won') AS won,
       (count(*) FILTER (b.outcome = 'won') / count(*))::DECIMAL(9, 6) AS rate
FROM crm.forecast_made f JOIN been b ON b.closed_at < f.made_at
GROUP BY ALL;

-- what was won in each month
CREATE OR REPLACE VIEW crm.won_month AS
SELECT date_trunc('month', closed_on)::DATE AS month, currency, count(*) AS deals, sum(amount) AS won
FROM crm.pipeline_deal
WHERE outcome = 'won' AND amount IS NOT NULL AND closed_on <= crm.moment()::DATE
GROUP BY ALL;

-- every forecast, of the month in which it was made and of later ones
CREATE OR REPLACE VIEW crm.forecast_each AS
WITH open AS (
    SELECT d.made_at, d.is_now, d.month, d.currency, count(*) AS deals, sum(d.amount) AS amount,
           sum((d.amount * d.probability * 0.01)::DECIMAL(18, 2)) AS stage,
           sum((d.amount * coalesce(w.rate, a.rate))::DECIMAL(18, 2)) AS history
    FROM crm.forecast_deal d
    LEFT JOIN crm.stage_win_rate w ON w.made_at = d.made_at AND w.is_now = d.is_now
         AND w.pipeline IS NOT DISTINCT FROM d.pipeline AND w.stage = d.stage
    LEFT JOIN crm.stage_win_rate a ON a.made_at = d.made_at AND a.is_now = d.is_now
         AND a.pipeline IS NOT DISTINCT FROM d.pipeline AND a.stage IS NULL
    GROUP BY ALL
), plain AS (
    SELECT f.made_at, f.is_now, w.currency, (sum(w.won) / 3)::DECIMAL(18, 2) AS plain
    FROM crm.forecast_made f
    JOIN crm.won_month w ON w.month < date_trunc('month', f.made_at)
         AND w.month >= date_trunc('month', f.made_at) - INTERVAL 3 MONTH
    GROUP BY ALL
)
SELECT o.made_at, o.is_now, o.month, o.currency, o.deals, o.amount, o.stage, o.history, p.plain
FROM open o LEFT JOIN plain p USING (made_at, is_now, currency)
UNION ALL
-- a month without an open deal is forecast too
SELECT p.made_at, p.is_now, date_trunc('month', p.made_at)::DATE, p.currency, 0, 0, 0, 0, p.plain
FROM plain p ANTI JOIN open o
  ON o.made_at = p.made_at AND o.is_now = p.is_now AND o.currency IS NOT DISTINCT FROM p.currency
 AND o.month = date_trunc('month', p.made_at);

-- what is to come
CREATE OR REPLACE VIEW crm.forecast AS
SELECT month, currency, deals, amount, stage, history, plain FROM crm.forecast_each WHERE is_now;

-- past months: what was forecast at their beginning, and what was won in them
CREATE OR REPLACE VIEW crm.forecast_past AS
WITH past AS (
    SELECT f.month, f.currency, f.deals, f.stage, f.history, f.plain
    FROM crm.forecast_each f
    WHERE NOT f.is_now AND f.month = f.made_at::DATE AND f.made_at < date_trunc('month', crm.moment())
), told AS (
    SELECT month, currency FROM past
    UNION SELECT month, currency FROM crm.won_month
    WHERE month < date_trunc('month', crm.moment())
      AND month >= date_trunc('month', crm.moment()) - INTERVAL 12 MONTH
)
SELECT t.month, t.currency, coalesce(p.deals, 0) AS open_deals, coalesce(p.stage, 0) AS stage,
       coalesce(p.history, 0) AS history, coalesce(p.plain, 0) AS plain, coalesce(w.won, 0) AS won
FROM told t
LEFT JOIN past p ON p.month = t.month AND p.currency IS NOT DISTINCT FROM t.currency
LEFT JOIN crm.won_month w ON w.month = t.month AND w.currency IS NOT DISTINCT FROM t.currency;

-- by how much each way was off, per month on average
CREATE OR REPLACE VIEW crm.forecast_error AS
SELECT currency, count(*) AS months,
       (sum(abs(stage - won)) / count(*))::DECIMAL(18, 2) AS stage,
       (sum(abs(history - won)) / count(*))::DECIMAL(18, 2) AS history,
       (sum(abs(plain - won)) / count(*))::DECIMAL(18, 2) AS plain
FROM crm.forecast_past GROUP BY currency;
