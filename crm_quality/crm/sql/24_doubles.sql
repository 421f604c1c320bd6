-- needs: deal
-- Deals that look like one deal that came twice. Deals are never merged: somebody has to close one of
-- them where it came from.

-- pairs of deals of one customer in one pipeline, neither lost nor of different outcomes, of like amount
-- (within 5 %) in one currency, that began or are to close within 30 days of each other, or that have one
-- name and amount.
--   deal_id, other_id  the one that was taken in first, and the other
--   counted_twice      what the second adds to the forecast (weighted); null = its worth is not known
CREATE OR REPLACE VIEW crm.deal_double AS
WITH candidate AS (
    SELECT *, coalesce('contact ' || contact_id, 'company ' || company_id) AS customer
    FROM crm.pipeline_deal WHERE outcome <> 'lost'
)
SELECT a.deal_id, b.deal_id AS other_id, a.contact_id, a.company_id, a.pipeline, a.outcome,
       a.name, b.name AS other_name, a.amount, b.amount AS other_amount, a.currency,
       least(abs(date_diff('day', a.created_at, b.created_at)),
             abs(date_diff('day', a.close_date, b.close_date))) AS days_apart,
       b.weighted AS counted_twice
FROM candidate a JOIN candidate b
  ON a.customer = b.customer AND a.deal_id < b.deal_id AND a.outcome = b.outcome
 AND a.pipeline IS NOT DISTINCT FROM b.pipeline AND a.currency IS NOT DISTINCT FROM b.currency
WHERE (a.name = b.name AND a.amount = b.amount)
   OR ((abs(a.amount - b.amount) <= 0.05 * greatest(abs(a.amount), abs(b.amount))
        OR (a.amount IS NULL AND b.amount IS NULL))
       AND (abs(date_diff('day', a.created_at, b.created_at)) <= 30
            OR abs(date_diff('day', a.close_date, b.close_date)) <= 30));
