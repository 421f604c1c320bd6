"""Segments: who is in them, every change explained, and whom a message may go to."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

from crm_quality import Project
from crm_quality.crm.audience import audience, greeting, spelt
from crm_quality.crm.segments import changes_between, members, take_snapshot
from crm_quality.definitions.insight import Segment
from crm_quality.errors import DefinitionError, NotFoundError, UsageError

if TYPE_CHECKING:
    from crm_quality.store import Store

DAY = date(2026, 6, 30)
PAYING = Segment(segment="paying", condition="payments >= 2")


def snapshot(store: Store, segment: Segment = PAYING):
    return take_snapshot(
        store, segment, as_of=DAY, taken_at=datetime(2026, 6, 30), actor="t", reads=["payments"]
    )


def test_members_are_those_for_whom_the_condition_holds(business):
    assert business.insight.segment("high_value", as_of=DAY)["contact_id"].to_list() == [1]
    with business.store() as store:
        assert members(store, PAYING, as_of=DAY)["contact_id"].to_list() == [1, 2]
        nobody = Segment(segment="n", condition="net > 0 AND currencies > 1")  # net is null there
        assert members(store, nobody, as_of=DAY).is_empty()


@pytest.mark.capability(38)
def test_a_change_in_size_after_a_merge_is_explained_row_by_row(business, joined):
    with joined(business) as store:
        first = snapshot(store)
        assert (first.members, first.entered, first.left) == (2, 2, 0)
        store.execute("UPDATE matching.membership SET entity_id = 1 WHERE record_id = 2")
        store.execute("DELETE FROM crm.contact WHERE entity_id = 2")
        # Cleo and Dan become one, which pays twice
        store.execute("UPDATE matching.membership SET entity_id = 3 WHERE record_id = 4")
        store.execute("DELETE FROM crm.contact WHERE entity_id = 4")
        store.execute("UPDATE crm.point_owner SET entity_id = 3 WHERE entity_id = 4")
        store.execute(
            "INSERT INTO audit.change VALUES (99, 'contact', 'merged', 1, 2),"
            " (99, 'contact', 'merged', 3, 4)"
        )
        second = snapshot(store)
        changes = changes_between(store, "paying", 1, 2).to_dicts()
        assert second.members - first.members == second.entered - second.left
        told = {c["contact_id"]: (c["change"], c["why"], c["other_id"]) for c in changes}
        assert told == {3: ("entered", "merged", 4), 2: ("left", "merged", 1)}


def test_what_the_condition_reads_is_kept_with_each_change(business, joined):
    with joined(business) as store:
        snapshot(store)
        store.execute("DELETE FROM crm.transaction_row WHERE source_key IN ('p1', 'p2')")
        snapshot(store)
        (change,) = changes_between(store, "paying", 1, 2).to_dicts()
        assert (change["contact_id"], change["change"], change["why"]) == (1, "left", "values")
        assert json.loads(change["was"]) == {"payments": 3}
        assert json.loads(change["is_now"]) == {"payments": 1}
        # back again: between the first and the third nothing has changed
        store.execute("INSERT INTO crm.transaction_row BY NAME SELECT * REPLACE (entity_id + 900 AS"
                      " entity_id) FROM crm.transaction_row WHERE source_key = 'p12'")  # fmt: skip
        snapshot(store)
        assert changes_between(store, "paying", 1, 3).is_empty()
        assert changes_between(store, "paying", 2, 3)["change"].to_list() == ["entered"]


def test_a_changed_condition_and_a_new_customer_are_told_apart(business, joined):
    with joined(business) as store:
        snapshot(store)
        wider = Segment(segment="paying", condition="payments >= 1")
        store.execute("UPDATE landing.record SET first_run = 77 WHERE record_id = 4")
        snapshot(store, wider)
        found = changes_between(store, "paying", 1, 2)
        assert dict(found.select("contact_id", "why").iter_rows()) == {3: "condition", 4: "new"}


def test_snapshots_are_kept_and_recorded(tmp_path):
    made = Project.create(tmp_path / "p")
    assert made.insight.snapshot("high_value").members == 0
    assert made.insight.snapshots("high_value")["members"].to_list() == [0]
    assert made.insight.members_at("high_value", 1).is_empty()
    with made.store() as store:
        kinds = [kind for (kind,) in store.rows("SELECT kind FROM audit.event ORDER BY event_id")]
    assert kinds[-1] == "segment.snapshot"
    with pytest.raises(NotFoundError, match="--snapshot"):
        made.insight.segment_changes("high_value")
    file = made.folder / "rules" / "segments" / "high_value.yml"
    file.write_text(file.read_text().replace("payments", "paymets"))
    with pytest.raises(DefinitionError, match="paymets"):
        Project.open(made.folder).insight.snapshot("high_value")


@pytest.mark.capability(52)
def test_only_granted_unbounced_wanted_addresses_are_sent_to(business):
    found = business.insight.audience("newsletter", topic="news")
    assert found.people["address"].to_list() == ["ann@lee-family.org", "ives@ives.example.org"]
    assert dict(found.left_out.iter_rows()) == {3: "bounced", 4: "topic not wanted"}
    everybody = business.insight.audience("newsletter", purpose="third_party")
    assert everybody.people.is_empty()
    assert set(everybody.left_out["why"]) == {"no permission"}
    with pytest.raises(UsageError, match="whatsapp"):
        business.insight.audience("newsletter", channel="pigeon")


@pytest.mark.capability(52)
def test_a_merge_never_adds_an_address_and_no_address_is_sent_to_twice(business, joined):
    ids = "SELECT entity_id AS contact_id FROM crm.contact"

    def sent(store):
        people = audience(store, store.frame(ids), channel="email", purpose="marketing").people
        assert people["address"].is_unique().all()
        return set(people["address"])

    with business.store() as store:
        apart = sent(store)
    with joined(business, (1, 2)) as store:
        # Bob's opt-out blocks Ann's address too
        assert sent(store) == apart - {"ann@lee-family.org"}
    with joined(business) as store:
        store.execute("UPDATE landing.contact_point SET value = 'ann@lee-family.org'"
                      " WHERE record_id = 4")  # fmt: skip
        assert sent(store) <= apart


@pytest.mark.parametrize(
    ("name", "shown"),
    [("ANN", "Ann"), ("ann-marie", "Ann-Marie"), ("O'NEIL", "O'Neil"), ("McKay", "McKay"),
     ("  ", None), (None, None), ("?", None), ("X", "X")],
)  # fmt: skip
def test_names_are_spelt_as_names(name, shown):
    assert spelt(name) == shown


@pytest.mark.capability(40)
def test_nobody_is_greeted_without_a_name_in_its_place(business):
    assert greeting(None, None, None) == "Hello,"
    assert greeting("Ms", None, "Ives") == "Dear Ms Ives,"
    people = business.insight.audience("newsletter").people
    assert people["greeting"].to_list() == ["Hello Ann,", "Hello Dan,", "Dear Ms Ives,"]
    names = [n for n in (*people["first_name"], *people["last_name"]) if n]
    assert not any(name.isupper() for name in names)
