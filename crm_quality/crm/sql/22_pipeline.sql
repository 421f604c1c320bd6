-- needs: deal
-- Deals in force: where they stand, what they are worth, who has them.
-- Amounts of different currencies are never added up: every sum has its currency beside it. A deal
-- whose customer is not known counts like any other (contact_state says so), so that totals hold.

-- what a deal is worth, whosever it is. chance: of its stage as declared, else the deal's own; null =
-- not known, and then it has no weighted amount
CREATE OR REPLACE VIEW crm.deal_worth AS
WITH placed AS (
    SELECT d.entity_id AS deal_id, coalesce(n.pipeline, d.pipeline) AS pipeline, d.stage, s.position,
           coalesce(s.outcome, CASE WHEN d.stage IN ('won', 'lost') THEN d.stage ELSE 'open' END)
               AS outcome,
           d.amount, d.currency, d.close_date, s.expected_days,
           CASE WHEN coalesce(s.outcome, d.stage) = 'won' THEN 100
                WHEN coalesce(s.outcome, d.stage) = 'lost' THEN 0
                ELSE coalesce(s.probability, d.probability) END::DECIMAL(5, 2) AS chance
    FROM crm.deal_row d
    LEFT JOIN crm.pipeline_name n ON n.spelling = lower(trim(coalesce(d.pipeline, '')))
    LEFT JOIN crm.pipeline_stage s
      ON s.pipeline = coalesce(n.pipeline, d.pipeline) AND s.stage = d.stage
)
SELECT *, (amount * chance * 0.01)::DECIMAL(18, 2) AS weighted FROM placed;

-- one row per deal: its worth, whose it is, who has it, and how long it has stood where it stands
CREATE OR REPLACE VIEW crm.pipeline_deal AS
WITH stay AS (
    SELECT deal_id, arg_max(entered_at, entered_at) AS entered_at
    FROM crm.deal_stage_event GROUP BY deal_id
)
SELECT w.*, d.name, d.owner, d.created_at, d.updated_at,
       d.contact_id, d.contact_state, d.company_id, d.company_state, t.entered_at,
       date_diff('day', t.entered_at, crm.moment()) AS days_in_stage,
       coalesce(w.outcome = 'open'
                AND date_diff('day', t.entered_at, crm.moment()) > w.expected_days, false) AS is_slow,
       coalesce(w.outcome = 'open' AND w.close_date < crm.moment()::DATE, false) AS is_past_close,
       CASE WHEN w.outcome <> 'open' THEN coalesce(w.close_date, t.entered_at::DATE) END AS closed_on
FROM crm.deal_in_pipeline d
JOIN crm.deal_worth w ON w.deal_id = d.entity_id
LEFT JOIN stay t ON t.deal_id = d.entity_id;

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
