-- needs: contact, deal, ticket, task, activity, note, contract, user, company, campaign, usage_event, preference
-- What somebody should look at: open deals without a next step, records that nobody has touched,
-- contracts past their renewal, owners who have left, deals that were entered twice.

-- open deals for which nothing is planned: no open task due, no activity ahead. A task or activity
-- counts that names the deal, or that names its customer and no deal.
CREATE OR REPLACE VIEW crm.no_next_step AS
WITH planned AS (
    SELECT deal_id, contact_id FROM crm.task_due
    WHERE due_at IS NOT NULL AND NOT is_overdue
    UNION ALL
    SELECT deal_id, contact_id FROM crm.activity WHERE occurred_at > crm.moment()
)
SELECT d.deal_id, d.name, d.stage, d.owner, d.amount, d.currency, d.contact_id, d.days_in_stage
FROM crm.pipeline_deal d
ANTI JOIN (SELECT DISTINCT deal_id FROM planned WHERE deal_id IS NOT NULL) p ON p.deal_id = d.deal_id
ANTI JOIN (SELECT DISTINCT contact_id FROM planned WHERE deal_id IS NULL AND contact_id IS NOT NULL) c
       ON c.contact_id = d.contact_id
WHERE d.outcome = 'open';

-- when anybody last did anything about a record: its source changed it, or there was an activity,
-- a note or a task about it (or, of a contact, a ticket or a deal)
CREATE OR REPLACE VIEW crm.last_touch AS
WITH touched AS (
    SELECT 'contact' AS entity, entity_id, coalesce(updated_at, created_at) AS moment FROM crm.contact
    UNION ALL SELECT 'deal', entity_id, coalesce(updated_at, created_at) FROM crm.deal
    UNION ALL SELECT 'ticket', entity_id, coalesce(updated_at, created_at) FROM crm.ticket
    UNION ALL SELECT 'task', entity_id, coalesce(updated_at, created_at) FROM crm.task
    UNION ALL SELECT 'contact', contact_id, occurred_at FROM crm.activity
    UNION ALL SELECT 'deal', deal_id, occurred_at FROM crm.activity
    UNION ALL SELECT 'contact', contact_id, coalesce(occurred_at, updated_at, created_at) FROM crm.note
    UNION ALL SELECT 'deal', deal_id, coalesce(occurred_at, updated_at, created_at) FROM crm.note
    UNION ALL SELECT 'contact', contact_id, coalesce(done_at, updated_at, created_at) FROM crm.task
    UNION ALL SELECT 'deal', deal_id, coalesce(done_at, updated_at, created_at) FROM crm.task
    UNION ALL SELECT 'contact', contact_id, coalesce(updated_at, created_at) FROM crm.ticket
    UNION ALL SELECT 'contact', contact_id, coalesce(updated_at, created_at) FROM crm.deal
)
SELECT entity, entity_id, max(moment) FILTER (moment <= crm.moment()) AS touched_at
FROM touched WHERE entity_id IS NOT NULL GROUP BY entity, entity_id;

-- records that are still in use and that nobody has touched for longer than crmq.yml allows
CREATE OR REPLACE VIEW crm.stale AS
WITH used AS (
    SELECT 'contact' AS entity, entity_id, owner FROM crm.contact
    UNION ALL SELECT 'deal', deal_id, owner FROM crm.pipeline_deal WHERE outcome = 'open'
    UNION ALL SELECT 'ticket', ticket_id, owner FROM crm.ticket_time WHERE is_open
    UNION ALL SELECT 'task', task_id, owner FROM crm.task_due
)
SELECT u.entity, u.entity_id, u.owner, t.touched_at,
       date_diff('day', t.touched_at::DATE, crm.moment()::DATE) AS days, a.days AS allowed
FROM used u JOIN crm.stale_age a USING (entity) JOIN crm.last_touch t USING (entity, entity_id)
WHERE date_diff('day', t.touched_at::DATE, crm.moment()::DATE) > a.days;

-- all of it as one list
CREATE OR REPLACE VIEW crm.attention AS
SELECT 'no_next_step' AS kind, 'deal' AS entity, deal_id AS entity_id, owner,
       'an open deal for which nothing is planned' AS says FROM crm.no_next_step
UNION ALL
SELECT 'stale', entity, entity_id, owner, 'untouched for ' || days || ' days, ' || allowed || ' are allowed'
FROM crm.stale
UNION ALL
SELECT 'renewal_passed', 'contract', contract_id, owner,
       'it was to be renewed on ' || renews_on || ' and still counts as active'
FROM crm.contract_due WHERE is_overdue
UNION ALL
SELECT 'owner_' || fault, entity, entity_id, owner,
       CASE fault WHEN 'inactive' THEN 'its owner does not work here any more' ELSE 'its owner is no user' END
FROM crm.owner_fault
UNION ALL
SELECT 'slow_deal', 'deal', deal_id, owner,
       'in its stage for ' || days_in_stage || ' days, ' || expected_days || ' are expected'
FROM crm.pipeline_deal WHERE is_slow
UNION ALL
SELECT 'past_close', 'deal', deal_id, owner, 'open, and was to be closed on ' || close_date
FROM crm.pipeline_deal WHERE is_past_close
UNION ALL
SELECT 'double_deal', 'deal', other_id, NULL, 'may be deal ' || min(deal_id) || ' once more'
FROM crm.deal_double WHERE outcome = 'open' GROUP BY other_id
UNION ALL
SELECT 'unknown_caller', 'activity', activity_id, owner,
       CASE owners WHEN 0 THEN 'a call by a number that none of our contacts has'
            ELSE 'a call by a number that ' || owners || ' contacts share' END
FROM crm.call_waiting;
