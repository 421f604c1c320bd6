"""The store in a few plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.audit.card import Cost, Counts, IssueLine

_NOUNS = {
    "contact": ("Contacts", "customer", "customers"),
    "company": ("Companies", "company", "companies"),
}
_RARELY = 0.01
_NO_CENTS = 1000


def title_of(entity: str) -> str:
    """The records of an entity in words."""
    return _words(entity)[0]


def nouns_of(entity: str) -> tuple[str, str]:
    """What a golden record stands for, one and many."""
    _, one, many = _words(entity)
    return one, many


def _words(entity: str) -> tuple[str, str, str]:
    word = entity.replace("_", " ")
    return _NOUNS.get(entity, (f"{word.capitalize()}s", word, f"{word}s"))


def percent(part: float | None) -> str:
    """A share as people say it; a small one is not zero and a large one is not all."""
    if part is None:
        return "-"
    if 0 < part < _RARELY:
        return "less than 1%"
    if 1 - _RARELY < part < 1:
        return "more than 99%"
    return f"{part:.0%}"


def money(amount: float | None, currency: str) -> str:
    """An amount with its currency; cents where they matter."""
    if amount is None:
        return "-"
    return f"{amount:,.{0 if amount >= _NO_CENTS else 2}f} {currency}".rstrip()


def headline(counts: Counts, noun: str, *, is_customer: bool = True) -> str:
    """The one sentence a manager should remember."""
    if not counts.accepted:
        return f"No record was accepted: {counts.quarantined:,} wait in quarantine."
    if not is_customer:
        return f"{counts.accepted:,} {noun} are in force."
    return f"{counts.golden:,} {noun} stand behind {counts.accepted:,} records."


def remarks(
    counts: Counts,
    issues: Sequence[IssueLine],
    costs: Sequence[Cost],
    noun: str,
    *,
    is_customer: bool = True,
) -> tuple[str, ...]:
    """What to know besides, the most important first."""
    said = []
    if counts.accepted and is_customer:
        said.append(
            f"{percent(counts.duplicate_share)} of the records were duplicates"
            f" ({counts.duplicates:,})."
            if counts.duplicates
            else "No duplicates were found."
        )
    if counts.quarantined:
        wait = "waits" if counts.quarantined == 1 else "wait"
        said.append(f"{counts.quarantined:,} {wait} in quarantine for a steward.")
    if counts.unplaced:
        said.append(f"Of {counts.unplaced:,} the customer is not known.")
    costly = {cost.cost: cost for cost in costs if cost.count}
    if forgotten := costly.get("contradicted_opt_outs"):
        said.append(
            f"{forgotten.count:,} {noun} said no to e-mail in one system and would still be "
            "mailed from another."
        )
    if double := costly.get("double_sends"):
        said.append(f"Every mailing would send {double.count:,} e-mails too many.")
    wrong = [line for line in issues if line.severity != "info"]
    if wrong:
        most = max(wrong, key=lambda line: line.records)
        records = f"{most.records:,} record{'s' * (most.records != 1)}"
        said.append(f"Most frequent fault: {_lower(most.fault)} ({records}).")
    return tuple(said)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
