"""u: how often two random records agree, within a region, across regions, and where none is known.

Names, towns and providers go with a country: two random people of one country share a surname far
more often than two of the world. So there is one u for each stratum of pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crm_quality.match.vectors import vectors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb
    from numpy.typing import NDArray

    from crm_quality.match.levels import Comparison

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

#: Random pairs that u is estimated from, in each stratum.
RANDOM_PAIRS = 300_000

#: Strata, in the order of the gamma of the comparison "region": −1, 0, 1.
STRATA = ("unknown", "across", "within")
UNKNOWN, ACROSS, WITHIN = range(3)

_SEED = 1


@dataclass(frozen=True)
class RandomAgreement:
    """What random pairs show.

    Attributes:
        u: Comparison → probability of each gamma, from 0 upwards; one row for each stratum.
        pairs: Number of all pairs of the records in each stratum.
        filled: Comparison → those of them in which there is something to compare.
    """

    u: Mapping[str, Floats]
    pairs: Floats
    filled: Mapping[str, Floats] = field(default_factory=dict)


def regions_of(features: pl.DataFrame) -> pl.Series:
    """The region of each record; all null where regions are not looked at."""
    if "region" in features.columns:
        return features["region"]
    return pl.Series("region", [None], dtype=pl.String).new_from_index(0, features.height)


def random_agreement(
    connection: duckdb.DuckDBPyConnection,
    comparisons: Sequence[Comparison],
    regions: pl.Series,
) -> RandomAgreement:
    """Estimate u.

    Splink would sample records and take all pairs among them: 2,000 records for 2 million pairs,
    and so no more than 2,000 surnames of a million people. Here both records of each pair are
    drawn anew (Enamorado, Fifield and Imai 2019), by a generator with a fixed seed; the levels are
    Splink's SQL. How often values are equal is not sampled but counted.

    Args:
        connection: Holds the table ``features``.
        comparisons: What is compared.
        regions: Region of each record, in the order of their ids; null = unknown.
    """
    ids = connection.execute("SELECT id FROM features ORDER BY id").fetchnumpy()["id"]
    codes = regions.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    all_pairs = _sizes(codes)
    generator = np.random.default_rng(_SEED)
    found = []
    for stratum, size in enumerate(all_pairs):
        left, right = _draw(codes, stratum, size, generator)
        asked = pl.DataFrame({"left_id": ids[left], "right_id": ids[right]})
        found.append(vectors(connection, comparisons, asked))
    counted = _counted(connection, comparisons, "region" in _columns(connection))
    u: dict[str, Floats] = {}
    filled: dict[str, Floats] = {}
    for c in comparisons:
        shares = [float((frame[c.gamma] >= 0).mean() or 0.0) for frame in found]  # type: ignore[arg-type]
        filled[c.name] = np.array(shares) * all_pairs
        rows = [
            _levels(c, found[s], counted, s, all_pairs[s]) if all_pairs[s] else None
            for s in range(3)
        ]
        known = [row for row in rows if row is not None]
        other = known[0] if known else np.full(len(c.levels), 1 / len(c.levels))
        u[c.name] = np.stack([row if row is not None else other for row in rows])
    if "region" in u:
        share = all_pairs[1:] / max(float(all_pairs[1:].sum()), 1.0)
        known = share[0] * u["region"][ACROSS] + share[1] * u["region"][WITHIN]
        u["region"] = np.tile(np.maximum(known, 1e-6), (3, 1))
    return RandomAgreement(u, all_pairs, filled)


def _sizes(codes: Ints) -> Floats:
    """Number of pairs of each stratum."""

    def pairs(n: float) -> float:
        return n * (n - 1) / 2

    known = np.bincount(codes)[1:].astype(float)
    within = float((known * (known - 1) / 2).sum())
    both = pairs(float(known.sum()))
    return np.array([pairs(float(len(codes))) - both, both - within, within])


def _draw(
    codes: Ints, stratum: int, size: float, generator: np.random.Generator
) -> tuple[Ints, Ints]:
    """Random pairs of a stratum, or all of them when there are no more."""
    count = len(codes)
    if count * (count - 1) // 2 <= RANDOM_PAIRS:
        left, right = np.triu_indices(count, 1)
    elif stratum == WITHIN and size:
        order = np.argsort(codes, kind="stable")
        sizes = np.bincount(codes)
        starts = np.cumsum(sizes) - sizes
        chances = sizes * (sizes - 1.0)
        chances[0] = 0.0
        chosen = generator.choice(len(sizes), RANDOM_PAIRS, p=chances / chances.sum())
        first = generator.integers(0, sizes[chosen])
        second = (first + generator.integers(1, sizes[chosen])) % sizes[chosen]
        return order[starts[chosen] + first], order[starts[chosen] + second]
    else:
        left = generator.integers(0, count, RANDOM_PAIRS * 2)
        right = (left + generator.integers(1, count, RANDOM_PAIRS * 2)) % count
    known = (codes[left] > 0) & (codes[right] > 0)
    same = known & (codes[left] == codes[right])
    hit = (~known, known & ~same, same)[stratum]
    return left[hit][:RANDOM_PAIRS], right[hit][:RANDOM_PAIRS]


def _levels(
    comparison: Comparison,
    found: pl.DataFrame,
    counted: Mapping[str, Mapping[tuple[int, int], float]],
    stratum: int,
    all_pairs: float,
) -> Floats | None:
    """U of one comparison in one stratum; null where no random pair can be compared."""
    gammas = found[comparison.gamma].to_numpy()
    top = len(comparison.levels) - 1
    seen = np.bincount(gammas[gammas >= 0], minlength=top + 1).astype(float)
    if not seen.sum():
        return None
    filled = float(seen.sum()) / len(gammas) * all_pairs
    exact: dict[int, float] = {}
    for place, level in enumerate(comparison.levels):
        if level.equal:
            rarity = -1 if level.rarity is None else level.rarity
            chance = counted[level.equal].get((stratum, rarity), 0.0)
            exact[top - place] = chance if "*" in level.equal else chance / filled
    seen[list(exact)] = 0.0
    u: Floats = seen / max(seen.sum(), 1.0) * max(1 - sum(exact.values()), 0.0)
    for gamma, share in exact.items():
        u[gamma] = share
    shares: Floats = u / u.sum()
    return shares


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    described = connection.execute("DESCRIBE features").fetchall()
    return {row[0]: row[1] for row in described}


def _counted(
    connection: duckdb.DuckDBPyConnection, comparisons: Sequence[Comparison], has_region: bool
) -> dict[str, dict[tuple[int, int], float]]:
    """Column → (stratum, frequency class or −1) → pairs of records that are equal in it."""
    columns = _columns(connection)
    region = "coalesce(region, '')" if has_region else "''"
    wanted = {
        level.equal: level.rarity is not None
        for c in comparisons
        for level in c.levels
        if level.equal
    }
    counted: dict[str, dict[tuple[int, int], float]] = {}
    for name, classed in wanted.items():
        if "*" in name:
            first, second = (f'"{part}"' for part in name.split("*"))
            rows = connection.execute(
                _CROSSED.format(first=first, second=second, region=region)
            ).fetchall()
            counted[name] = {(row[0], -1): float(row[1]) for row in rows}
            continue
        value = f'unnest("{name}")' if columns[name].endswith("[]") else f'"{name}"'
        rarity = f'"{name}_f"' if classed else "-1"
        rows = connection.execute(
            _EQUAL_PAIRS.format(value=value, rarity=rarity, region=region)
        ).fetchall()
        counted[name] = {(row[0], row[1]): float(row[2]) for row in rows}
    return counted


_EQUAL_PAIRS = """
WITH holders AS (
    SELECT value, region, rarity, count(*)::DOUBLE AS n
    FROM (SELECT {value} AS value, {rarity} AS rarity, {region} AS region FROM features)
    WHERE value IS NOT NULL GROUP BY ALL
)
SELECT
    CASE WHEN a.region = '' OR b.region = '' THEN 0 WHEN a.region <> b.region THEN 1 ELSE 2 END,
    least(a.rarity, b.rarity),
    sum(CASE WHEN a.region = b.region THEN a.n * (a.n - 1) / 2 ELSE a.n * b.n END)
FROM holders AS a JOIN holders AS b ON a.value = b.value AND a.region <= b.region
GROUP BY ALL
"""

_CROSSED = """
WITH firsts AS (
    SELECT {first} AS value, {region} AS region, count(*)::DOUBLE AS n FROM features
    WHERE {first} IS NOT NULL GROUP BY ALL
), seconds AS (
    SELECT {second} AS value, {region} AS region, count(*)::DOUBLE AS n FROM features
    WHERE {second} IS NOT NULL GROUP BY ALL
), sizes AS (
    SELECT {region} AS region, count(*)::DOUBLE AS n FROM features GROUP BY ALL
), possible AS (
    SELECT
        CASE WHEN a.region = '' OR b.region = '' THEN 0 WHEN a.region <> b.region THEN 1 ELSE 2 END
            AS stratum,
        sum(a.n * b.n) AS n
    FROM sizes AS a, sizes AS b GROUP BY ALL
), crossed AS (
    SELECT
        CASE WHEN a.region = '' OR b.region = '' THEN 0 WHEN a.region <> b.region THEN 1 ELSE 2 END
            AS stratum,
        sum(a.n * b.n) AS n
    FROM firsts AS a JOIN seconds AS b ON a.value = b.value GROUP BY ALL
)
SELECT stratum, pow(crossed.n / possible.n, 2) FROM crossed JOIN possible USING (stratum)
"""
