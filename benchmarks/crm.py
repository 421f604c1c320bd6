"""How fast the CRM model answers: N contacts with 10 N rows that hang on them.

    python benchmarks/crm.py --contacts 1000000 [--keep FOLDER]

The rows are made by SQL, straight into the tables of a new store, as runs would have left them; a
tenth of the contacts have two records. Measured are the questions of `crmq crm overview`, one
customer's profile, and a segment over everything. Prints one JSON object per line; seconds are the
best of three.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from crm_quality import Project
from crm_quality.crm.before_after import before_after
from crm_quality.crm.customer_page import customer_page
from crm_quality.crm.kept import KEPT_CUSTOMERS, keep
from crm_quality.crm.questions import QUESTIONS, answer
from crm_quality.crm.scoring import scored
from crm_quality.crm.segments import members
from crm_quality.engine.fitting import fit_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from crm_quality.store import Store

TODAY = date(2026, 11, 1)
#: Entity → rows for each contact; ten in all.
SHARES = {
    "transaction": 2.5,
    "engagement": 2.4,
    "touchpoint": 1.2,
    "activity": 1.0,
    "usage_event": 0.6,
    "campaign_member": 0.6,
    "ticket": 0.4,
    "deal": 0.35,
    "task": 0.3,
    "note": 0.25,
    "consent": 0.25,
    "contract": 0.1,
    "preference": 0.05,
}
_CAMPAIGNS = 40
_MOMENT = "(TIMESTAMP '2024-11-01' + to_seconds((h >> 20) % 63000000))"
_WHEN = f"{_MOMENT} AS occurred_at"
_CURRENCY = "CASE WHEN h % 10 < 8 THEN 'EUR' ELSE 'USD' END AS currency"
_LISTED = "list_value({values})[1 + h % {many}]"


def _one_of(*values: str) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"list_value({listed})[(1 + (h >> 8) % {len(values)})::BIGINT]"


#: Entity → its own columns, from a row number i and a hash h.
COLUMNS = {
    "transaction": f"""{_WHEN}, (((h >> 4) % 50000) / 100)::DECIMAL(18, 2) AS amount, {_CURRENCY},
        {_one_of("payment", "payment", "payment", "subscription")} AS kind,
        CASE WHEN h % 50 = 0 THEN 'failed' ELSE 'succeeded' END AS payment_status,
        'product ' || ((h >> 12) % 40) AS product""",
    "engagement": f"""{_WHEN},
        {_one_of("open", "open", "open", "click", "page_view", "form_submission")} AS kind""",
    "touchpoint": f"""{_WHEN}, 1 + i % {_CAMPAIGNS} AS campaign_no,
        {_one_of("paid_search", "organic_search", "referral", "event", "partner")}
        AS lead_source""",
    "activity": f"""{_WHEN}, {_one_of("call", "meeting", "email")} AS kind,
        'about this' AS subject""",
    "usage_event": f"{_WHEN}, 'login' AS kind, 1 AS quantity",
    "campaign_member": f"""{_MOMENT} AS created_at, 1 + i % {_CAMPAIGNS} AS campaign_no,
        {_one_of("sent", "sent", "sent", "opened", "clicked", "responded")} AS member_status,
        CASE WHEN (h >> 8) % 6 = 5 THEN {_MOMENT} END AS responded_at""",
    "ticket": f"""{_MOMENT} AS created_at, {_one_of("low", "normal", "high")} AS priority,
        CASE WHEN h % 5 = 0 THEN 'open' ELSE 'solved' END AS ticket_status,
        {_MOMENT} + to_hours((1 + h % 20)::INTEGER) AS first_response_at,
        CASE WHEN h % 5 > 0 THEN {_MOMENT} + to_hours((20 + h % 90)::INTEGER) END AS resolved_at,
        'help' AS subject""",
    "deal": f"""{_MOMENT} AS created_at, ({_MOMENT} + INTERVAL 60 DAY)::DATE AS close_date,
        {_one_of("prospecting", "proposal", "negotiation", "won", "won", "lost")} AS stage,
        (((h >> 4) % 5000000) / 100)::DECIMAL(18, 2) AS amount, {_CURRENCY},
        50::DECIMAL(18, 2) AS probability, 'a deal' AS name, 'sales' AS pipeline""",
    "task": f"""{_MOMENT} AS created_at, {_MOMENT} + INTERVAL 9 DAY AS due_at, 'call' AS subject,
        {_one_of("open", "done", "done")} AS task_status, 'owner ' || (h % 20) AS owner""",
    "note": f"{_WHEN}, 'some words' AS body",
    "consent": f"""{_WHEN}, 'email' AS channel, 'marketing' AS purpose,
        {_one_of("granted", "granted", "granted", "withdrawn")} AS consent_status""",
    "contract": f"""{_MOMENT}::DATE AS starts_on, ({_MOMENT} + INTERVAL 1 YEAR)::DATE AS ends_on,
        (((h >> 4) % 100000) / 100)::DECIMAL(18, 2) AS amount, {_CURRENCY},
        'month' AS billing_period, 'a contract' AS name""",
    "preference": f"{_WHEN}, 'news' AS topic, h % 4 > 0 AS wanted",
}

_CONTACTS = """
CREATE TEMP TABLE person AS
SELECT i AS record_id, i AS version_id, hash(i) AS h,
       -- the last tenth are second records of others
       CASE WHEN i > {n} THEN i - {n} ELSE i END AS entity_id,
       'Ann' || (i % 1000) AS first_name, 'Lee' || i AS last_name,
       'person' || i || '@example.com' AS email,
       {stage} AS lifecycle_stage, {channel} AS lead_source,
       TIMESTAMP '2024-11-01' + to_seconds((hash(i) >> 20) % 63000000) AS created_at
FROM (SELECT range AS i, hash(range) AS h FROM range(1, {records} + 1));
INSERT INTO landing.batch BY NAME
SELECT 1 AS batch_id, 1 AS run_id, 'contact' AS entity, 'crm' AS source, 'made' AS origin,
       {records} AS rows_received, '{{}}' AS mapping, TIMESTAMP '2024-11-01' AS received_at;
INSERT INTO landing.record (record_id, entity, source, source_key, first_run, accepted_no,
                            current_version)
SELECT record_id, 'contact', 'crm', record_id::VARCHAR, 1, record_id, version_id FROM person;
INSERT INTO landing.contact_version BY NAME
SELECT version_id, record_id, 1 AS run_id, 1 AS batch_id, 'accepted' AS status,
       '' AS content_hash, '' AS rules_hash, * EXCLUDE (version_id, record_id, h, entity_id),
       h % 97 = 0 AS email_opt_out
FROM person;
INSERT INTO landing.contact_point
SELECT record_id, version_id, 'contact', 'email', 'email', email, email FROM person;
INSERT INTO matching.membership SELECT record_id, entity_id, 1 FROM person;
INSERT INTO crm.contact BY NAME
SELECT entity_id, 1 AS version, 1 AS run_id, 1 AS records, ['crm'] AS sources,
       * EXCLUDE (record_id, version_id, h, entity_id)
FROM person WHERE record_id = entity_id ORDER BY entity_id;
INSERT INTO crm.point_owner SELECT 'contact', 'email', email, entity_id FROM person;
"""
_CAMPAIGN = """
INSERT INTO crm.campaign_row BY NAME
SELECT {start} + range AS entity_id, 1 AS version, 1 AS run_id, 'crm' AS source,
       range::VARCHAR AS source_key, 'campaign ' || range AS name, 1000 AS cost, 'EUR' AS currency
FROM range(1, {many} + 1);
INSERT INTO matching.membership
SELECT entity_id, entity_id, 1 FROM crm.campaign_row;
INSERT INTO landing.record (record_id, entity, source, source_key, first_run, accepted_no,
                            current_version)
SELECT entity_id, 'campaign', source, source_key, 1, entity_id, entity_id FROM crm.campaign_row;
"""
#: Rows name their contact by key; one in a hundred by address alone, one in a thousand nobody.
_ROWS = """
INSERT INTO crm.{entity}_row BY NAME
SELECT * EXCLUDE (h, i{extra}){campaign},
       CASE WHEN i % 100 > 0 THEN 1 + (h % {people}) END::BIGINT AS contact_record,
       CASE WHEN i % 100 > 0 THEN (1 + (h % {people}))::VARCHAR END AS contact_key,
       CASE WHEN i % 1000 > 0 AND i % 100 = 0
            THEN 'person' || (1 + (h % {people})) || '@example.com' END AS {email}
FROM (SELECT i, h, {start} + i AS entity_id, 1 AS version, 1 AS run_id, 'crm' AS source,
             i::VARCHAR AS source_key, {columns}
      FROM (SELECT range AS i, hash(range, '{entity}') AS h FROM range(1, {many} + 1)));
INSERT INTO matching.membership SELECT entity_id, entity_id, 1 FROM crm.{entity}_row;
INSERT INTO landing.record (record_id, entity, source, source_key, first_run, accepted_no,
                            current_version)
SELECT entity_id, '{entity}', source, source_key, 1, entity_id, entity_id FROM crm.{entity}_row;
"""


def fill(store: Store, contacts: int) -> int:
    """Fill a new store with contacts and the rows that hang on them; the number of such rows."""
    records = contacts + contacts // 10
    stage = _one_of("lead", "mql", "customer", "churned")
    channel = _one_of("paid_search", "referral", "event", "website")
    store.connection.execute(
        _CONTACTS.format(n=contacts, records=records, stage=stage, channel=channel)
    ).fetchall()
    store.connection.execute(_CAMPAIGN.format(start=records, many=_CAMPAIGNS)).fetchall()
    start, total = records + _CAMPAIGNS, 0
    for entity, share in SHARES.items():
        many = int(contacts * share)
        columns = COLUMNS[entity]
        in_campaign = "campaign_no" in columns
        script = _ROWS.format(
            entity=entity,
            people=records,
            start=start,
            many=many,
            columns=columns,
            email="email" if entity == "consent" else "contact_email",
            extra=", campaign_no" if in_campaign else "",
            campaign=f", {records} + campaign_no AS campaign_record" if in_campaign else "",
        )
        store.connection.execute(script).fetchall()
        start, total = start + many, total + many
    store.connection.execute("CHECKPOINT").fetchall()
    return total


def best_of(times: int, work: Callable[[], object]) -> float:
    """Seconds of the fastest of several runs."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


def measure(project: Project, contacts: int) -> None:
    """Print how long each question takes, with the store open."""
    insight = project.insight
    with project.store() as store:
        with store.transaction():
            fit_store(store, project.rules)
        began = time.perf_counter()
        with store.transaction():
            keep(store)
        tell("what is kept, once after each change", time.perf_counter() - began)
        for name, question in QUESTIONS.items():
            tell(name, best_of(3, lambda q=question: answer(store, q, as_of=TODAY)))
        tell("before and after", best_of(3, lambda: before_after(store)))
        score = insight.rules.score("lead")
        tell("score", best_of(3, lambda: scored(store, score, as_of=TODAY)))
        for name, segment in insight.rules.segments.items():
            work = partial(members, store, segment, as_of=TODAY, customers=KEPT_CUSTOMERS)
            tell(f"segment {name}", best_of(3, work))
        people = iter(range(contacts // 2, contacts))
        tell("profile of one customer", best_of(9, lambda: customer_page(store, next(people))))


def tell(what: str, seconds: float) -> None:
    """One line of the report."""
    print(json.dumps({"question": what, "seconds": round(seconds, 3)}), flush=True)


def main() -> None:
    """Make the store, or take one that was kept, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="folder of the project; used again if it exists")
    args = parser.parse_args()
    folder = args.keep or Path(tempfile.mkdtemp())
    try:
        if (folder / "store.duckdb").exists():
            project = Project.open(folder)
        else:
            project = Project.create(folder)
            with project.store() as store:
                began = time.perf_counter()
                rows = fill(store, args.contacts)
                seconds = round(time.perf_counter() - began, 1)
            print(json.dumps({"contacts": args.contacts, "rows": rows, "filled_in": seconds}))
        measure(project, args.contacts)
    finally:
        if args.keep is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
