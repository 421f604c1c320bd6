from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from crm_quality import Project

DAY = date(2024, 6, 30)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A project after two runs, the second with nothing new, and their summaries."""
    project = Project.create(tmp_path_factory.mktemp("audit") / "project")
    people = pl.DataFrame(
        {
            "source": ["web", "crm", "crm", "web"],
            "source_key": ["1", "2", "3", "4"],
            "first_name": ["Anna", "Anna", "Bruno", None],
            "last_name": ["Leclerc", "LECLERC", "Costa", None],
            "email": ["anna@nordlicht.example", "Anna@Nordlicht.example", "bruno at x.com", "n/a"],
            "phone": ["+4930901820", "030 901820", None, None],
            "country": ["DE", "Germany", "Portugal", None],
            "lead_source": ["PPC", "Google Ads", "Hearsay", None],
        }
    )
    runs = [project.run(people, as_of=DAY) for _ in range(2)]
    return project, [run.summary for run in runs]


def test_the_scorecard_says_what_the_run_said(done):
    project, (first, _) = done
    counts = project.audit(as_of=DAY).entity("contact").counts
    assert counts.received == first.records.received == 4
    assert counts.accepted == first.records.accepted
    assert counts.quarantined == first.records.quarantined == 1
    assert counts.golden == first.golden.total
    assert (counts.errors, counts.warnings, counts.infos) == (
        first.issues.error,
        first.issues.warning,
        first.issues.info,
    )


def test_raw_words_are_read_through_the_mapping_of_their_batch(done):
    project, _ = done
    (table,) = [
        t
        for t in project.audit(as_of=DAY).entity("contact").vocabularies
        if t.field == "lead_source"
    ]
    written = {line.value: {t.text for t in line.texts} for line in table.lines}
    assert written == {"paid_search": {"PPC", "Google Ads"}, None: {"Hearsay", None}}


def test_a_run_that_changed_nothing_leaves_the_figures_as_they_were(done):
    project, _ = done
    before, after = project.audit(as_of=DAY).entity("contact").history
    assert before.run_id < after.run_id
    assert (before.records, before.golden, before.issues, before.score) == (
        after.records,
        after.golden,
        after.issues,
        after.score,
    )
