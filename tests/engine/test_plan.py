"""What a run would do, and the limits that stop one."""

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.errors import LimitError


def limited(project, **limits):
    """The project with such limits in its crmq.yml."""
    config = project.folder / "crmq.yml"
    text = config.read_text()
    head = text[: text.index("limits:")]
    told = "\n".join(f"  {name}: {value}" for name, value in limits.items())
    config.write_text(f"{head}limits:\n{told}\n")
    return Project.open(project.folder)


def people(count, **columns):
    numbers = range(count)
    return pl.DataFrame(
        {
            "source": ["crm"] * count,
            "source_key": [str(n) for n in numbers],
            "first_name": [f"Ann{chr(97 + n)}" for n in numbers],
            "last_name": ["Leclerc"] * count,
            "email": [f"a{n}@quay.example" for n in numbers],
            **columns,
        }
    )


def rows_in(project):
    with project.store() as store:
        tables = store.rows("SELECT schema_name || '.' || table_name FROM duckdb_tables()")
        return {name: store.value(f"SELECT count(*) FROM {name}") for (name,) in tables}


def test_a_plan_is_what_the_run_does_and_writes_nothing(unmatched):
    unmatched.run(people(3))
    before = rows_in(unmatched)
    files = sorted(unmatched.folder.rglob("*"))
    more = people(5, city=["Oslo"] * 5)
    planned = unmatched.plan(more)
    assert rows_in(unmatched) == before
    assert sorted(unmatched.folder.rglob("*")) == files
    told = planned.to_dict()
    assert told["run_id"] is None
    assert planned.records.rows() == [("contact", "accepted", 3, 5)]
    done = unmatched.run(more).summary
    for part in ("records", "issues", "match", "golden", "waiting"):
        assert told[part] == done.model_dump()[part]


def test_a_plan_lists_merges(unmatched):
    unmatched.run(people(4))
    unmatched.review.decide("crm:0", "crm:2", "same", "x", apply=False)
    planned = unmatched.plan(people(5))
    assert planned.merges.select("entity_id", "former_id").rows() == [(1, 3)]
    assert planned.splits.is_empty()


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"merged_share": 0.2, "customers_from": 4}, "1 customers would be merged into others"),
        ({"vanished_share": 0, "merged_share": 1, "customers_from": 4}, "would be no more"),
        ({"changed_share": 0, "merged_share": 1, "customers_from": 4}, "would change, of 4"),
        ({"quarantined_share": 0.1, "received_from": 1}, "1 of the 1 rows would be quarantined"),
    ],
)
def test_a_limit_stops_a_run_before_anything_is_stored(unmatched, limits, told):
    unmatched.run(people(4))
    project = limited(unmatched, **limits)
    project.review.decide("crm:0", "crm:2", "same", "x", apply=False)
    row = (
        people(1)
        .with_columns(
            source_key=pl.lit("1"), last_name=pl.lit(None, pl.String), email=pl.lit("at quay")
        )
        .drop("first_name")
    )
    if "changed_share" in limits or "quarantined_share" not in limits:
        row = people(2).filter(source_key="1").with_columns(last_name=pl.lit("Berg"))
    before = rows_in(project)
    with pytest.raises(LimitError, match=told) as stopped:
        project.run(row)
    assert f"limits: {next(iter(limits))}" in str(stopped.value)
    assert rows_in(project) == before
    planned = project.plan(row)
    assert any(told in message for message in planned.exceeded)


def test_a_first_run_exceeds_no_limit_on_customers(unmatched):
    strict = {"merged_share": 0, "split_share": 0, "vanished_share": 0, "changed_share": 0}
    project = limited(unmatched, **strict, customers_from=0)
    assert project.run(people(3)).summary.golden.created == 3
