"""Why records are or are not one customer."""

import polars as pl
import pytest

from crm_quality.errors import NotFoundError, UsageError

PEOPLE = pl.DataFrame(
    {
        "source": ["crm", "shop", "crm", "crm", "crm", "crm"],
        "source_key": ["1", "c-9", "2", "3", "4", "5"],
        "first_name": ["Ann", "ANN", "Bob", "Henry", "Henry", None],
        "last_name": ["Leclerc", "Leclerc", "Okafor", "Ward", "Ward", None],
        "name_suffix": [None, None, None, "Jr", "Sr", None],
        "email": [
            "ann@nordlicht.example",
            "ann@nordlicht.example",
            "b.okafor@quay.example",
            "henry@ward.example",
            "henry@ward.example",
            "john at x.com",
        ],
    }
)


@pytest.fixture
def people(project):
    project.run(PEOPLE)
    return project


def test_two_records_of_one_customer_tell_what_joined_them(people):
    told = people.explain("crm:1", "shop:c-9")
    assert told.reason.kind == "joined"
    assert told.values["email"] == ("ann@nordlicht.example", "ann@nordlicht.example")
    assert {"e-mail", "name"} <= {block.key for block in told.blocks}
    assert told.evidence.weight == pytest.approx(told.compared["match_weight"], abs=1e-9)
    assert told.step.joined


@pytest.mark.capability(94)
def test_the_parts_the_user_sees_sum_up_to_the_weight(people):
    told = people.explain(1, 3).to_dict()
    parts = told["prior"] + sum(part["weight"] for part in told["evidence"]) + told["remainder"]
    assert parts == pytest.approx(told["match_weight"])
    assert told["reason"]["kind"] == "below_threshold"
    assert not told["same_customer"]


def test_a_contradiction_is_named(people):
    told = people.explain("crm:3", "crm:4")
    assert told.evidence.weight > 0
    assert told.reason.kind == "contradiction"
    assert told.reason.never["comparison"] == "name_suffix"


def test_a_record_in_quarantine_is_compared_with_nothing(people):
    told = people.explain("crm:5", "crm:1")
    assert told.reason.kind == "not_accepted"


def test_customers_are_explained_by_the_records_that_fit_best(people):
    told = people.explain("entity:1", "entity:3")
    assert {one.entity_id for one in told.records} == {1, 3}


def test_personal_values_are_masked_unless_asked_for(people):
    told = people.explain(1, 2)
    assert "leclerc" not in str(told.to_dict()).lower()
    assert "Leclerc" in str(told.to_dict(show_personal=True))


def test_what_cannot_be_explained_is_told(people):
    with pytest.raises(NotFoundError, match="no record 'crm:99'"):
        people.explain("crm:99", "crm:1")
    with pytest.raises(UsageError, match="one record"):
        people.explain(1, "crm:1")
    with pytest.raises(UsageError, match="one customer"):
        people.explain("entity:1", "shop:c-9")
    people.run(
        pl.DataFrame({"source": ["crm"], "source_key": ["a"], "name": ["Acme"]}), entity="company"
    )
    with pytest.raises(UsageError, match="a company"):
        people.explain("crm:1", "crm:a")


@pytest.mark.capability(94)
def test_every_join_of_a_run_is_explained(stocked):
    with stocked.store() as store:
        joined = store.rows(
            "SELECT a.record_id, b.record_id FROM matching.membership a"
            " JOIN matching.membership b USING (entity_id) WHERE a.record_id < b.record_id"
            " ORDER BY hash(a.record_id) LIMIT 5"
        )
        parted = store.rows(
            "SELECT record_id_l, record_id_r FROM matching.pair"
            " JOIN matching.membership a ON a.record_id = record_id_l"
            " JOIN matching.membership b ON b.record_id = record_id_r"
            " WHERE a.entity_id <> b.entity_id AND match_weight > 0 ORDER BY ALL LIMIT 5"
        )
    assert len(joined) == len(parted) == 5
    for pair in joined:
        assert stocked.explain(*pair).reason.kind == "joined"
    for pair in parted:
        told = stocked.explain(*pair)
        assert told.reason.kind in {"parted", "contradiction"}
        assert told.evidence.weight > 0
