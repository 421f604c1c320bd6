"""What poor data costs, each as a count with its formula and its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crm_quality.audit.card import Cost, share
from crm_quality.audit.drill import golden_rows, group_rows, surplus_rows, text_literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crm_quality.audit.population import Population

#: Everything that is counted, in the order of reports.
COSTS = (
    "split", "double_sends", "contradicted_opt_outs", "inflated_pipeline", "unreachable",
    "unattributed", "unattended",
)  # fmt: skip
#: Stages whose records are counted as pipeline or customers, and as what.
_PIPELINE = ("sql", "opportunity")
_STAGES_WITH_AN_OWNER = ("sql", "opportunity", "customer")
_MAILABLE = "v.email IS NOT NULL AND v.email_opt_out IS NOT TRUE"


@dataclass(frozen=True)
class _Words:
    title: str
    unit: str
    meaning: str
    formula: str


def costs(
    population: Population, noun: str, unit_costs: Mapping[str, float] | None = None
) -> tuple[Cost, ...]:
    """Everything that can be counted for this entity; what costs nothing is counted too.

    Args:
        population: One entity's records.
        noun: What a golden record stands for, plural.
        unit_costs: ``<entity>.<cost>`` → what one of them costs.
    """
    found = [
        *_split(population, noun),
        *_double_sends(population, noun),
        *_contradicted(population, noun),
        *_inflated(population, noun),
        *_unreachable(population, noun),
        *_unattributed(population, noun),
        *_unattended(population, noun),
    ]
    entity = population.definition.entity
    return tuple(
        _priced(cost, (unit_costs or {}).get(f"{entity}.{cost.cost}"))
        for cost in found
        if cost.total
    )


def _priced(cost: Cost, unit_cost: float | None) -> Cost:
    if unit_cost is None:
        return cost
    return replace(cost, unit_cost=unit_cost, amount=cost.count * unit_cost)


def _split(population: Population, noun: str) -> Iterator[Cost]:
    rows = population.rows(
        f"SELECT count(*) FILTER (records > 1), count(*) FROM {population.golden}"  # noqa: S608
        " WHERE $entity IS NOT NULL"
    )
    words = _Words(
        f"Split {noun}",
        noun,
        "Their history lies in several records: nobody who opens one of them sees it whole.",
        "golden records with more than one live record / golden records",
    )
    yield _cost("split", words, rows[0], golden_rows(population, "records > 1"))


def _double_sends(population: Population, noun: str) -> Iterator[Cost]:
    if not population.has("email", "email_opt_out"):
        return
    rows = population.rows("""
        SELECT count(*) - count(DISTINCT entity_id), count(*) FROM member
        WHERE email IS NOT NULL AND email_opt_out IS NOT TRUE
    """)
    words = _Words(
        "Double sends",
        "e-mails per mailing",
        "A mailing to every record reaches the same person again: wasted, and annoying.",
        f"records with an e-mail address and no opt-out - {noun} among them; of all such records",
    )
    yield _cost("double_sends", words, rows[0], surplus_rows(population, _MAILABLE))


def _contradicted(population: Population, noun: str) -> Iterator[Cost]:
    if not population.has("email", "email_opt_out"):
        return
    rows = population.rows("""
        SELECT count(*) FILTER (opted_out AND mailable), count(*) FILTER (opted_out) FROM (
            SELECT bool_or(email_opt_out IS TRUE) AS opted_out,
                   bool_or(email IS NOT NULL AND email_opt_out IS NOT TRUE) AS mailable
            FROM member GROUP BY entity_id
        )
    """)
    words = _Words(
        "Opt-outs that another record forgets",
        noun,
        "They said no in one system and would still be mailed from another: a legal risk.",
        f"{noun} with an opt-out on one record and an e-mail address without one on another "
        f"/ {noun} with an opt-out",
    )
    condition = f"bool_or(v.email_opt_out IS TRUE) AND bool_or({_MAILABLE})"
    yield _cost("contradicted_opt_outs", words, rows[0], group_rows(population, condition))


def _inflated(population: Population, noun: str) -> Iterator[Cost]:
    if not population.has("lifecycle_stage"):
        return
    rows = population.rows(
        """
        SELECT count(*) - count(DISTINCT entity_id), count(*) FROM member
        WHERE lifecycle_stage IN (SELECT unnest($stages))
        """,
        stages=list(_PIPELINE),
    )
    words = _Words(
        "Inflated pipeline",
        "records",
        "Counted twice in every pipeline report: the forecast is too good by as much.",
        f"records at the stages {' and '.join(_PIPELINE)} - {noun} among them; of such records",
    )
    condition = f"lifecycle_stage IN ({', '.join(map(text_literal, _PIPELINE))})"
    yield _cost("inflated_pipeline", words, rows[0], surplus_rows(population, condition))


def _unreachable(population: Population, noun: str) -> Iterator[Cost]:
    ways = ("email", "other_emails", "phone", "mobile", "other_phones")
    known = [name for name in ways if name in population.fields]
    if not known:
        return
    condition = " AND ".join(f"NOT ({population.filled(name)})" for name in known)
    words = _Words(
        f"Unreachable {noun}",
        noun,
        "No e-mail address and no phone number in any of their records.",
        "golden records without e-mail address and phone number / golden records",
    )
    yield from _of_golden(population, "unreachable", words, condition)


def _unattributed(population: Population, noun: str) -> Iterator[Cost]:
    if not population.has("lead_source"):
        return
    words = _Words(
        f"{noun.capitalize()} of unknown origin",
        noun,
        "Nobody can say which channel brought them, so no channel is credited.",
        "golden records without a lead source / golden records",
    )
    yield from _of_golden(population, "unattributed", words, "lead_source IS NULL")


def _unattended(population: Population, noun: str) -> Iterator[Cost]:
    if not population.has("owner", "lifecycle_stage"):
        return
    stages = ", ".join(map(text_literal, _STAGES_WITH_AN_OWNER))
    advanced = f"lifecycle_stage IN ({stages})"
    rows = population.rows(
        f"SELECT count(*) FILTER (owner IS NULL), count(*) FROM {population.golden}"  # noqa: S608
        f" WHERE $entity IS NOT NULL AND {advanced}"
    )
    words = _Words(
        f"{noun.capitalize()} nobody looks after",
        noun,
        "Ready to buy, or customers already, and without an owner.",
        f"golden records at the stages {', '.join(_STAGES_WITH_AN_OWNER)} without an owner "
        "/ golden records at these stages",
    )
    condition = f"{advanced} AND owner IS NULL"
    yield _cost("unattended", words, rows[0], golden_rows(population, condition))


def _of_golden(population: Population, name: str, words: _Words, condition: str) -> Iterator[Cost]:
    rows = population.rows(
        f"SELECT count(*) FILTER ({condition}), count(*) FROM {population.golden}"  # noqa: S608
        " WHERE $entity IS NOT NULL"
    )
    yield _cost(name, words, rows[0], golden_rows(population, condition))


def _cost(name: str, words: _Words, counted: tuple[int, int], rows: str) -> Cost:
    count, total = counted
    return Cost(
        cost=name,
        title=words.title,
        count=count,
        total=total,
        share=share(count, total),
        unit=words.unit,
        meaning=words.meaning,
        formula=words.formula,
        rows=rows,
    )
