-- needs: deal
-- The way of each deal through its stages, read from the versions that its source sent.
--   * A stage begins when the source says that the deal changed (updated_at), else when we were told.
--     The first stage begins when the deal was created: nothing is known of stages before it.
--   * Versions that leave the stage as it was are no event.

-- deals in force with their pipeline: the one declared that they name, the default one where they
-- name none, else what they say; an owner that a workflow gave counts where the source names none
CREATE OR REPLACE VIEW crm.deal_in_pipeline AS
SELECT d.* REPLACE (coalesce(d.owner, o.value) AS owner), coalesce(n.pipeline, d.pipeline) AS in_pipeline
FROM crm.deal d
LEFT JOIN crm.set_value o ON o.entity = 'deal' AND o.field = 'owner' AND o.entity_id = d.entity_id
LEFT JOIN crm.pipeline_name n ON n.spelling = lower(trim(coalesce(d.pipeline, '')));

-- every accepted version in order: what was known of a deal from when to when
CREATE OR REPLACE VIEW crm.deal_history AS
WITH told AS (
    SELECT v.record_id AS deal_id, v.version_id, coalesce(n.pipeline, v.pipeline) AS pipeline,
           v.stage, v.amount, v.currency, v.close_date, v.owner, v.created_at,
           coalesce(v.updated_at, b.received_at) AS known_at
    FROM landing.deal_version v
    JOIN landing.batch b USING (batch_id)
    JOIN landing.record r ON r.record_id = v.record_id AND r.ended_at IS NULL
    LEFT JOIN crm.pipeline_name n ON n.spelling = lower(trim(coalesce(v.pipeline, '')))
    WHERE v.status = 'accepted'
)
SELECT * EXCLUDE (created_at),
       CASE WHEN row_number() OVER way = 1 THEN least(coalesce(created_at, known_at), known_at)
            ELSE known_at END AS valid_from,
       lead(known_at) OVER way AS valid_to
FROM told WINDOW way AS (PARTITION BY deal_id ORDER BY known_at, version_id);

-- one row per stay of a deal in a stage; left_at null = it is there still
CREATE OR REPLACE VIEW crm.deal_stage_event AS
WITH entered AS (
    SELECT deal_id, pipeline, stage, amount, currency, owner, close_date, valid_from, version_id,
           lag(stage) OVER way AS from_stage, row_number() OVER way AS n
    FROM crm.deal_history WHERE stage IS NOT NULL
    WINDOW way AS (PARTITION BY deal_id ORDER BY valid_from, version_id)
    QUALIFY n = 1 OR stage IS DISTINCT FROM from_stage
), stay AS (
    SELECT e.* EXCLUDE (n), coalesce(s.outcome, CASE WHEN e.stage IN ('won', 'lost') THEN e.stage
           ELSE 'open' END) AS outcome, s.position, s.expected_days, valid_from AS entered_at,
           lead(valid_from) OVER way AS left_at, lead(e.stage) OVER way AS to_stage
    FROM entered e LEFT JOIN crm.pipeline_stage s USING (pipeline, stage)
    WINDOW way AS (PARTITION BY e.deal_id ORDER BY e.valid_from, e.version_id)
)
SELECT s.deal_id, s.pipeline, s.stage, s.position, s.outcome, s.entered_at, s.left_at,
       s.from_stage, s.to_stage, s.amount, s.currency, s.owner, s.close_date, s.expected_days,
       (epoch(coalesce(s.left_at, crm.moment())) - epoch(s.entered_at)) / 86400.0 AS days
FROM stay s WHERE s.entered_at <= crm.moment();

-- time in each open stage, and what became of the deals that were in it: moved on to a later
-- stage or won, lost, or there still. conversion = moved on, of all that left it.
CREATE OR REPLACE VIEW crm.stage_conversion AS
WITH stay AS (
    SELECT e.*, CASE WHEN e.left_at IS NULL OR e.left_at > crm.moment() THEN 'here'
                     WHEN t.outcome = 'lost' OR (t.outcome IS NULL AND e.to_stage = 'lost')
                     THEN 'lost'
                     WHEN t.outcome = 'won' OR e.to_stage = 'won' OR t.position > e.position
                     THEN 'on' ELSE 'back' END AS became
    FROM crm.deal_stage_event e
    LEFT JOIN crm.pipeline_stage t ON t.pipeline = e.pipeline AND t.stage = e.to_stage
    WHERE e.outcome = 'open'
), deal AS (
    -- a deal that comes back into a stage counts once, as its last stay ended
    SELECT pipeline, stage, any_value(position) AS position, deal_id,
           arg_max(became, entered_at) AS became, sum(days) AS days,
           any_value(expected_days) AS expected_days
    FROM stay GROUP BY pipeline, stage, deal_id
)
SELECT pipeline, stage, any_value(position) AS position, count(*) AS deals,
       count(*) FILTER (became = 'here') AS here, count(*) FILTER (became = 'on') AS moved_on,
       count(*) FILTER (became = 'back') AS moved_back, count(*) FILTER (became = 'lost') AS lost,
       round(100.0 * count(*) FILTER (became = 'on') / nullif(count(*) FILTER (became <> 'here'), 0), 1)
           AS conversion,
       round(median(days) FILTER (became <> 'here'), 1) AS median_days,
       round(avg(days) FILTER (became <> 'here'), 1) AS mean_days,
       any_value(expected_days) AS expected_days
FROM deal GROUP BY pipeline, stage;

-- each step that deals took, and how often
CREATE OR REPLACE VIEW crm.stage_move AS
SELECT pipeline, stage AS from_stage, to_stage, count(*) AS moves, count(DISTINCT deal_id) AS deals,
       round(median(days), 1) AS median_days
FROM crm.deal_stage_event
WHERE to_stage IS NOT NULL AND left_at <= crm.moment()
GROUP BY pipeline, stage, to_stage;
