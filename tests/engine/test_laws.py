"""Whatever sources and stewards do, in whatever order: what a store promises holds at each step."""

from __future__ import annotations

import os
import shutil
from decimal import Decimal
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from crm_quality import Project
from crm_quality.errors import CrmQualityError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: `make bench` looks longer.
EXAMPLES = int(os.environ.get("CRMQ_LAW_EXAMPLES", "3"))
STEPS = int(os.environ.get("CRMQ_LAW_STEPS", "6"))

PEOPLE = [
    {"first_name": "Ann", "last_name": "Leclerc", "email": "ann@leclerc.example.org"},
    {"first_name": "Anne", "last_name": "Leclerc", "email": "ann@leclerc.example.org"},
    {"first_name": "Bob", "last_name": "Berg", "email": "bob@berg.example.net"},
    {"first_name": "Robert", "last_name": "Berg", "email": "bob@berg.example.net"},
    {"first_name": "Cleo", "last_name": "Dahl", "email": "cleo@dahl.example.com"},
    {"first_name": "Dora", "last_name": "Ek", "email": "not an address"},
]
RECORDS = [("crm", "1"), ("crm", "2"), ("crm", "3"), ("shop", "1"), ("shop", "2"), ("shop", "3")]
VIEWS = {
    "golden": "SELECT * EXCLUDE (version, run_id) FROM crm.contact ORDER BY entity_id",
    "crosswalk": "SELECT * FROM crm.crosswalk ORDER BY record_id",
    "deals": "SELECT source, source_key, amount, contact_id, contact_state FROM crm.deal"
    " ORDER BY ALL",
    "permission": "SELECT * FROM crm.permission ORDER BY ALL",
    "origins": "SELECT * EXCLUDE (run_id) FROM crm.value_origin ORDER BY ALL",
}

_template: list[Path] = []


def fresh() -> Project:
    """A new project, copied from one that was made once."""
    if not _template:
        _template.append(Project.create(Path(mkdtemp()) / "project").folder)
    folder = Path(mkdtemp()) / "project"
    shutil.copytree(_template[0], folder)
    return Project.open(folder)


def state(project: Project) -> dict[str, list[tuple[Any, ...]]]:
    """All that others read of a store."""
    with project.store() as store:
        return {name: store.rows(query) for name, query in VIEWS.items()}


def allowed(project: Project) -> set[tuple[str, str, str]]:
    with project.store() as store:
        return set(
            store.rows(
                "SELECT address, channel, purpose FROM crm.permission WHERE status = 'granted'"
            )
        )


class Store(RuleBasedStateMachine):
    """A store under sources and stewards, and what it must amount to."""

    @initialize()
    def begin(self) -> None:
        self.project = fresh()
        self.said: dict[tuple[str, str], dict[str, str]] = {}
        self.deals: dict[tuple[str, str], Decimal] = {}
        self.runs: list[int] = []
        self.numbers = 0

    def teardown(self) -> None:
        shutil.rmtree(self.project.folder.parent, ignore_errors=True)

    def _arrive(self, rows: list[Mapping[str, str]], entity: str = "contact") -> None:
        done = self.project.run(pl.DataFrame(rows), entity=entity).summary
        counts = done.records
        assert counts.received == len(rows)
        assert counts.received == counts.accepted + counts.quarantined + counts.suppressed
        again = self.project.run(pl.DataFrame(rows), entity=entity).summary
        assert again.golden.created == again.golden.changed == 0
        assert again.golden.merged == again.golden.split == 0
        assert all(of.created == of.changed == 0 for of in again.rows.values())
        assert again.records.unchanged == again.records.accepted

    def _customers(self) -> list[int]:
        return self.project.golden()["entity_id"].to_list()

    @rule(
        records=st.lists(st.sampled_from(RECORDS), min_size=1, max_size=3, unique=True),
        people=st.lists(st.sampled_from(PEOPLE), min_size=3, max_size=3),
        out=st.booleans(),
    )
    def contacts(
        self, records: list[tuple[str, str]], people: list[dict[str, str]], out: bool
    ) -> None:
        """New records and new versions of known ones."""
        self.numbers += 1
        rows = []
        for (source, key), person in zip(records, people, strict=False):
            said = {**person, "email_opt_out": "yes" if out else ""}
            # the same word twice is nothing new, so a counter makes each a new version
            said["updated_at"] = f"2026-01-01T00:{self.numbers:02d}:00Z"
            self.said[source, key] = said
            rows.append({"source": source, "source_key": key, **said})
        self._arrive(rows)

    @rule(
        record=st.sampled_from(RECORDS),
        key=st.sampled_from(["d1", "d2", "d3"]),
        cents=st.integers(1, 10**6),
    )
    def deal(self, record: tuple[str, str], key: str, cents: int) -> None:
        """A deal of a record, which may not have come yet."""
        source, contact = record
        amount = Decimal(cents) / 100
        self.deals[source, key] = amount
        self._arrive(
            [{"source": source, "source_key": key, "contact_key": contact, "stage": "proposal",
              "amount": str(amount), "currency": "EUR"}],
            "deal",
        )  # fmt: skip

    @rule(
        record=st.sampled_from(RECORDS),
        person=st.sampled_from(PEOPLE[:5]),
        status=st.sampled_from(["granted", "withdrawn"]),
        evidence=st.sampled_from(["", "form 7"]),
    )
    def consent(
        self, record: tuple[str, str], person: dict[str, str], status: str, evidence: str
    ) -> None:
        """A word on an address."""
        self.numbers += 1
        self._arrive(
            [{"source": record[0], "source_key": f"c{self.numbers}", "contact_key": record[1],
              "email": person["email"], "channel": "email", "purpose": "marketing",
              "consent_status": status, "evidence": evidence,
              "occurred_at": f"2026-02-01T00:{self.numbers:02d}:00Z"}],
            "consent",
        )  # fmt: skip

    @precondition(lambda self: len(self._customers()) > 1)
    @rule(data=st.data(), edit=st.booleans())
    def merge_and_back(self, data: st.DataObject, edit: bool) -> None:
        """A merge that is taken back is as if it had never been, with what was edited since."""
        one, two = data.draw(
            st.lists(st.sampled_from(self._customers()), min_size=2, max_size=2, unique=True)
        )
        other = Path(mkdtemp()) / "project"
        shutil.copytree(self.project.folder, other)
        apart = Project.open(other)
        before = allowed(self.project)
        try:
            self.project.entities.merge(one, two, reason="law")
        except CrmQualityError:
            assert state(self.project) == state(apart)
            return
        assert len(self._customers()) < len(apart.golden())
        assert allowed(self.project) <= before
        if edit and self.said:
            source, key = data.draw(st.sampled_from(sorted(self.said)))
            self.numbers += 1
            self.said[source, key] |= {
                "job_title": f"Job {self.numbers}",
                "updated_at": f"2026-03-01T00:{self.numbers:02d}:00Z",
            }
            row = pl.DataFrame([{"source": source, "source_key": key, **self.said[source, key]}])
            self.project.run(row)
            apart.run(row)
        self.project.entities.unmerge(one, reason="law")
        assert state(self.project) == state(apart)
        shutil.rmtree(other.parent)

    @precondition(lambda self: len(self._customers()) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        """A merge that stays."""
        one, two = data.draw(
            st.lists(st.sampled_from(self._customers()), min_size=2, max_size=2, unique=True)
        )
        before = allowed(self.project)
        try:
            self.project.entities.merge(one, two, reason="law")
        except CrmQualityError:
            return
        assert allowed(self.project) <= before

    @rule(
        records=st.lists(st.sampled_from(RECORDS), min_size=1, max_size=3, unique=True),
        person=st.sampled_from(PEOPLE),
        deal=st.booleans(),
    )
    def import_and_undo(
        self, records: list[tuple[str, str]], person: dict[str, str], deal: bool
    ) -> None:
        """A file that is taken back leaves nothing that others read; it can come again."""
        before = state(self.project)
        self.numbers += 1
        rows = [
            {"source": source, "source_key": key, **person,
             "updated_at": f"2026-01-01T00:{self.numbers:02d}:00Z"}
            for source, key in records
        ]  # fmt: skip
        if deal:
            rows = [
                {"source": source, "source_key": f"x{self.numbers}", "contact_key": key,
                 "stage": "won", "amount": "1", "currency": "EUR"}
                for source, key in records[:1]
            ]  # fmt: skip
        frame, entity = pl.DataFrame(rows), "deal" if deal else "contact"
        run_id = self.project.run(frame, entity=entity).summary.run_id
        self.project.undo(run_id, reason="law")
        assert state(self.project) == before

    @precondition(lambda self: (self.project.golden()["records"] > 1).any())
    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        """A record leaves its customer."""
        large = self.project.golden().filter(pl.col("records") > 1)["entity_id"].to_list()
        customer = data.draw(st.sampled_from(large))
        crosswalk = self.project.crosswalk().filter(
            pl.col("entity_id") == customer, pl.col("status") == "accepted"
        )
        record = data.draw(st.sampled_from(crosswalk["record_id"].to_list()))
        try:
            self.project.entities.split(customer, record, reason="law")
        except CrmQualityError:
            return
        told = self.project.crosswalk().filter(pl.col("record_id").is_in(crosswalk["record_id"]))
        assert told["entity_id"].n_unique() > 1

    @precondition(lambda self: self._customers())
    @rule(data=st.data(), city=st.sampled_from(["Oslo", "Bergen", ""]), stays=st.booleans())
    def pin(self, data: st.DataObject, city: str, stays: bool) -> None:
        """A steward's value stands at once; taken back, it is as if it had never been."""
        customer = data.draw(st.sampled_from(self._customers()))
        before = state(self.project)
        pins = self.project.overrides.pins().filter(pl.col("entity_id") == customer)
        self.project.overrides.pin(customer, {"city": city}, reason="law")
        golden = self.project.golden().filter(pl.col("entity_id") == customer)
        assert golden["city"].item() == (city or None)
        if not stays and pins.is_empty():
            self.project.overrides.unpin(customer, reason="law")
            assert state(self.project) == before

    @invariant()
    def it_is_whole(self) -> None:
        found = self.project.upkeep.verify()
        assert found.is_whole, found.wrong.to_dicts()

    @invariant()
    def no_money_is_lost_or_made(self) -> None:
        with self.project.store() as store:
            total = store.value("SELECT sum(amount) FROM crm.deal")
            of_customers = store.value(
                "SELECT sum(d.amount) FROM crm.contact c JOIN crm.deal d ON d.contact_id ="
                " c.entity_id"
            )
            of_nobody = store.value(
                "SELECT sum(amount) FROM crm.deal d WHERE NOT EXISTS"
                " (SELECT 1 FROM crm.contact c WHERE c.entity_id = d.contact_id)"
            )
        assert (total or 0) == sum(self.deals.values())
        assert (of_customers or 0) + (of_nobody or 0) == (total or 0)

    @invariant()
    def rows_name_the_records_of_their_keys(self) -> None:
        with self.project.store() as store:
            wrong = store.rows(
                "SELECT d.source, d.source_key FROM crm.deal_row d LEFT JOIN landing.record r"
                " ON (r.entity, r.source, r.source_key) = ('contact', d.source, d.contact_key)"
                " WHERE d.contact_record IS DISTINCT FROM r.record_id"
            )
        assert wrong == []

    @invariant()
    def every_record_is_somewhere(self) -> None:
        told = self.project.crosswalk().filter(pl.col("entity") == "contact")
        assert set(told.select("source", "source_key").iter_rows()) == set(self.said)
        assert told["record_id"].is_unique().all()


@pytest.mark.capability(3, 4, 28, 65, 33)
def test_what_a_store_promises_holds_after_any_steps() -> None:
    run_state_machine_as_test(
        Store,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            # the same steps in every `make test`; `make bench` looks for new ones
            derandomize="CRMQ_LAW_EXAMPLES" not in os.environ,
            suppress_health_check=list(HealthCheck),
        ),
    )
