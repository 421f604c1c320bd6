"""One record against many, by the SQL that the batch uses, planned once.

Planning the levels of all comparisons takes DuckDB ten times as long as evaluating them for a few
hundred pairs. So the statement is prepared once, over two Arrow streams that give, each time it
is executed, the records of the moment.
"""

from __future__ import annotations

import re
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from crm_quality.duck import connect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from crm_quality.match.levels import Comparison

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
        sql = {c.gamma: c.sql() for c in self.comparisons}
        read = {name for text in sql.values() for name in _SIDED.findall(text)}
        self.columns = tuple(name for name in features.columns if name in read)
        nobody = features.select(self.columns).clear()
        self._one, self._others = _Stream(nobody), _Stream(nobody.with_row_index("place"))
        self._lock = Lock()
        self._connection = connect()
        if self.columns:
            self._prepare(sql)

    def _prepare(self, sql: Mapping[str, str]) -> None:
        self._connection.execute("SET threads = 1")
        self._connection.register("one", self._one)
        self._connection.register("others", self._others)
        sides = ", ".join(
            f'{side}."{name}" AS "{name}_{side}"' for side in "lr" for name in self.columns
        )
        gammas = ", ".join(f'({text})::TINYINT AS "{gamma}"' for gamma, text in sql.items())
        self._connection.execute(
            f"PREPARE vectors AS SELECT place, {gammas} FROM "  # noqa: S608 - own names
            f"(SELECT l.place, {sides} FROM others l, one r)"
        ).fetchall()

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
        if others.is_empty() or not self.columns:
            return np.empty((others.height, len(self.comparisons)), dtype=np.int8)
        with self._lock:
            self._one.frame = one.select(self.columns)
            self._others.frame = others.select(self.columns).with_row_index("place")
            found = self._connection.execute("EXECUTE vectors").fetchnumpy()
        made = np.stack([np.asarray(found[c.gamma]) for c in self.comparisons], axis=1)
        return made[np.argsort(found["place"], kind="stable")]

    def close(self) -> None:
        """Give the memory back."""
        if self.columns:
            self._connection.unregister("one")
            self._connection.unregister("others")
        self._connection.close()
