"""What a person thought of 200 issues and 100 rows without any; see judged/README.md."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from crm_quality.definitions import default_rules
from crm_quality.engine.check import Reading, check

JUDGED = Path(__file__).parent / "judged"
MAPPINGS = Path(__file__).resolve().parents[2] / "benchmarks" / "mappings"
FILES = sorted(file.stem for file in JUDGED.glob("*.csv") if file.stem != "verdicts")


@pytest.fixture(scope="module")
def verdicts():
    return pl.read_csv(JUDGED / "verdicts.csv", infer_schema=False)


@pytest.fixture(scope="module")
def told():
    """(file, source key, rule) of every issue."""
    found = set()
    for name in FILES:
        reading = Reading(MAPPINGS / f"kanoniv_{name}.yml")
        run = check(default_rules(), [JUDGED / f"{name}.csv"], reading, as_of=date(2026, 3, 15))
        found |= {(name, *row) for row in run.issues.select("source_key", "rule").iter_rows()}
    return found


def test_every_verdict_on_an_issue_holds(verdicts, told):
    about_rules = verdicts.filter(pl.col("rule").is_not_null())
    wrong = [
        row
        for row in about_rules.iter_rows(named=True)
        if ((row["file"], row["source_key"], row["rule"]) in told) != (row["raised"] == "yes")
    ]
    assert wrong == []


def test_rows_that_a_person_found_nothing_wrong_with_have_no_issue(verdicts, told):
    sound = verdicts.filter(verdict="no fault").select("file", "source_key").rows()
    accused = [issue for issue in told if issue[:2] in set(sound)]
    assert len(sound) == 90
    assert accused == []


def test_of_the_issues_told_now_all_but_two_are_worth_a_look(verdicts):
    issues = verdicts.filter(part="issue")
    assert issues.height == 200
    alarms = issues.filter(verdict="false alarm", raised="yes")
    assert alarms["rule"].to_list() == ["contact.name.repeated"] * 2


def test_every_verdict_has_its_row_and_its_reason(verdicts):
    keys = {
        (name, key)
        for name in FILES
        for key in pl.read_csv(JUDGED / f"{name}.csv", infer_schema=False).to_series()
    }
    assert set(verdicts.select("file", "source_key").iter_rows()) == keys
    assert verdicts.filter(verdict="no fault")["reason"].null_count() == 90
    assert verdicts.filter(pl.col("verdict") != "no fault")["reason"].null_count() == 0
