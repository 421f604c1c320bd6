"""What a project has agreed on: the least scores, who belongs to which team, what things cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rapidfuzz import process

from crm_quality.audit.costs import COSTS
from crm_quality.audit.rulebook import Dimension
from crm_quality.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crm_quality.definitions import RuleSet


@dataclass(frozen=True)
class Terms:
    """The terms that a scorecard is made under.

    Attributes:
        targets: Figure → least value, 0 to 100: ``contact.score``, ``contact.completeness`` (or
            another dimension), ``contact.email.filled`` and ``contact.email.valid`` in percent.
        fail_under: Least overall score of every entity that has records; null = none.
        teams: Team → its people, as records name their ``owner`` and rules theirs.
        unit_costs: ``<entity>.<cost>`` → what one of them costs, in ``currency``.
        currency: Of the unit costs.
    """

    targets: Mapping[str, float] = field(default_factory=dict)
    fail_under: float | None = None
    teams: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unit_costs: Mapping[str, float] = field(default_factory=dict)
    currency: str = ""

    def faults(self, rules: RuleSet) -> Iterator[tuple[tuple[str, str], str, str]]:
        """Names of figures that do not exist under ``rules``.

        Yields:
            Where it stands (``targets`` or ``unit_costs``, then the name), what is wrong, a hint.
        """
        for key, given, known in (
            ("targets", self.targets, target_names(rules)),
            ("unit_costs", self.unit_costs, cost_names(rules)),
        ):
            for name in given:
                if name not in known:
                    near = process.extractOne(name, known)
                    hint = f"did you mean {near[0]!r}?" if near else ""
                    yield (key, name), f"there is no figure {name!r}", hint

    def check(self, rules: RuleSet) -> None:
        """Refuse names of figures that do not exist.

        Raises:
            UsageError: There are some; the nearest name is in the message.
        """
        found = [f"{key}: {what}; {hint}" for (key, _), what, hint in self.faults(rules)]
        if found:
            raise UsageError("\n".join(found))


def target_names(rules: RuleSet) -> list[str]:
    """Every figure that may have a target."""
    names = []
    for entity, definition in rules.entities.items():
        names += [f"{entity}.score", *(f"{entity}.{dimension.value}" for dimension in Dimension)]
        for name in definition.columns:
            names += [f"{entity}.{name}.filled", f"{entity}.{name}.valid"]
    return names


def cost_names(rules: RuleSet) -> list[str]:
    """Every figure that may have a unit cost."""
    customers = [name for name, definition in rules.entities.items() if definition.is_customer]
    return [f"{entity}.{cost}" for entity in customers for cost in COSTS]
