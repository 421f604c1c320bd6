-- needs: contract
-- Contracts: what they are worth in a year, and what is to be renewed.

-- one row per contract. renews_on: as the source says, else the day after the last one
CREATE OR REPLACE VIEW crm.contract_due AS
WITH due AS (
    SELECT entity_id AS contract_id, name, contact_id, contact_state, company_id, deal_id, owner,
           amount, currency, billing_period, starts_on, ends_on, cancelled_on, contract_status,
           coalesce(renews_on, ends_on + 1) AS renews_on,
           coalesce(contract_status = 'active', contract_status IS NULL)
               AND (cancelled_on IS NULL OR cancelled_on > crm.moment()::DATE)
               AND coalesce(starts_on <= crm.moment()::DATE, true) AS is_active,
           CASE billing_period WHEN 'month' THEN 12 WHEN 'quarter' THEN 4 WHEN 'year' THEN 1 END AS periods
    FROM crm.contract
)
SELECT *, (amount * periods)::DECIMAL(18, 2) AS amount_per_year,
       date_diff('day', crm.moment()::DATE, renews_on) AS days_to_renewal,
       -- the day has passed, and the source still calls it active
       coalesce(is_active AND renews_on < crm.moment()::DATE, false) AS is_overdue
FROM due;

-- what is to be renewed within 90 days, today and the 90th day included
CREATE OR REPLACE VIEW crm.renewal AS
SELECT * FROM crm.contract_due
WHERE is_active AND renews_on BETWEEN crm.moment()::DATE AND crm.moment()::DATE + 90;
