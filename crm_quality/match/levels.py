"""Comparison levels as SQL over two records' features, for Splink and for scoring without it.

A condition names columns of the features with ``_l`` and ``_r``; the first that holds is the pair's
level. The gamma of the last level is 0, of the first the greatest, of missing values −1, as in
Splink.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Level:
    """One degree of agreement.

    Attributes:
        name: What people see in explanations.
        condition: SQL; empty = everything that is left.
        agrees: 2 = the values mean the same, 1 = they are alike, 0 = they differ.
        equal: The column of the features that is equal, when that is all the condition asks: how
            often random pairs show it is then counted, not sampled. A list column is equal when it
            shares an element; of ``a*b``, the product of how often a is b and b is a is taken.
        rarity: Frequency class of the value; null = any.
        shared: What agrees is of a group, the mailbox of a function, so it is no personal evidence.
    """

    name: str
    condition: str
    agrees: int
    equal: str = ""
    rarity: int | None = None
    shared: bool = False


@dataclass(frozen=True)
class Comparison:
    """How one kind of evidence is compared.

    Attributes:
        name: Its name in models, definitions and explanations.
        needs: Columns of the features; the comparison is dropped when one of them is absent.
        told_by: Columns of which one must be filled on both sides, or nothing can be compared.
        levels: From the strongest agreement to "everything else".
        untold: SQL that holds when there is nothing to compare all the same; empty = never.
        weakening: Names of levels of which each proves no more than the one before, by what they
            ask: training holds their likelihood ratios in that order.
    """

    name: str
    needs: tuple[str, ...]
    told_by: tuple[str, ...]
    levels: tuple[Level, ...]
    untold: str = ""
    weakening: tuple[str, ...] = ()

    @property
    def gamma(self) -> str:
        """Name of its column in comparison vectors."""
        return f"gamma_{self.name}"

    @property
    def missing(self) -> str:
        """SQL that holds when there is nothing to compare."""
        nowhere = " AND ".join(f"({name}_l IS NULL OR {name}_r IS NULL)" for name in self.told_by)
        return f"({nowhere}) OR ({self.untold})" if self.untold else nowhere

    def names(self) -> tuple[str, ...]:
        """Level names by gamma, from 0 upwards."""
        return tuple(level.name for level in reversed(self.levels))

    def agrees(self) -> tuple[int, ...]:
        """How far each level agrees, by gamma, from 0 upwards."""
        return tuple(level.agrees for level in reversed(self.levels))

    def rarities(self) -> tuple[int | None, ...]:
        """Frequency class of each level, by gamma; null = any."""
        return tuple(level.rarity for level in reversed(self.levels))

    def sql(self) -> str:
        """The gamma of a pair as one SQL expression."""
        top = len(self.levels) - 1
        cases = " ".join(
            f"WHEN {level.condition} THEN {top - place}"
            for place, level in enumerate(self.levels[:-1])
        )
        return f"CASE WHEN {self.missing} THEN -1 {cases} ELSE 0 END"

    def to_splink(
        self, u: Sequence[float] | None = None, m: Sequence[float] | None = None
    ) -> dict[str, Any]:
        """The comparison as Splink settings; ``u`` and ``m`` by gamma, from 0 upwards."""
        top = len(self.levels) - 1
        levels: list[dict[str, Any]] = [
            {"sql_condition": self.missing, "label_for_charts": "missing", "is_null_level": True}
        ]
        for place, level in enumerate(self.levels):
            made: dict[str, Any] = {
                "sql_condition": level.condition or "ELSE",
                "label_for_charts": level.name,
            }
            if m is not None:
                made["m_probability"] = m[top - place]
            if u is not None:
                made["u_probability"] = u[top - place]
            levels.append(made)
        return {"output_column_name": self.name, "comparison_levels": levels}


#: Names of the frequency classes, the most common first; see `frequency.STEPS`.
RARITIES = ("1 in 64", "1 in 250", "1 in 1,000", "1 in 4,000", "1 in 16,000", "rarer")


def exact(column: str, kind: str = "same") -> tuple[Level, ...]:
    """Equal values, split by how common they are; the rarest first.

    A value may be rare in one region and common in another: then it counts as common.
    """
    equal = f"{column}_l = {column}_r"
    return tuple(
        Level(
            f"{kind}, {RARITIES[rarity]}",
            f"{equal} AND least({column}_f_l, {column}_f_r) = {rarity}" if rarity else equal,
            2,
            column,
            rarity,
        )
        for rarity in reversed(range(len(RARITIES)))
    )


def alike(left: str, right: str, similarity: float) -> str:
    """SQL: Jaro–Winkler similarity of at least ``similarity`` (Winkler 1990)."""
    return f"jaro_winkler_similarity({left}, {right}) >= {similarity}"


def edits(left: str, right: str, most: int, least_length: int = 1) -> str:
    """SQL: at most ``most`` edits apart (Damerau–Levenshtein), in texts that are long enough.

    In longer texts the Jaro similarity goes first: it is a hundred times faster, and one edit in
    five letters or two in seven leave it above the bound.
    """
    alike_enough = {1: 0.77, 2: 0.72}.get(most, 0.7)
    within = (
        f"abs(length({left}) - length({right})) <= {most} "
        f"AND (length({left}) < 5 OR jaro_similarity({left}, {right}) >= {alike_enough}) "
        f"AND damerau_levenshtein({left}, {right}) <= {most}"
    )
    if least_length <= 1:
        return within
    return f"greatest(length({left}), length({right})) >= {least_length} AND {within}"


def usable(comparisons: Iterable[Comparison], columns: Iterable[str]) -> tuple[Comparison, ...]:
    """Those comparisons whose columns are there."""
    known = set(columns)
    return tuple(c for c in comparisons if known.issuperset(c.needs))


ELSE = Level("different", "", 0)
