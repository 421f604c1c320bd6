"""Small real stores, filled record by record, so that every figure can be counted by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime

import duckdb
import pytest

from crm_quality.audit import Choice, Terms, figure_rows, figures, scorecard
from crm_quality.definitions import default_rules
from crm_quality.store.migrate import migrate, migrations

RULES = default_rules()
DAY = date(2024, 6, 30)
MOMENT = datetime(2024, 6, 30, 12)


@dataclass
class Stock:
    """A store in memory; `put` adds records, `derive` makes the golden ones."""

    connection: duckdb.DuckDBPyConnection
    rules: object = RULES
    _number: int = 0
    _runs: list[int] = field(default_factory=list)

    def put(
        self,
        key,
        *,
        source="crm",
        entity="contact",
        customer=None,
        accepted=True,
        ended=False,
        issues=(),
        raw=None,
        **values,
    ):
        """One record; ``customer`` is the key of its first record; gives its record id."""
        self._number += 1
        number = self._number
        self._insert(
            "landing.record",
            record_id=number,
            entity=entity,
            source=source,
            source_key=key,
            first_run=1,
            accepted_no=number if accepted else None,
            current_version=number if accepted else None,
            ended_at=MOMENT if ended else None,
        )
        self.version(number, number, entity, accepted=accepted, issues=issues, raw=raw, **values)
        if accepted:
            anchor = number if customer is None else self.record(customer, entity)
            self._insert("matching.membership", record_id=number, entity_id=anchor, run_id=1)
        return number

    def version(
        self, record, version, entity="contact", *, accepted, issues=(), raw=None, **values
    ):
        """One more version of a record; one that is not accepted waits in quarantine."""
        self._insert(
            f"landing.{entity}_version",
            version_id=version,
            record_id=record,
            run_id=1,
            batch_id=1,
            row_number=record,
            status="accepted" if accepted else "quarantined",
            content_hash=str(version),
            rules_hash="r",
            raw=json.dumps(raw or {}),
            **values,
        )
        if not accepted:
            self._insert(
                "quality.quarantine",
                entity=entity,
                record_id=record,
                version_id=version,
                run_id=1,
                status="open",
                opened_at=MOMENT,
            )
        for rule, severity, value in issues:
            parts = rule.split(".")
            self._insert(
                "quality.issue",
                run_id=1,
                entity=entity,
                record_id=record,
                version_id=version,
                field=parts[1] if len(parts) > 2 else None,
                rule=rule,
                severity=severity,
                value=value,
                message=f"{rule} is broken",
            )

    def batch(self, mapping, entity="contact"):
        """The batch that every version is of."""
        self._insert(
            "landing.batch",
            batch_id=1,
            run_id=1,
            entity=entity,
            origin="frame",
            rows_received=1,
            mapping=json.dumps(mapping),
            received_at=MOMENT,
        )

    def record(self, key, entity="contact"):
        """The id of a record."""
        return self.value(
            "SELECT record_id FROM landing.record WHERE source_key = ? AND entity = ?",
            [key, entity],
        )

    def derive(self, entity="contact"):
        """Golden records: of each field any value that a member has."""
        columns = RULES.entity(entity).columns
        chosen = ", ".join(f'any_value(v."{name}") AS "{name}"' for name in columns)
        self.connection.execute(f"DELETE FROM crm.{entity}").fetchall()
        self.connection.execute(f"""
            INSERT INTO crm.{entity} BY NAME
            SELECT m.entity_id, 1 AS version, 1 AS run_id, count(*) AS records,
                   list(DISTINCT r.source) AS sources, {chosen}
            FROM landing.record r JOIN matching.membership m USING (record_id)
            JOIN landing.{entity}_version v ON v.version_id = r.current_version
            WHERE r.ended_at IS NULL AND r.entity = '{entity}' GROUP BY m.entity_id
        """).fetchall()
        return self

    def finish_run(self, day=DAY, *, changed=True):
        """Keep the figures of a run, as the pipeline does."""
        run = len(self._runs) + 1
        self._runs.append(run)
        self._insert(
            "audit.run",
            run_id=run,
            started_at=MOMENT,
            finished_at=MOMENT,
            command="test",
            actor="test",
            as_of=day,
            rules_fingerprint="r",
            product_version="0",
            changed=changed,
            summary="{}",
        )
        rows = figures(self.connection, self.rules, run)
        self.connection.register("rows", rows.to_arrow())
        self.connection.execute("INSERT INTO quality.metric BY NAME FROM rows").fetchall()
        self.connection.unregister("rows")
        return run

    def card(self, *, as_of=DAY, show_personal=False, **terms):
        """The scorecard."""
        return scorecard(
            self.connection,
            self.rules,
            as_of=as_of,
            show_personal=show_personal,
            terms=Terms(**terms),
        )

    def contacts(self, **options):
        """The scorecard of contacts."""
        return self.card(**options).entity("contact")

    def rows(self, figure, *, limit=None, card=None, **choice):
        """The rows behind a figure."""
        card = card or self.card()
        return figure_rows(self.connection, self.rules, card, figure, Choice(**choice), limit=limit)

    def value(self, query, parameters=()):
        """The first cell of a result."""
        return self.connection.execute(query, list(parameters)).fetchall()[0][0]

    def count(self, query):
        """How many rows a query has."""
        return len(self.connection.execute(query).fetchall())

    def _insert(self, table, **values):
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" for _ in values)
        self.connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values())
        ).fetchall()


@pytest.fixture
def new_stock(tmp_path):
    """A maker of empty stores."""
    made = []

    def make():
        connection = duckdb.connect()
        migrate(connection, tmp_path, migrations())
        made.append(connection)
        return Stock(connection)

    yield make
    for connection in made:
        connection.close()


@pytest.fixture
def stock(new_stock):
    """An empty store."""
    return new_stock()


@pytest.fixture
def shop(stock):
    """Six records of three customers from two sources; one waits and one was deleted."""
    stock.batch({"lead_source": "Lead Source", "email": "E-mail"})
    new = datetime(2024, 1, 1)
    old = datetime(2019, 1, 1)
    stock.put(
        "a", first_name="Ann", last_name="Lee", email="ann@example.com", updated_at=new,
        lead_source="paid_search", raw={"Lead Source": "Google", "E-mail": "ann@example.com"},
        lifecycle_stage="customer",
    )  # fmt: skip
    stock.put(
        "b", source="shop", customer="a", first_name="Ann", last_name="Lee", updated_at=old,
        email="ann@example.com", phone="+4930123456", email_opt_out=True,
        lead_source="paid_search", raw={"Lead Source": "google ads"},
    )  # fmt: skip
    stock.put(
        "c", source="shop", last_name="Berg", updated_at=new,
        issues=[("contact.email.invalid", "warning", "berg at example.com")],
        raw={"Lead Source": "TV", "E-mail": "berg at example.com"},
    )  # fmt: skip
    stock.put(
        "d", first_name="Ola", email="ola@example.com",
        issues=[("contact.lead_source.unknown", "warning", "TV")],
        raw={"Lead Source": "TV"},
    )  # fmt: skip
    stock.put("e", source="shop", accepted=False, issues=[("contact.identifiable", "error", None)])
    stock.put("f", ended=True, email="gone@example.com", customer="d")
    return stock.derive()
