-- People who asked to be forgotten: their numbers stay, and a keyed digest of the keys that their
-- sources know them by, so that tonight's import does not bring them back.

ALTER TABLE landing.record ADD COLUMN erased_at TIMESTAMP;   -- its source_key is a digest since then

CREATE TABLE main.secret (
    name  VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);

CREATE TABLE audit.erasure (
    run_id     BIGINT NOT NULL,
    entity     VARCHAR NOT NULL,
    entity_id  BIGINT NOT NULL,              -- the customer that was erased
    records    BIGINT NOT NULL,              -- its records
    rows       BIGINT NOT NULL,              -- deals, payments … that hold nothing personal since
    erased_at  TIMESTAMP NOT NULL,
    actor      VARCHAR NOT NULL,
    reason     VARCHAR NOT NULL
);

CREATE OR REPLACE VIEW crm.crosswalk AS
SELECT r.entity, r.source, r.source_key, r.record_id,
       coalesce(m.entity_id, r.record_id) AS entity_id,
       CASE WHEN r.erased_at IS NOT NULL THEN 'erased'
            WHEN r.ended_at IS NOT NULL THEN 'ended'
            WHEN r.current_version IS NULL THEN 'quarantined'
            ELSE 'accepted' END AS status
FROM landing.record r LEFT JOIN matching.membership m USING (record_id);
