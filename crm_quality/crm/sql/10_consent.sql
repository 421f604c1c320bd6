-- needs: contact, consent
-- What may be sent to whom. Computed from what was said, whenever it is read, so a merge or an unmerge
-- neither makes nor loses a consent.
--   * The last explicit word on an address counts, per channel and purpose. After an opt-out only an
--     opt-in with evidence counts.
--   * A customer with an address that is opted out is blocked for that channel and purpose altogether.
--   * Nothing said is no consent. Merging two customers adds up what blocks them and no permission.

-- every word, once for each address that it speaks of
CREATE OR REPLACE VIEW crm.consent_event AS
WITH said AS (
    -- consents, one row each; without an address they speak of the record that they name
    SELECT c.entity_id AS event_id, 'consent' AS said_in, k.record_id AS contact_record,
           c.contact_id, c.channel, c.purpose, c.consent_status AS status, c.occurred_at, c.evidence,
           CASE WHEN c.channel = 'email' THEN c.email
                WHEN c.channel IN ('phone', 'sms', 'whatsapp') THEN c.phone END AS address
    FROM crm.consent c
    LEFT JOIN crm.crosswalk k ON k.entity = 'contact' AND k.source_key = c.contact_key
          AND k.source = coalesce(c.contact_source, c.source) AND k.status <> 'quarantined'
), flagged AS (
    -- opt-outs in the contact records themselves, of every version: a source that forgets one
    -- gives no consent by that
    SELECT v.version_id AS event_id, 'contact' AS said_in, v.record_id AS contact_record,
           m.entity_id AS contact_id, f.channel, NULL AS purpose, 'withdrawn' AS status,
           coalesce(v.updated_at, v.created_at, b.received_at) AS occurred_at, NULL AS evidence,
           p.value AS address
    FROM landing.contact_version v
    JOIN landing.batch b USING (batch_id)
    JOIN matching.membership m USING (record_id)
    JOIN (VALUES ('email', 'email'), ('phone', 'phone')) f (channel, kind)
      ON (f.channel = 'email' AND v.email_opt_out) OR (f.channel = 'phone' AND v.do_not_call)
    LEFT JOIN landing.contact_point p
      ON p.version_id = v.version_id AND p.entity = 'contact' AND p.kind = f.kind
    WHERE v.status = 'accepted'
), spread AS (
    SELECT s.* EXCLUDE (address), coalesce(s.address, p.value) AS address
    FROM said s
    LEFT JOIN landing.record r ON r.record_id = s.contact_record AND s.address IS NULL
    LEFT JOIN landing.contact_point p
      ON p.version_id = r.current_version AND p.entity = 'contact'
     AND p.kind = CASE s.channel WHEN 'email' THEN 'email' WHEN 'post' THEN 'none' ELSE 'phone' END
    UNION ALL
    SELECT * FROM flagged
), purposes AS (
    SELECT 'marketing' AS purpose UNION SELECT purpose FROM crm.consent WHERE purpose IS NOT NULL
)
SELECT s.* EXCLUDE (purpose), coalesce(s.purpose, p.purpose) AS purpose,
       -- what the word is about: an address, else the record that it came with
       coalesce(s.address, 'record ' || s.contact_record) AS subject
FROM spread s
-- an opt-out that names no purpose is from everything but service; such an opt-in is from nothing
LEFT JOIN purposes p ON s.purpose IS NULL AND s.status = 'withdrawn' AND p.purpose <> 'service'
WHERE coalesce(s.purpose, p.purpose) IS NOT NULL
  AND (s.address IS NOT NULL OR s.contact_record IS NOT NULL);

-- how things stand with each address
CREATE OR REPLACE VIEW crm.consent_state AS
WITH last AS (
    SELECT subject, channel, purpose,
           max(occurred_at) FILTER (status = 'withdrawn') AS withdrawn_at,
           max(occurred_at) FILTER (status = 'granted') AS granted_at,
           max(occurred_at) FILTER (status = 'granted' AND evidence IS NOT NULL) AS proven_at
    FROM crm.consent_event GROUP BY ALL
)
SELECT subject, channel, purpose,
       CASE WHEN withdrawn_at IS NULL OR proven_at > withdrawn_at THEN 'granted'
            ELSE 'withdrawn' END AS status,
       CASE WHEN withdrawn_at IS NULL OR proven_at > withdrawn_at THEN granted_at
            ELSE withdrawn_at END AS since
FROM last;

-- per customer and address: may it be used? Only status 'granted' says yes.
CREATE OR REPLACE VIEW crm.permission AS
WITH held AS (
    SELECT DISTINCT m.entity_id, h.channel, p.value AS address
    FROM landing.contact_point p
    JOIN landing.record r ON r.record_id = p.record_id AND r.current_version = p.version_id
    JOIN matching.membership m ON m.record_id = p.record_id
    JOIN (VALUES ('email', 'email'), ('phone', 'phone'), ('sms', 'phone'), ('whatsapp', 'phone'))
         h (channel, kind) ON h.kind = p.kind
    WHERE p.entity = 'contact'
), subject AS (
    SELECT entity_id, channel, address AS subject FROM held
    UNION
    SELECT contact_id, channel, subject FROM crm.consent_event WHERE contact_id IS NOT NULL
), standing AS (
    SELECT s.entity_id, s.channel, s.subject, t.purpose, t.status, t.since
    FROM subject s JOIN crm.consent_state t USING (subject, channel)
), blocked AS (
    SELECT entity_id, channel, purpose, max(since) AS since
    FROM standing WHERE status = 'withdrawn' GROUP BY ALL
)
SELECT s.entity_id AS contact_id, s.channel, s.purpose, s.subject AS address,
       CASE WHEN s.status = 'withdrawn' THEN 'withdrawn'
            WHEN b.entity_id IS NOT NULL THEN 'blocked' ELSE 'granted' END AS status,
       CASE WHEN s.status = 'granted' AND b.entity_id IS NOT NULL THEN b.since
            ELSE s.since END AS since
FROM standing s LEFT JOIN blocked b USING (entity_id, channel, purpose);
