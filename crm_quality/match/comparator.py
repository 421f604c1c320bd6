"""One record against many, by the SQL that the batch uses, planned once.

Planning the levels of all comparisons takes DuckDB ten times as long as evaluating them for a few
hundred pairs. So a statement is prepared once, over two Arrow streams that give, each time it is
executed, the records of the moment. To make a statement ready takes longer than its work, by what
it compares, and a half-typed record has few things to compare: so there is a statement for each
set of them.
"""

from __future__ import annotations

import re
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from crm_quality.duck import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from crm_quality.match.levels import Comparison

#: The gamma of a comparison that has nothing to compare.
NOTHING = -1

_SIDED = re.compile(r"\b(\w+)_[lr]\b")


class _Stream:
    """A table of DuckDB whose rows are those of ``frame`` when a statement is executed."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:  # noqa: ANN401 - a capsule
        return self.frame.__arrow_c_stream__(requested_schema)


class Comparator:
    """Comparison vectors of one record with others; safe to share between threads.

    Attributes:
        comparisons: What is compared.
        columns: Columns of the features that the comparisons read.
    """

    def __init__(self, comparisons: Sequence[Comparison], features: pl.DataFrame) -> None:
        self.comparisons = tuple(comparisons)
        self._sql = {c.gamma: f"({c.sql()})::TINYINT" for c in self.comparisons}
        read = {name for text in self._sql.values() for name in _SIDED.findall(text)}
        self.columns = tuple(name for name in features.columns if name in read)
        nobody = features.select(self.columns).clear()
        self._one = _Stream(nobody.with_row_index("place"))
        self._others = _Stream(nobody.with_row_index("place"))
        self._lock = Lock()
        self._connection = connect()
        self._connection.execute("SET threads = 1")
        self._connection.register("one", self._one)
        self._connection.register("others", self._others)
        self._prepared: dict[tuple[str, ...], str] = {}

    def _statement(self, gammas: tuple[str, ...]) -> str:
        """The statement that gives ``gammas``, prepared when it is first asked for."""
        if gammas not in self._prepared:
            name = f"vectors_{len(self._prepared)}"
            sides = ", ".join(
                f'{side}."{name}" AS "{name}_{side}"' for side in "lr" for name in self.columns
            )
            asked = ", ".join(f'{self._sql[gamma]} AS "{gamma}"' for gamma in gammas)
            self._connection.execute(
                f"PREPARE {name} AS SELECT place, {asked} FROM "  # noqa: S608 - own names
                f"(SELECT l.place, {sides} FROM others l, one r)"
            ).fetchall()
            self._prepared[gammas] = f"EXECUTE {name}"
        return self._prepared[gammas]

    def vectors(self, one: pl.DataFrame, others: pl.DataFrame) -> NDArray[np.int8]:
        """The gammas of each of ``others`` with ``one``.

        A level may look at one side only, so the sides matter: in a batch the later record is on
        the right, and so is ``one``.

        Args:
            one: Features of one record.
            others: Features of others, each an earlier record.

        Returns:
            One row for each of ``others``, in their order, one column for each comparison; −1 =
            nothing to compare.
        """
        made = np.full((others.height, len(self.comparisons)), NOTHING, dtype=np.int8)
        filled = {name for name in self.columns if one[name].null_count() == 0}
        told = [n for n, c in enumerate(self.comparisons) if not filled.isdisjoint(c.told_by)]
        if others.is_empty() or not told:
            return made
        gammas = tuple(self.comparisons[number].gamma for number in told)
        with self._lock:
            self._one.frame = one.select(self.columns).with_row_index("place")
            self._others.frame = others.select(self.columns).with_row_index("place")
            found = self._connection.execute(self._statement(gammas)).fetchnumpy()
        made[np.asarray(found["place"])[:, None], told] = np.stack(
            [np.asarray(found[gamma]) for gamma in gammas], axis=1
        )
        return made

    def close(self) -> None:
        """Give the memory back."""
        self._connection.unregister("one")
        self._connection.unregister("others")
        self._connection.close()
