"""How each check ended, and the counts that must add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import Severity
from crm_quality.validate.rule import Rule, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.definitions.rules import Limits

#: Columns of a frame of checks; ``records`` are those it spoke of, ``failing`` of those.
CHECKS = pl.Schema(
    {
        "entity": pl.String(),
        "field": pl.String(),
        "rule": pl.String(),
        "title": pl.String(),
        "owner": pl.String(),
        "severity": pl.String(),
        "scope": pl.String(),
        "status": pl.String(),
        "records": pl.Int64(),
        "failing": pl.Int64(),
        "detail": pl.String(),
    }
)


@dataclass(frozen=True)
class Outcome:
    """How one check ended.

    Attributes:
        rule: The rule.
        status: How it ended.
        records: Records it spoke of.
        failing: How many of them broke it.
        detail: Why it was skipped, could not be carried out, or failed by its limits.
    """

    rule: Rule
    status: Status
    records: int
    failing: int
    detail: str = ""


def outcome(
    rule: Rule,
    records: int,
    failing: int,
    error: str = "",
    segments: pl.DataFrame | None = None,
) -> Outcome:
    """How a check ended, by its severity and limits.

    Args:
        rule: The rule.
        records: How many records it spoke of.
        failing: How many of them broke it.
        error: Why it could not be carried out.
        segments: For limits by segment: ``segment``, ``records``, ``failing``.

    Returns:
        The outcome; ``skipped`` when it spoke of no record.
    """
    if error:
        return Outcome(rule, Status.ERRORED, 0, 0, error)
    if records == 0 and failing == 0:
        return Outcome(rule, Status.SKIPPED, 0, 0, "there was nothing to check")
    if failing == 0:
        return Outcome(rule, Status.PASSED, records, 0)
    status = Status.FAILED if rule.severity is Severity.ERROR else Status.WARNED
    if rule.limits is None:
        return Outcome(rule, status, records, failing)
    if segments is None:
        segments = pl.DataFrame({"segment": [None], "records": [records], "failing": [failing]})
    return Outcome(rule, *_limited(rule.limits, status, segments, (records, failing)))


def not_carried_out(checks: pl.DataFrame) -> list[str]:
    """One sentence for each check that could not be carried out, with the reason."""
    errored = checks.filter(status=Status.ERRORED.value)
    return [
        f"{rule} could not be carried out: {detail}"
        for rule, detail in errored.select("rule", "detail").iter_rows()
    ]


def by_segment(
    rule: Rule, frame: pl.DataFrame, applies: pl.Expr, fails: pl.Expr
) -> pl.DataFrame | None:
    """Records and failures by the value that the rule's limits count by.

    Args:
        rule: The rule.
        frame: The frame that is checked.
        applies: Rows that the rule speaks of.
        fails: Rows that break it.

    Returns:
        ``segment``, ``records``, ``failing``; null when the limits count over all.
    """
    by = rule.limits.by if rule.limits is not None else None
    if by is None or by not in frame.columns:
        return None
    segment = pl.col(by).cast(pl.String).alias("segment")
    return (
        frame.select(segment, applies.alias("records"), fails.alias("failing"))
        .group_by("segment", maintain_order=True)
        .agg(pl.col("records").sum(), pl.col("failing").sum())
        .filter(pl.col("records") > 0)
    )


def _limited(
    limits: Limits, status: Status, segments: pl.DataFrame, counts: tuple[int, int]
) -> tuple[Status, int, int, str]:
    """The status that the worst segment gives, the counts, and which segment it was."""
    worst = segments.sort(pl.col("failing") / pl.col("records"), descending=True)
    above = _beyond(worst, limits.fail_above)
    if above is not None:
        return Status.FAILED, *counts, f"more than {limits.fail_above} fail{above}"
    if limits.pass_up_to is None:
        return status, *counts, ""
    beyond = _beyond(worst, limits.pass_up_to)
    if beyond is None:
        return Status.PASSED, *counts, f"no more than {limits.pass_up_to} fail"
    return status, *counts, f"more than {limits.pass_up_to} fail{beyond}"


def _beyond(segments: pl.DataFrame, allowance: str | None) -> str | None:
    """Where more records fail than allowed: the worst segment in words, null = nowhere."""
    if allowance is None:
        return None
    if allowance.endswith("%"):
        allowed = pl.col("records") * (float(allowance[:-1]) / 100)
    else:
        allowed = pl.lit(float(allowance))
    found = segments.filter(pl.col("failing") > allowed)["segment"]
    if found.is_empty():
        return None
    return "" if found[0] is None else f" where it is {found[0]!r}"


def checks_frame(outcomes: Sequence[Outcome]) -> pl.DataFrame:
    """One row per check, columns as in `CHECKS`, in the order given."""
    rows = [
        (
            one.rule.entity,
            one.rule.field,
            one.rule.code,
            one.rule.title,
            one.rule.owner,
            one.rule.severity.value,
            one.rule.scope,
            one.status.value,
            one.records,
            one.failing,
            one.detail or None,
        )
        for one in outcomes
    ]
    return pl.DataFrame(rows, schema=CHECKS, orient="row")
