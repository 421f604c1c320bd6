-- At which company a contact's record says that its person works, where exactly one fits.
CREATE TABLE matching.workplace (
    record_id  BIGINT NOT NULL,      -- of the contact
    company_id BIGINT NOT NULL,      -- the company, as the crosswalk names it
    found_by   VARCHAR NOT NULL,     -- domain | name
    name       VARCHAR,              -- by which the company counts when contacts are compared
    run_id     BIGINT NOT NULL
);

-- the companies of each contact; ended records tell of none
CREATE VIEW crm.contact_company AS
SELECT m.entity_id AS contact_id, w.company_id, min(w.found_by) AS found_by, count(*) AS records
FROM matching.workplace w
JOIN matching.membership m USING (record_id)
JOIN landing.record r USING (record_id)
WHERE r.ended_at IS NULL
GROUP BY m.entity_id, w.company_id;
