"""Survivorship as numbers: each record's rank for each field, so that one minimum finds a winner.

The rank of a record is one integer: what counts first is its highest digit, the order that breaks
ties its lowest. The least rank of an entity is that of the winner, and the lowest digit says which
row it is. So one grouped minimum decides all fields of all entities, without a sort for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crm_quality.definitions import EntityDefinition, Survivorship

#: Severity → how much it weighs; what only informs does not count.
DOUBTS = {"warning": 1, "error": 2}
#: Strategies in which an issue cannot put a value last: it must count, or no value is chosen.
INDIFFERENT = frozenset({"any_true", "most_restrictive", "first_record", "sum", "union"})
#: Orders that break ties: key → whether the greatest goes first.
_ORDERS = {
    "recent": {"updated": True, "priority": True, "arrived": True, "record_id": True},
    "oldest": {"created": False, "priority": True, "record_id": False},
    "first_record": {"record_id": False},
}


def _order_of(strategy: str) -> str:
    """The order that breaks a strategy's ties."""
    return strategy if strategy in _ORDERS else "recent"


class Digit(NamedTuple):
    """One thing that counts.

    Attributes:
        value: Int64 per row, from 0, the less the better; never null.
        size: More than every value.
    """

    value: pl.Series
    size: int


class Ranking:
    """The records of whole entities and their ranks; ties go to the most recent first.

    Attributes:
        records: The records, in any order.
    """

    def __init__(
        self,
        records: pl.DataFrame,
        definition: EntityDefinition,
        names: Sequence[str],
        *,
        priorities: Mapping[str, int],
        floors: Mapping[str, int],
        issues: pl.DataFrame | None,
    ) -> None:
        """Put the records in order; arguments as for `crm_quality.merge.survive`."""
        self._definition, self._floors = definition, floors
        priority = pl.col("source").replace_strict(
            dict(priorities) or {"": 0}, default=0, return_dtype=pl.Int64
        )
        order = records.select(
            _moment(records, "updated_at").alias("updated"),
            _moment(records, "created_at").alias("created"),
            priority.alias("priority"),
            pl.col("arrival" if "arrival" in records.columns else "version_id").alias("arrived"),
            "record_id",
        )
        self.records, self._order = records, order
        self._filled = self.records.select(
            pl.sum_horizontal(pl.col(name).is_not_null() for name in names).cast(pl.Int64)
        ).to_series()
        self._doubts = self._found(issues, names)
        self._sequences: dict[str, pl.Series] = {}
        self._place_in: dict[str, pl.Series] = {}

    @property
    def height(self) -> int:
        """How many records there are."""
        return self.records.height

    def digits(  # noqa: PLR0911 - one return per strategy
        self, rule: Survivorship, name: str
    ) -> list[Digit]:
        """What counts for field ``name`` by its strategy, the most important first."""
        value = self.records[name]
        match rule.strategy:
            case "most_complete":
                return [_greatest_first(self._filled)]
            case "most_frequent":
                count = self.records.select(pl.len().over("entity_id", name).cast(pl.Int64))
                return [_greatest_first(count.to_series())]
            case "longest":
                return [_greatest_first(_length(value))]
            case "min" | "max":
                place = value.rank("dense").cast(pl.Int64).fill_null(0)
                return [_greatest_first(place) if rule.strategy == "max" else _digit(place)]
            case "any_true":
                return [_digit((~value).cast(pl.Int64).fill_null(2))]
            case "most_restrictive":
                return [_placed(value.cast(pl.String), rule.order)]
            case "source_priority" if rule.sources:
                return [_placed(self.records["source"], rule.sources)]
            case "source_priority":
                return [_greatest_first(self._trust(rule, name))]
            case "verified_first":
                return [self._verified(rule, name)]
            case _:
                return []

    def ranks(self, rule: Survivorship, digits: Sequence[Digit], where: pl.Series) -> pl.Series:
        """One number per record, the least of an entity being the winner's; null unless ``where``.

        Args:
            rule: Says in which order ties are broken.
            digits: What counts, the most important first.
            where: Boolean: which records can win.
        """
        rank = pl.lit(0, pl.Int64)
        for digit in digits:
            rank = rank * digit.size + pl.lit(digit.value)
        rank = rank * self.height + pl.lit(self._places(rule.strategy))
        return pl.select(pl.when(pl.lit(where)).then(rank)).to_series()

    def rows(self, rule: Survivorship, ranks: pl.Series) -> pl.Series:
        """Row numbers in ``records`` that the least ranks belong to; null stays null."""
        return self._sequence(_order_of(rule.strategy)).gather(ranks % self.height)

    def doubt(self, rule: Survivorship, names: Sequence[str]) -> list[Digit]:
        """How bad the issues are that values of ``names`` have, where the rule lets that count."""
        if rule.doubtful != "last" or rule.strategy in INDIFFERENT:
            return []
        found = [self._doubts[name] for name in names if name in self._doubts]
        if not found:
            return []
        worst = pl.select(pl.max_horizontal(pl.lit(one) for one in found)).to_series()
        return [Digit(worst, 1 + max(DOUBTS.values()))]

    def short(self, name: str, least: int) -> list[Digit]:
        """Texts of fewer than ``least`` letters come last."""
        if least <= 1:
            return []
        return [_digit((self.lengths(name) < least).cast(pl.Int64))]

    def lengths(self, name: str) -> pl.Series:
        """Letters and digits of the text that each value is; 0 = there is none."""
        value = self.records[name]
        if isinstance(value.dtype, pl.List):
            return _length(value)
        # the full stop of an initial is no letter
        return _length(value.cast(pl.String).str.replace_all(r"[^\pL\pN]", ""))

    def _places(self, strategy: str) -> pl.Series:
        """Place of each record in the order that breaks the strategy's ties."""
        own = _order_of(strategy)
        if own not in self._place_in:
            row = self._sequence(own)
            every = pl.int_range(self.height, dtype=pl.Int64, eager=True)
            empty = pl.zeros(self.height, dtype=pl.Int64, eager=True)
            self._place_in[own] = empty.scatter(row, every)
        return self._place_in[own]

    def _sequence(self, own: str) -> pl.Series:
        """Row numbers in the order in which ``recent``, ``oldest`` … prefers them."""
        if own not in self._sequences:
            keys = _ORDERS[own]
            order = self._order.select(
                pl.arg_sort_by(*keys, descending=list(keys.values()), nulls_last=True)
            )
            self._sequences[own] = order.to_series().cast(pl.Int64)
        return self._sequences[own]

    def _trust(self, rule: Survivorship, name: str) -> pl.Series:
        trust = self._order["priority"]
        if rule.doubtful != "lowered" or name not in self._doubts:
            return trust
        costs = {DOUBTS[severity]: cost for severity, cost in rule.lowered_by.items()}
        cost = self._doubts[name].replace_strict(costs, default=0, return_dtype=pl.Int64)
        floor = self.records["source"].replace_strict(
            dict(self._floors) or {"": None}, default=None, return_dtype=pl.Int64
        )
        # a floor above the source's own trust lifts nothing
        has_floor = pl.lit(floor).is_not_null()
        least = pl.when(has_floor).then(pl.min_horizontal(pl.lit(floor), pl.lit(trust)))
        lowered = pl.lit(trust) - pl.lit(cost)
        return pl.select(pl.max_horizontal(lowered, least)).to_series()

    def _verified(self, rule: Survivorship, name: str) -> Digit:
        if rule.verified_by is None:
            doubt = self._doubts.get(name)
            nothing = pl.zeros(self.height, dtype=pl.Int64, eager=True)
            return Digit(nothing if doubt is None else doubt.sign().cast(pl.Int64), 2)
        if rule.verified_by not in self.records.columns:
            return Digit(pl.zeros(self.height, dtype=pl.Int64, eager=True), 1)
        word = self.records[rule.verified_by]
        if word.dtype == pl.Boolean:
            return Digit((~word.fill_null(value=False)).cast(pl.Int64), 2)
        return _greatest_first(word.rank("dense").cast(pl.Int64).fill_null(0))

    def _found(self, issues: pl.DataFrame | None, names: Sequence[str]) -> dict[str, pl.Series]:
        """Field → the worst issue of each record's value, as in `DOUBTS`; 0 = there is none."""
        if issues is None or issues.is_empty():
            return {}
        rows = self.records.select("record_id", pl.int_range(pl.len()).alias("row"))
        weight = pl.col("severity").replace_strict(DOUBTS, default=0, return_dtype=pl.Int64)
        worst = (
            issues.filter(
                pl.col("severity").is_in(list(DOUBTS)), pl.col("field").is_in(list(names))
            )
            .join(rows, on="record_id")
            .group_by("field", "row")
            .agg(weight.max().alias("doubt"))
        )
        none = pl.zeros(self.height, dtype=pl.Int64, eager=True)
        return {
            str(name): none.clone().scatter(of_field["row"], of_field["doubt"])
            for (name,), of_field in worst.group_by("field")
        }


def _moment(records: pl.DataFrame, name: str) -> pl.Expr:
    return (pl.col(name) if name in records.columns else pl.lit(None)).cast(pl.Int64)


def _digit(value: pl.Series) -> Digit:
    return Digit(value, 1 + int(value.max() or 0))  # type: ignore[arg-type]


def _greatest_first(value: pl.Series) -> Digit:
    greatest, least = value.max(), value.min()
    if greatest is None:
        return Digit(value, 1)
    return Digit(greatest - value, 1 + int(greatest) - int(least))  # type: ignore[arg-type]


def _placed(value: pl.Series, order: Sequence[str]) -> Digit:
    """Place in a declared order; what it does not name comes last."""
    places = {word: place for place, word in enumerate(order)}
    place = value.replace_strict(places or {"": 0}, default=len(order), return_dtype=pl.Int64)
    return Digit(place.fill_null(len(order)), 1 + len(order))


def _length(value: pl.Series) -> pl.Series:
    if isinstance(value.dtype, pl.List):
        return value.list.len().cast(pl.Int64).fill_null(0)
    return value.cast(pl.String).str.len_chars().cast(pl.Int64).fill_null(0)
