"""The first guess of what each pair is, from which training starts: plain rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crm_quality.definitions import MatchingDefinition
    from crm_quality.definitions.matching import Relation
    from crm_quality.match.levels import Comparison

    Floats = NDArray[np.float64]
    Gammas = NDArray[np.int8]

#: Comparisons that say little by themselves.
SLIGHT = frozenset({"region", "gender", "middle_name", "job_title", "legal_form"})


def start(
    gammas: Gammas, comparisons: Sequence[Comparison], definition: MatchingDefinition
) -> Floats:
    """First guess of the class of each vector, by plain rules: one row per vector, 0 or 1.

    Two personal agreements, no name that contradicts, and besides the names at least as much that
    agrees as that differs: the same. Else the first relation of
    which a ``start`` comparison agrees and no ``without`` comparison does. Else unrelated.
    """
    agree = {
        c.name: _degree(gammas[:, i], c.agrees(), missing=-1) for i, c in enumerate(comparisons)
    }
    nothing = np.zeros(len(gammas), dtype=bool)
    personal = sum(
        ((agree[n] == 2).astype(int) for n in definition.personal if n in agree),
        start=np.zeros(len(gammas), dtype=int),
    )
    against = nothing.copy()
    named = np.zeros(len(gammas), dtype=int)
    for name in definition.names:
        if name in agree:
            against |= agree[name] == 0
            named += agree[name] >= 1
    others = [n for n in agree if n not in definition.names and n not in SLIGHT]
    balance = sum(
        ((agree[n] == 2).astype(int) - (agree[n] == 0) for n in others),
        start=np.zeros(len(gammas), dtype=int),
    )
    held = [(~against & (personal >= 2) & (balance >= 0)) | (named + personal >= 5)]
    for relation in definition.relations.values():
        meets = nothing.copy()
        for name in relation.start:
            if name in agree:
                meets |= agree[name] == 2
        for name in relation.without:
            if name in agree:
                meets &= agree[name] <= 0
        held.append(meets)
    held.append(~nothing)
    chosen = np.argmax(np.stack(held, axis=1), axis=1)
    made: Floats = np.eye(len(held))[chosen]
    return made


def _degree(column: NDArray[np.int8], agrees: tuple[int, ...], missing: int) -> NDArray[np.int64]:
    table = np.array([missing, *agrees])
    found: NDArray[np.int64] = table[column.astype(np.int64) + 1]
    return found


def tells_apart(relation: Relation, definition: MatchingDefinition, names: Sequence[str]) -> bool:
    """Whether the records hold evidence in which pairs of a relation differ and the same agree.

    Two branches of one company differ in address and telephone. In a list of mere names nothing
    could tell them from one company, and what the relation explains would be left to chance.

    Args:
        relation: One of the relations.
        definition: Whose it is.
        names: The comparisons that the records have.
    """
    telling = {*definition.personal, *relation.without} - set(relation.shares)
    return not telling.isdisjoint(names)
