-- needs: contact, company, deal, ticket, transaction, activity, engagement, task, note, campaign_member, contract, consent, preference, usage_event, touchpoint
-- Everything that happened with customers, one row for each row of each entity: the timeline. Its rows
-- are as many as those of the entities together; whose each is is found when it is read.
--   bucket       linked; waiting: its contact is in quarantine; unknown: it names somebody who is not
--                there; none: it names nobody. The last three have no contact_id.
--   occurred_at  when it happened (UTC), else when it began or was made; null = no source says
--   what         kind or state, as the vocabulary of the entity has it
--   title        words of people, personal
--   amount       with its currency, where money is spoken of
CREATE OR REPLACE VIEW crm.event AS
SELECT 'activity' AS entity, entity_id, contact_id, contact_state AS bucket, company_id, source, source_key,
       coalesce(occurred_at, created_at) AS occurred_at, kind AS what, subject AS title,
       NULL::DECIMAL(18, 2) AS amount, NULL::VARCHAR AS currency, owner
FROM crm.activity
UNION ALL
SELECT 'engagement', entity_id, contact_id, contact_state, NULL, source, source_key,
       coalesce(occurred_at, created_at), kind, detail, NULL, NULL, owner
FROM crm.engagement
UNION ALL
SELECT 'transaction', entity_id, contact_id, contact_state, company_id, source, source_key,
       coalesce(occurred_at, created_at), coalesce(kind, 'payment') || coalesce(' ' || payment_status, ''),
       product, amount, currency, owner
FROM crm.transaction
UNION ALL
SELECT 'deal', entity_id, contact_id, contact_state, company_id, source, source_key,
       coalesce(created_at, close_date::TIMESTAMP), stage, name, amount, currency, owner
FROM crm.deal
UNION ALL
SELECT 'ticket', entity_id, contact_id, contact_state, company_id, source, source_key,
       created_at, ticket_status, subject, NULL, NULL, owner
FROM crm.ticket
UNION ALL
SELECT 'task', entity_id, contact_id, contact_state, company_id, source, source_key,
       coalesce(created_at, due_at), task_status, subject, NULL, NULL, owner
FROM crm.task
UNION ALL
SELECT 'note', entity_id, contact_id, contact_state, company_id, source, source_key,
       coalesce(occurred_at, created_at), NULL, body, NULL, NULL, owner
FROM crm.note
UNION ALL
SELECT 'campaign_member', entity_id, contact_id, contact_state, NULL, source, source_key,
       coalesce(responded_at, created_at), member_status, NULL, NULL, NULL, owner
FROM crm.campaign_member
UNION ALL
SELECT 'contract', entity_id, contact_id, contact_state, company_id, source, source_key,
       coalesce(starts_on::TIMESTAMP, created_at),
       CASE WHEN cancelled_on IS NULL THEN billing_period ELSE 'cancelled' END, name, amount, currency, owner
FROM crm.contract
UNION ALL
SELECT 'consent', entity_id, contact_id, contact_state, NULL, source, source_key,
       occurred_at, concat_ws(' ', channel, purpose, consent_status), NULL, NULL, NULL, owner
FROM crm.consent
UNION ALL
SELECT 'preference', entity_id, contact_id, contact_state, NULL, source, source_key,
       occurred_at, topic || CASE WHEN wanted THEN ' wanted' ELSE ' not wanted' END, NULL, NULL, NULL, owner
FROM crm.preference
UNION ALL
SELECT 'usage_event', entity_id, contact_id, contact_state, company_id, source, source_key,
       coalesce(occurred_at, created_at), kind, NULL, NULL, NULL, owner
FROM crm.usage_event
UNION ALL
SELECT 'touchpoint', entity_id, contact_id, contact_state, NULL, source, source_key,
       coalesce(occurred_at, created_at), lead_source, utm_campaign, NULL, NULL, owner
FROM crm.touchpoint;

-- how many rows of each entity are whose: sums over buckets are sums of all rows
CREATE OR REPLACE VIEW crm.event_bucket AS
SELECT entity, bucket, count(*) AS events, count(DISTINCT contact_id) AS contacts
FROM crm.event GROUP BY ALL;

-- for whom people work, and as what: each current record of a contact says so for itself, so two
-- records that are one person keep both roles. company_id: as crm.contact_company has it, where
-- exactly one company fits the record's address or the name that it gives.
CREATE OR REPLACE VIEW crm.contact_at_company AS
SELECT m.entity_id AS contact_id, w.company_id, v.company_name, v.job_title AS role,
       list_sort(list(DISTINCT r.source)) AS sources,
       max(coalesce(v.updated_at, v.created_at)) AS said_at
FROM landing.record r
JOIN landing.contact_version v ON v.version_id = r.current_version AND v.record_id = r.record_id
JOIN matching.membership m ON m.record_id = r.record_id
LEFT JOIN matching.workplace w ON w.record_id = r.record_id
WHERE r.entity = 'contact' AND r.ended_at IS NULL
  AND (v.company_name IS NOT NULL OR w.company_id IS NOT NULL)
GROUP BY ALL;
