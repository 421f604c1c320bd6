-- needs: deal
-- Deals in force: where they stand, what they are worth, who has them.
-- Amounts of different currencies are never added up: every sum has its currency beside it. A deal
-- whose customer is not known counts like any other (contact_state says so), so that totals hold.

-- one row per deal. chance: of its stage as declared, else the deal's own; null = not known, and
-- then it has no weighted amount
CREATE OR REPLACE VIEW crm.pipeline_deal AS
WITH stay AS (
    SELECT deal_id, arg_max(entered_at, entered_at) AS entered_at
    FROM crm.deal_stage_event GROUP BY deal_id
), placed AS (
    SELECT d.entity_id AS deal_id, d.name, d.in_pipeline AS pipeline, d.stage, s.position,
           coalesce(s.outcome, CASE WHEN d.stage IN ('won', 'lost') THEN d.stage ELSE 'open' END)
               AS outcome,
           d.amount, d.currency, d.owner, d.close_date, d.created_at, d.updated_at,
           d.contact_id, d.contact_state, d.company_id, d.company_state,
           CASE WHEN coalesce(s.outcome, d.stage) = 'won' THEN 100
                WHEN coalesce(s.outcome, d.stage) = 'lost' THEN 0
                ELSE coalesce(s.probability, d.probability) END::DECIMAL(5, 2) AS chance,
           s.expected_days, t.entered_at
    FROM crm.deal_in_pipeline d
    LEFT JOIN crm.pipeline_stage s ON s.pipeline = d.in_pipeline AND s.stage = d.stage
    LEFT JOIN stay t ON t.deal_id = d.entity_id
)
SELECT *, (amount * chance * 0.01)::DECIMAL(18, 2) AS weighted,
       date_diff('day', entered_at, crm.moment()) AS days_in_stage,
       coalesce(outcome = 'open' AND date_diff('day', entered_at, crm.moment()) > expected_days, false)
           AS is_slow,
       coalesce(outcome = 'open' AND close_date < crm.moment()::DATE, false) AS is_past_close,
       CASE WHEN outcome <> 'open' THEN coalesce(close_date, entered_at::DATE) END AS closed_on
FROM placed;

CREATE OR REPLACE VIEW crm.pipeline AS
SELECT pipeline, stage, any_value(position) AS position, any_value(outcome) AS outcome, currency,
       count(*) AS deals, count(amount) AS with_amount, sum(amount) AS amount,
       sum(weighted) AS weighted, count(*) FILTER (is_slow) AS slow,
       count(*) FILTER (is_past_close) AS past_close
FROM crm.pipeline_deal GROUP BY pipeline, stage, currency;

CREATE OR REPLACE VIEW crm.pipeline_owner AS
SELECT owner, pipeline, currency,
       count(*) FILTER (outcome = 'open') AS open_deals,
       sum(amount) FILTER (outcome = 'open') AS open_amount,
       sum(weighted) FILTER (outcome = 'open') AS weighted,
       count(*) FILTER (outcome = 'won') AS won_deals, sum(amount) FILTER (outcome = 'won') AS won_amount,
       count(*) FILTER (outcome = 'lost') AS lost_deals,
       round(100.0 * count(*) FILTER (outcome = 'won')
             / nullif(count(*) FILTER (outcome IN ('won', 'lost')), 0), 1) AS win_rate
FROM crm.pipeline_deal GROUP BY owner, pipeline, currency;

-- by the month in which a deal was closed, or is expected to be; null = nobody said
CREATE OR REPLACE VIEW crm.pipeline_month AS
SELECT date_trunc('month', coalesce(closed_on, close_date))::DATE AS month, pipeline, currency,
       count(*) FILTER (outcome = 'open') AS open_deals,
       sum(amount) FILTER (outcome = 'open') AS open_amount,
       sum(weighted) FILTER (outcome = 'open') AS weighted,
       count(*) FILTER (outcome = 'won') AS won_deals, sum(amount) FILTER (outcome = 'won') AS won_amount,
       count(*) FILTER (outcome = 'lost') AS lost_deals,
       round(100.0 * count(*) FILTER (outcome = 'won')
             / nullif(count(*) FILTER (outcome IN ('won', 'lost')), 0), 1) AS win_rate
FROM crm.pipeline_deal GROUP BY ALL;
