-- Decisions are kept by the keys of their records; beside these the numbers, so that finding who is
-- decided upon reads no key of the whole store. Null: no such record has come yet.

ALTER TABLE matching.decision ADD COLUMN record_id_l BIGINT;
ALTER TABLE matching.decision ADD COLUMN record_id_r BIGINT;

CREATE TEMP TABLE known_key AS
SELECT record_id, entity, source, source_key FROM landing.record
UNION ALL SELECT record_id, entity, source, source_key FROM landing.withdrawn_record;

UPDATE matching.decision d SET record_id_l = k.record_id FROM known_key k
WHERE (k.entity, k.source, k.source_key) = (d.entity, d.source_l, d.source_key_l);
UPDATE matching.decision d SET record_id_r = k.record_id FROM known_key k
WHERE (k.entity, k.source, k.source_key) = (d.entity, d.source_r, d.source_key_r);

DROP TABLE known_key;
