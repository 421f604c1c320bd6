-- What time it is, and how long the company has been at work.

-- now, UTC; reports about another day set the variable crm_now first
CREATE OR REPLACE MACRO crm.moment() AS
    coalesce(getvariable('crm_now')::TIMESTAMP, now() AT TIME ZONE 'UTC');

-- a moment (UTC) as clocks in a zone show it
CREATE OR REPLACE MACRO crm.local_time(moment, zone) AS
    (moment AT TIME ZONE 'UTC') AT TIME ZONE zone;
