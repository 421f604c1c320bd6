-- needs: contact, company, transaction
-- Money that moved, and what each customer has brought. Amounts of several currencies are never added.

-- payments and refunds. Invoices and bookings move no money by themselves; a payment that failed, is
-- open or was cancelled has not moved. A state or kind that no source tells counts as moved.
--   net  what stays of it: refunds are negative, and what was given back since is taken off
CREATE OR REPLACE VIEW crm.payment AS
SELECT entity_id, source, source_key, contact_id, contact_state AS bucket, company_id, kind, product,
       coalesce(occurred_at, created_at) AS occurred_at, amount, refunded,
       amount - coalesce(refunded, 0) AS net, currency
FROM crm.transaction
WHERE coalesce(payment_status, 'succeeded') = 'succeeded'
  AND coalesce(kind, 'payment') NOT IN ('invoice', 'booking') AND amount IS NOT NULL;

-- the same without whose it is: sums over all, which need not know
CREATE OR REPLACE VIEW crm.money_moved AS
SELECT entity_id, kind, product, coalesce(occurred_at, created_at) AS occurred_at, amount, refunded,
       amount - coalesce(refunded, 0) AS net, currency
FROM crm.transaction_row
WHERE coalesce(payment_status, 'succeeded') = 'succeeded'
  AND coalesce(kind, 'payment') NOT IN ('invoice', 'booking') AND amount IS NOT NULL;

-- per customer and currency; those whose customer is not known have a row per bucket, without contact_id
CREATE OR REPLACE VIEW crm.contact_money AS
SELECT contact_id, bucket, currency,
       count(*) FILTER (amount > 0) AS payments,
       count(*) FILTER (amount < 0 OR refunded > 0) AS refunds,
       coalesce(sum(amount) FILTER (amount > 0), 0) AS paid,
       coalesce(sum(net), 0) AS net,
       min(occurred_at) FILTER (amount > 0) AS first_paid_at,
       max(occurred_at) FILTER (amount > 0) AS last_paid_at
FROM crm.payment GROUP BY ALL;

-- lifetime value so far, per customer and currency
--   average   of one payment after what was given back; null without payments
--   days      from the first payment to the last
CREATE OR REPLACE VIEW crm.contact_value AS
SELECT contact_id, currency, payments, refunds, paid, net,
       CASE WHEN payments > 0 THEN (net / payments)::DECIMAL(38, 2) END AS average,
       first_paid_at, last_paid_at, date_diff('day', first_paid_at, last_paid_at) AS days
FROM crm.contact_money WHERE contact_id IS NOT NULL;

-- Recency, frequency and money, each in five and ten equal parts of the customers who paid, by
-- currency; 5 and 10 are the best. Equal values are told apart by contact_id, so the same data gives
-- the same parts. Part of rank r among n: ceil(p (r − 1) / (n − 1)), at least 1, as pandas.qcut has it.
CREATE OR REPLACE VIEW crm.rfm AS
WITH ranked AS (
    SELECT contact_id, currency, last_paid_at, payments, net,
           row_number() OVER (PARTITION BY currency ORDER BY last_paid_at, contact_id) - 1 AS r,
           row_number() OVER (PARTITION BY currency ORDER BY payments, contact_id) - 1 AS f,
           row_number() OVER (PARTITION BY currency ORDER BY net, contact_id) - 1 AS m,
           greatest(count(*) OVER (PARTITION BY currency) - 1, 1) AS n
    FROM crm.contact_money WHERE contact_id IS NOT NULL AND payments > 0
), parts AS (
    SELECT contact_id, currency, last_paid_at, payments, net,
           greatest(1, (5 * r + n - 1) // n) AS recency, greatest(1, (5 * f + n - 1) // n) AS frequency,
           greatest(1, (5 * m + n - 1) // n) AS money,
           greatest(1, (10 * r + n - 1) // n) AS recency_decile,
           greatest(1, (10 * f + n - 1) // n) AS frequency_decile,
           greatest(1, (10 * m + n - 1) // n) AS money_decile
    FROM ranked
)
SELECT *, CASE WHEN recency >= 4 AND frequency >= 4 THEN 'champions'
               WHEN recency >= 3 AND frequency >= 3 THEN 'loyal'
               WHEN recency >= 4 THEN 'recent'
               WHEN recency <= 2 AND frequency >= 4 THEN 'cannot lose'
               WHEN recency <= 2 AND frequency >= 3 THEN 'at risk'
               WHEN recency <= 2 THEN 'hibernating' ELSE 'needs attention' END AS segment
FROM parts;

-- customers by the month of their first payment, and how many of them paid in each month after it
--   months   since the first; 0 is the month itself, where all are active
CREATE OR REPLACE VIEW crm.cohort AS
WITH active AS (
    SELECT contact_id, date_trunc('month', occurred_at)::DATE AS month
    FROM crm.payment
    WHERE contact_id IS NOT NULL AND amount > 0 AND occurred_at IS NOT NULL GROUP BY ALL
), begun AS (
    SELECT contact_id, min(month) AS cohort FROM active GROUP BY ALL
), sizes AS (
    SELECT cohort, count(*) AS customers FROM begun GROUP BY ALL
)
SELECT cohort, date_diff('month', cohort, month) AS months, any_value(customers) AS customers,
       count(*) AS active, round(count(*) / any_value(customers), 4) AS retention
FROM active JOIN begun USING (contact_id) JOIN sizes USING (cohort) GROUP BY cohort, month;

-- products bought by the same customers
--   support     of all customers who bought anything, the part that bought both
--   confidence  of those who bought the first, the part that bought the second
--   lift        confidence over the part of all that bought the second; 1 = no connection
CREATE OR REPLACE VIEW crm.product_pair AS
WITH bought AS (
    SELECT contact_id, product FROM crm.payment
    WHERE contact_id IS NOT NULL AND product IS NOT NULL AND amount > 0 GROUP BY ALL
), one AS (
    SELECT product, count(*) AS customers FROM bought GROUP BY ALL
), buyers AS (
    SELECT count(DISTINCT contact_id) AS n FROM bought
), together AS (
    SELECT a.product, b.product AS other, count(*) AS customers
    FROM bought a JOIN bought b ON a.contact_id = b.contact_id AND a.product < b.product GROUP BY ALL
), directed AS (
    SELECT product, other, customers FROM together UNION ALL SELECT other, product, customers FROM together
)
SELECT d.product, d.other, d.customers, round(d.customers / n, 6) AS support,
       round(d.customers / a.customers, 6) AS confidence,
       round(d.customers * n / (a.customers * b.customers), 6) AS lift
FROM directed d JOIN one a ON a.product = d.product JOIN one b ON b.product = d.other, buyers;
