-- needs: contact
-- What contacts are to us. Each current record of theirs says so for itself, so a lead who is also a
-- partner is both after a merge.

-- one row per contact and role: prospect (a subscriber or lead, up to an opportunity), customer, former
-- (customer), partner, other; since = the first time that a record said so
CREATE OR REPLACE VIEW crm.contact_role AS
WITH said AS (
    SELECT record_id, contact_id, occurred_at, left_at,
           CASE WHEN stage IN ('customer', 'evangelist') THEN 'customer'
                WHEN stage = 'churned' THEN 'former'
                WHEN stage IN ('partner', 'other') THEN stage ELSE 'prospect' END AS role
    FROM crm.lifecycle_event
    WHERE occurred_at <= crm.moment()
), now AS (
    SELECT DISTINCT s.contact_id, s.record_id, s.role FROM said s
    JOIN landing.record r USING (record_id)
    WHERE (s.left_at IS NULL OR s.left_at > crm.moment()) AND r.ended_at IS NULL
)
SELECT n.contact_id, n.role, min(s.occurred_at) AS since, count(DISTINCT n.record_id) AS records
FROM now n JOIN said s USING (record_id, role)
GROUP BY n.contact_id, n.role;
