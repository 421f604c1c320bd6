"""Scores by declared rules: equal to a sum by hand, parts add up, missing is not zero."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.errors import DefinitionError, NotFoundError

DAY = date(2026, 6, 30)


@pytest.mark.capability(34)
def test_a_score_equals_the_sum_by_hand(business, given):
    found = {row["contact_id"]: row for row in business.insight.scores(as_of=DAY).to_dicts()}
    rules = business.insight.rules.score("lead").engagement
    for key in ("1", "2", "3"):
        for part, rule in rules.items():
            worth = []
            for row in given[rule.entity].to_dicts():
                kind = {"form": "form_submission"}.get(row["kind"], row["kind"])
                day = datetime.fromisoformat(row["occurred_at"]).date()
                if (
                    row["contact_key"] == key
                    and (not rule.what or kind in rule.what)
                    and day <= DAY
                ):
                    worth.append(rule.points * 0.5 ** ((DAY - day).days / rule.half_life_days))
            told = found[int(key)][part]
            if worth:
                assert float(told) == pytest.approx(min(sum(worth), rule.at_most), abs=0.005)
            else:
                assert told is None
    assert found[1]["decides"] == 20
    assert found[2]["decides"] == 0  # known, and not met
    assert found[4]["decides"] is None  # no job title: nothing is known


@pytest.mark.capability(34)
def test_parts_add_up_to_the_total_and_unknown_parts_are_counted(business):
    scores = business.insight.scores(as_of=DAY)
    parts = scores.drop("contact_id", "total", "unknown")
    for row, total, unknown in zip(parts.rows(), scores["total"], scores["unknown"], strict=True):
        known = [part for part in row if part is not None]
        assert total == (sum(known) if known else None)
        assert unknown == len(row) - len(known)
    assert scores.height == 6


def test_nobody_is_scored_for_what_happens_later(business):
    opened = {d: business.insight.scores(as_of=d).filter(contact_id=1)["opened"][0]
              for d in (date(2026, 5, 31), date(2026, 6, 1), date(2026, 7, 1))}  # fmt: skip
    assert opened[date(2026, 5, 31)] is None
    assert opened[date(2026, 6, 1)] == 1
    assert opened[date(2026, 7, 1)] == pl.Series(["0.50"]).cast(pl.Decimal(12, 2))[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("lifecycle_stage = 'churned'", "lifecycel_stage = 'churned'"), "lifecycel_stage"),
        (("company_name <> ''", "(SELECT count(*) FROM crm.deal) > 0"), "subquery"),
        (("entity: activity", "entity: activty"), "activty"),
        (("half_life_days: 14", "half_life: 14"), "half_life"),
    ],
)
def test_a_wrong_score_is_told_with_its_line(tmp_path, change, says):
    made = Project.create(tmp_path / "p")
    file = made.folder / "rules" / "scores" / "lead.yml"
    file.write_text(file.read_text().replace(*change))
    with pytest.raises(DefinitionError, match=says) as caught:
        Project.open(made.folder).insight.scores()
    assert caught.value.faults[0].line > 1


def test_a_score_that_is_not_there_is_named(business):
    with pytest.raises(NotFoundError, match="lead"):
        business.insight.scores("heat")
