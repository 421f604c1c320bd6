"""What a run did, in numbers: the object that ``crmq run --format json`` prints."""

from __future__ import annotations

import resource
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl

SCHEMA_VERSION = 1


class RecordCounts(BaseModel):
    """Counts of input rows; received = accepted + quarantined + suppressed."""

    received: int = 0
    accepted: int = 0
    quarantined: int = 0
    suppressed: int = 0
    unchanged: int = 0


class IssueCounts(BaseModel):
    """Issues by severity."""

    error: int = 0
    warning: int = 0
    info: int = 0


def counted(issues: pl.DataFrame) -> IssueCounts:
    """How many issues of each severity a frame with that column holds."""
    return IssueCounts(**dict(issues.group_by("severity").len().iter_rows()))


class MatchCounts(BaseModel):
    """Pairs that blocking brought, were scored and wait for a steward; clusters of live records."""

    candidate_pairs: int = 0
    scored_pairs: int = 0
    review_pairs: int = 0
    clusters: int = 0
    largest_cluster: int = 0


class GoldenCounts(BaseModel):
    """Golden records after the run, and what the run did to them."""

    total: int = 0
    created: int = 0
    changed: int = 0
    merged: int = 0
    split: int = 0

    def with_part(self, before: GoldenCounts, after: GoldenCounts) -> GoldenCounts:
        """These counts and what was added from ``before`` to ``after``."""
        names = type(self).model_fields
        return GoldenCounts(
            **{n: getattr(self, n) + getattr(after, n) - getattr(before, n) for n in names}
        )


class RowCounts(BaseModel):
    """Rows that hang on customers, in force after the run, and what the run did to them."""

    total: int = 0
    created: int = 0
    changed: int = 0


class Summary(BaseModel):
    """What a run did.

    Attributes:
        schema_version: Version of this object's shape.
        run_id: The run; null when nothing was stored (``crmq check``).
        records: Counts of input rows of all entities of the run.
        waiting: Records of the whole store that wait in quarantine after the run, as
            ``quality.waiting`` lists them; null when nothing was stored.
        issues: Issues that this run found; of rules about many records those that are new.
        store_issues: Issues of rules about many records that are in force after the run.
        golden: Golden records of customers.
        rows: Entity → rows of deals, payments … of the entities that the run spoke of.
        seconds: Stage → seconds.
        peak_memory_mb: Greatest resident memory of the process, MB.
        entities: Entity → rows received.
        notes: What the user should know: guessed columns, drift, the model used.
    """

    schema_version: int = SCHEMA_VERSION
    run_id: int | None = None
    records: RecordCounts = RecordCounts()
    waiting: int | None = None
    issues: IssueCounts = IssueCounts()
    store_issues: IssueCounts = IssueCounts()
    match: MatchCounts = MatchCounts()
    golden: GoldenCounts = GoldenCounts()
    rows: dict[str, RowCounts] = {}
    seconds: dict[str, float] = {}
    peak_memory_mb: float = 0.0
    entities: dict[str, int] = {}
    notes: list[str] = []


class Clock:
    """Seconds per stage; tells a listener when a stage begins."""

    def __init__(self, listener: Callable[[str], None] | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._listener = listener

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of the block towards ``name``."""
        if self._listener is not None:
            self._listener(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = self.seconds.get(name, 0.0) + time.perf_counter() - start
            self.seconds[name] = round(spent, 3)


def peak_memory_mb() -> float:
    """Greatest resident memory of this process so far, MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)
