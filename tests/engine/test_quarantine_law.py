"""Whatever is done, in whatever order: received = accepted + quarantined, and all counts agree."""

import shutil
import tempfile
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_quality import Project
from crm_quality.errors import NotFoundError, RefusedError
from crm_quality.store import verify_trail

DAY = date(2026, 3, 1)
FIELDS = ("last_name", "email", "job_title")
#: What a source may say of a record: fine, nobody, nobody with an address that cannot be read.
CONTENTS = [
    {"last_name": "Tran", "job_title": "CEO"},
    {"last_name": "Okafor"},
    {"job_title": "CEO"},
    {"job_title": "CFO", "email": "mia at harbour"},
]

key = st.sampled_from(["1", "2", "3"])
row = st.tuples(key, st.sampled_from(range(len(CONTENTS))))
operation = st.one_of(
    st.tuples(st.just("run"), st.lists(row, max_size=4)),
    st.tuples(st.just("fix"), key, st.sampled_from(["Lee", "", "n/a"])),
    st.tuples(st.just("release")),
    st.tuples(st.just("waive"), key, st.integers(0, 2)),
    st.tuples(st.just("withdraw"), key),
    st.tuples(st.just("night")),
)


def frame(rows):
    records = [
        {"source": "crm", "source_key": key, **dict.fromkeys(FIELDS), **CONTENTS[content]}
        for key, content in rows
    ]
    return pl.DataFrame(records, schema=dict.fromkeys(("source", "source_key", *FIELDS), pl.String))


def do(project, step, day):
    verb, *told = step
    quarantine = project.quarantine
    try:
        if verb == "run":
            data = [frame(told[0])] if told[0] else []
            counts = project.run(*data, as_of=day).summary.records
            assert counts.received == len(told[0])
            assert counts.received == counts.accepted + counts.quarantined + counts.suppressed
        elif verb == "fix":
            quarantine.fix(f"crm:{told[0]}", {"last_name": told[1]}, reason="law", as_of=day)
        elif verb == "release":
            quarantine.release(as_of=day)
        elif verb == "waive":
            until = day + timedelta(days=told[1])
            quarantine.waive(f"crm:{told[0]}", until=until, reason="law", as_of=day)
        elif verb == "withdraw":
            quarantine.withdraw_waiver(f"crm:{told[0]}", reason="law", as_of=day)
    except (NotFoundError, RefusedError):
        # no such record, or nothing to decide about it: nothing was written
        return


def check(project):
    crosswalk = project.crosswalk()
    by_status = dict(crosswalk.group_by("status").len().iter_rows())
    assert set(by_status) <= {"accepted", "quarantined"}
    waiting = project.quarantine.waiting()
    assert waiting["record_id"].is_unique().all()
    unaccepted = crosswalk.filter(pl.col("status") == "quarantined")["record_id"]
    assert set(waiting.filter(~pl.col("in_force"))["record_id"]) == set(unaccepted)
    assert waiting["rules"].list.len().min() in (None, 1, 2)
    assert project.export("quarantine")["record_id"].to_list() == sorted(waiting["record_id"])
    assert project.golden("contact")["records"].sum() == by_status.get("accepted", 0)
    return crosswalk, waiting


@pytest.mark.slow
@given(st.lists(operation, min_size=3, max_size=7))
@settings(max_examples=5, suppress_health_check=list(HealthCheck))
def test_every_record_is_accepted_or_waits_and_every_report_counts_alike(template, steps):
    day = DAY
    with tempfile.TemporaryDirectory() as folder:
        project = Project.open(shutil.copytree(template, Path(folder) / "project"))
        do(project, ("run", [("1", 2), ("2", 0), ("3", 3)]), day)
        for step in steps:
            day += timedelta(days=step[0] == "night")
            do(project, step, day)
            crosswalk, waiting = check(project)
        last = project.run(as_of=day).summary
        crosswalk, waiting = check(project)
        assert last.waiting == waiting.height
        counts = project.audit(as_of=day).entity("contact").counts
        assert counts.received == crosswalk.height == counts.accepted + counts.quarantined
        assert counts.quarantined + counts.waiting == waiting.height
        with project.store() as store:
            assert verify_trail(store) == []
