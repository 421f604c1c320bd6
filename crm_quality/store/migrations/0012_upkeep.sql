-- Rows as they came are half of a store's file: zstd makes half of them what the default makes.
-- Keep it for every column that holds whole rows.
ALTER TABLE landing.contact_version ADD COLUMN raw_kept VARCHAR USING COMPRESSION zstd;
UPDATE landing.contact_version SET raw_kept = raw WHERE raw IS NOT NULL;
ALTER TABLE landing.contact_version DROP COLUMN raw;
ALTER TABLE landing.contact_version RENAME COLUMN raw_kept TO raw;

ALTER TABLE landing.company_version ADD COLUMN raw_kept VARCHAR USING COMPRESSION zstd;
UPDATE landing.company_version SET raw_kept = raw WHERE raw IS NOT NULL;
ALTER TABLE landing.company_version DROP COLUMN raw;
ALTER TABLE landing.company_version RENAME COLUMN raw_kept TO raw;

-- a key that a scheduler gives a run, so that asking for the same run again does nothing
CREATE TABLE audit.run_key (
    run_key VARCHAR NOT NULL,
    run_id  BIGINT NOT NULL                  -- the run that it was first given to
);
