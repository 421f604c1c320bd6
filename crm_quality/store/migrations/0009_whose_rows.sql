-- Rows that hang on customers (deals, tickets, payments, consents …) hold the key, address or number
-- that they came with; whose they are is found when they are read. Their tables and views are made
-- from their definitions.

-- e-mail addresses and numbers that exactly one customer has, live records and current versions only
CREATE VIEW crm.point_owner AS
SELECT p.entity, p.kind, p.value, min(m.entity_id) AS entity_id
FROM landing.contact_point p
JOIN landing.record r ON r.record_id = p.record_id AND r.current_version = p.version_id
JOIN matching.membership m ON m.record_id = p.record_id
WHERE r.ended_at IS NULL
GROUP BY p.entity, p.kind, p.value
HAVING count(DISTINCT m.entity_id) = 1;

-- the rules that tables and views were last fitted to, and by which version
CREATE TABLE main.fitted (
    rules_fingerprint VARCHAR NOT NULL,
    migration         BIGINT NOT NULL
);
