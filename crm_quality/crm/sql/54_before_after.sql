-- needs: contact, deal, ticket, transaction
-- What deduplication changed: key figures as if every source record were a customer of its own, beside
-- those of the golden records. Both are counted by the same formulas; nothing differs but who is who.

-- e-mail addresses that exactly one live record has
CREATE OR REPLACE VIEW crm.record_email AS
SELECT p.value AS email, min(p.record_id) AS record_id
FROM landing.contact_point p
JOIN landing.record r ON r.record_id = p.record_id AND r.current_version = p.version_id
JOIN matching.membership m ON m.record_id = p.record_id
WHERE p.entity = 'contact' AND p.kind = 'email' AND r.ended_at IS NULL
GROUP BY p.value HAVING min(p.record_id) = max(p.record_id);

-- whose each deal, payment and ticket is: contact_id, the customer, and record_id, the contact record
-- to which it would belong if no two were joined. Null = not known: without joining, an address that
-- two records share tells nobody, as an address of two customers tells nobody otherwise.
CREATE OR REPLACE VIEW crm.row_as_received AS
WITH named AS (
    SELECT 'deal' AS entity, entity_id, contact_id, contact_by, contact_record, contact_email FROM crm.deal
    UNION ALL
    SELECT 'transaction', entity_id, contact_id, contact_by, contact_record, contact_email FROM crm.transaction
    UNION ALL
    SELECT 'ticket', entity_id, contact_id, contact_by, contact_record, contact_email FROM crm.ticket
)
SELECT n.entity, n.entity_id, n.contact_id,
       CASE n.contact_by WHEN 'key' THEN n.contact_record WHEN 'email' THEN e.record_id END AS record_id
FROM named n LEFT JOIN crm.record_email e ON n.contact_by = 'email' AND e.email = n.contact_email;

-- one row per figure and currency (null: it is no amount, or the rows name none)
--   as_received           of source records
--   golden                of golden records; null = there is none
--   customers             accepted live records; golden records
--   open_deals, open_pipeline
--                         open deals and their amount, where deals of one customer with the same name,
--                         amount and currency are one deal that was entered twice; a deal whose
--                         customer is not known is never one of those
--   double_deals          open deals that are told to be entered twice, beyond the first
--   paying_customers      customers with a payment (see crm.payment), value_per_customer: what stays
--                         of all they paid, of one of them; repeat_rate: percent who paid again
--   split_customers       those whose payments lie on several records, and those records;
--   value_if_split        what stays of their payments, per customer and per record
--   mailing               e-mails of a mailing to everybody with an address and no opt-out: records;
--                         customers of whom no record has an opt-out. What there are more of:
--   double_sends          e-mails to somebody who gets one already, and
--   sends_despite_opt_out customers of whom another record has an opt-out
--   tickets_placed        tickets whose customer is known, customers_with_tickets, tickets_per_customer,
--   returning             customers with more than one ticket
CREATE OR REPLACE VIEW crm.before_after AS
WITH whose AS (
    SELECT entity, entity_id, 'as_received' AS side, record_id AS customer FROM crm.row_as_received
    UNION ALL SELECT entity, entity_id, 'golden', contact_id FROM crm.row_as_received
), record AS (
    SELECT m.record_id, m.entity_id, v.email IS NOT NULL AND v.email_opt_out IS NOT TRUE AS mailable,
           v.email_opt_out IS TRUE AS opted_out
    FROM landing.record r
    JOIN landing.contact_version v ON v.version_id = r.current_version
    JOIN matching.membership m ON m.record_id = r.record_id
    WHERE r.entity = 'contact' AND r.ended_at IS NULL
), mailed AS (
    SELECT count(*) FILTER (mailable) AS sends, bool_or(mailable) AS is_mailable,
           bool_or(opted_out) AS has_opted_out
    FROM record GROUP BY entity_id
), open_deal AS (
    SELECT w.side, d.currency, d.amount,
           w.customer IS NOT NULL AND row_number() OVER (
               PARTITION BY w.side, w.customer, d.currency, d.amount, r.name ORDER BY d.deal_id) > 1
               AND d.amount IS NOT NULL AND r.name IS NOT NULL AS is_double
    FROM crm.deal_worth d JOIN crm.deal_row r ON r.entity_id = d.deal_id
    JOIN whose w ON w.entity = 'deal' AND w.entity_id = d.deal_id
    WHERE d.outcome = 'open'
), paid AS (
    SELECT w.side, w.customer, p.currency, count(*) FILTER (p.amount > 0) AS payments, sum(p.net) AS net
    FROM crm.money_moved p JOIN whose w ON w.entity = 'transaction' AND w.entity_id = p.entity_id
    WHERE w.customer IS NOT NULL GROUP BY ALL HAVING count(*) FILTER (p.amount > 0) > 0
), piece AS (
    SELECT p.customer AS record_id, m.entity_id, p.currency, p.net,
           count(*) OVER (PARTITION BY m.entity_id, p.currency) AS pieces
    FROM paid p JOIN matching.membership m ON m.record_id = p.customer WHERE p.side = 'as_received'
    QUALIFY pieces > 1
), asked AS (
    SELECT side, customer, count(*) AS tickets FROM whose
    WHERE entity = 'ticket' AND customer IS NOT NULL GROUP BY ALL
), counted AS (
    SELECT 1 AS position, 'customers' AS figure, NULL AS currency, 'as_received' AS side, count(*) AS value
    FROM record
    UNION ALL SELECT 1, 'customers', NULL, 'golden', count(*) FROM crm.contact
    UNION ALL SELECT 2, 'open_deals', currency, side, count(*) FILTER (NOT is_double) FROM open_deal GROUP BY ALL
    UNION ALL SELECT 4, 'double_deals', currency, side, count(*) FILTER (is_double) FROM open_deal GROUP BY ALL
    UNION ALL SELECT 5, 'paying_customers', currency, side, count(*) FROM paid GROUP BY ALL
    UNION ALL SELECT 8, 'split_customers', currency, 'as_received', count(*) FROM piece GROUP BY ALL
    UNION ALL SELECT 8, 'split_customers', currency, 'golden', count(DISTINCT entity_id) FROM piece GROUP BY ALL
    UNION ALL SELECT 10, 'mailing', NULL, 'as_received', coalesce(sum(sends), 0)::BIGINT FROM mailed
    UNION ALL SELECT 10, 'mailing', NULL, 'golden', count(*) FILTER (is_mailable AND NOT has_opted_out) FROM mailed
    UNION ALL SELECT 11, 'double_sends', NULL, 'as_received', coalesce(sum(greatest(sends - 1, 0)), 0)::BIGINT FROM mailed
    UNION ALL SELECT 11, 'double_sends', NULL, 'golden', 0
    UNION ALL SELECT 12, 'sends_despite_opt_out', NULL, 'as_received',
              count(*) FILTER (is_mailable AND has_opted_out) FROM mailed
    UNION ALL SELECT 12, 'sends_despite_opt_out', NULL, 'golden', 0
    UNION ALL SELECT 13, 'tickets_placed', NULL, side, sum(tickets)::BIGINT FROM asked GROUP BY ALL
    UNION ALL SELECT 14, 'customers_with_tickets', NULL, side, count(*) FROM asked GROUP BY ALL
    UNION ALL SELECT 16, 'returning', NULL, side, count(*) FILTER (tickets > 1) FROM asked GROUP BY ALL
), amount AS (
    -- amounts and rates, each with two decimals
    SELECT 3 AS position, 'open_pipeline' AS figure, currency, side,
           coalesce(sum(amount) FILTER (NOT is_double), 0)::DECIMAL(38, 2) AS value
    FROM open_deal GROUP BY ALL
    UNION ALL SELECT 6, 'value_per_customer', currency, side, (sum(net) / count(*))::DECIMAL(38, 2) FROM paid GROUP BY ALL
    UNION ALL SELECT 7, 'repeat_rate', currency, side,
              (100.0 * count(*) FILTER (payments > 1) / count(*))::DECIMAL(38, 2) FROM paid GROUP BY ALL
    UNION ALL SELECT 9, 'value_if_split', currency, 'as_received', (sum(net) / count(*))::DECIMAL(38, 2)
              FROM piece GROUP BY ALL
    UNION ALL SELECT 9, 'value_if_split', currency, 'golden', (sum(net) / count(DISTINCT entity_id))::DECIMAL(38, 2)
              FROM piece GROUP BY ALL
    UNION ALL SELECT 15, 'tickets_per_customer', NULL, side, (sum(tickets) / count(*))::DECIMAL(38, 2) FROM asked GROUP BY ALL
), figure AS (
    SELECT * REPLACE (value::DECIMAL(38, 2) AS value) FROM counted UNION ALL FROM amount
)
SELECT position, figure, currency, max(value) FILTER (side = 'as_received') AS as_received,
       max(value) FILTER (side = 'golden') AS golden
FROM figure GROUP BY ALL;
