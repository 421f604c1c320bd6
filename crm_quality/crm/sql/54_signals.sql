-- needs: contact, activity, note, ticket, usage_event, preference
-- What customers tell by what they do and say: use of the product, what they want to hear of, what
-- worries them; and calls of which nobody knows whose they are.

-- use by month; a month without use has no row: missing is not zero
CREATE OR REPLACE VIEW crm.usage_month AS
SELECT contact_id, company_id, contact_state, date_trunc('month', occurred_at)::DATE AS month, kind,
       count(*) AS events, sum(quantity) AS quantity, max(occurred_at) AS last_at
FROM crm.usage_event GROUP BY ALL;

-- what a customer wants to hear of: the last word on each topic, whichever record it came with
CREATE OR REPLACE VIEW crm.preference_state AS
SELECT contact_id, lower(topic) AS topic, arg_max(wanted, (occurred_at, entity_id)) AS wanted,
       max(occurred_at) AS since, count(*) AS said
FROM crm.preference WHERE contact_id IS NOT NULL GROUP BY contact_id, lower(topic);

-- what worries a customer, as notes and tickets are marked; since = the first that speaks of it
CREATE OR REPLACE VIEW crm.concern AS
WITH said AS (
    SELECT contact_id, concern, coalesce(occurred_at, created_at) AS said_at, false AS is_open
    FROM crm.note WHERE concern IS NOT NULL
    UNION ALL
    SELECT contact_id, concern, created_at,
           resolved_at IS NULL AND coalesce(ticket_status, '') NOT IN ('solved', 'closed')
    FROM crm.ticket WHERE concern IS NOT NULL
)
SELECT contact_id, lower(concern) AS concern, min(said_at) AS since, max(said_at) AS last_at,
       count(*) AS said, bool_or(is_open) AS is_open
FROM said WHERE contact_id IS NOT NULL GROUP BY contact_id, lower(concern);

-- calls by a number of which nobody knows whose it is: none of our customers has it, or several do.
-- A call is theirs as soon as exactly one has it.
CREATE OR REPLACE VIEW crm.call_waiting AS
WITH holder AS (
    SELECT p.value, count(DISTINCT m.entity_id) AS owners
    FROM landing.contact_point p
    JOIN landing.record r ON r.record_id = p.record_id AND r.current_version = p.version_id
    JOIN matching.membership m ON m.record_id = p.record_id
    WHERE p.entity = 'contact' AND p.kind = 'phone' AND r.ended_at IS NULL
      AND p.value IN (SELECT contact_phone FROM crm.activity_row)
    GROUP BY p.value
)
SELECT a.entity_id AS activity_id, a.contact_phone, a.direction, a.occurred_at, a.owner,
       coalesce(h.owners, 0) AS owners
FROM crm.activity a LEFT JOIN holder h ON h.value = a.contact_phone
WHERE a.contact_id IS NULL AND a.contact_phone IS NOT NULL;
