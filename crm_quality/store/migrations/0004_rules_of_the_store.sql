-- Rules about many records at once, and the rules that runs went by.

-- An issue of a rule about many records belongs to a golden record and to no version: version_id is
-- null, entity_id says whose it is, record_id is the entity's anchor (while it lives, else its
-- eldest record) or, where the rule speaks of keys, the record that has the key. An issue about a
-- whole source ("nothing new for two days") has neither; segment names it. Such issues are those
-- in force after the last run; those of records stay with their versions.
ALTER TABLE quality.issue ALTER COLUMN record_id DROP NOT NULL;
ALTER TABLE quality.issue ALTER COLUMN version_id DROP NOT NULL;
ALTER TABLE quality.issue ADD COLUMN entity_id BIGINT;
ALTER TABLE quality.issue ADD COLUMN segment VARCHAR;

-- every rule set that a run went by, whole, so that today's can be compared with it
CREATE TABLE audit.rule_set (
    fingerprint VARCHAR NOT NULL,            -- audit.run.rules_fingerprint
    first_run   BIGINT NOT NULL,
    content     JSON NOT NULL
);
