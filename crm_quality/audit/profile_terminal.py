"""The profile of a file on a terminal: one line a column, in 100 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from crm_quality.audit.masking import HIDDEN
from crm_quality.audit.profile_html import SIZED

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console, JustifyMethod

    from crm_quality.audit.file_profile import FileProfile

_BLOCKS = "▁▂▃▄▅▆▇█"
_NAME, _RANGE, _OFTEN, _FIELD = 18, 20, 18, 15
_DAYS = ("date", "datetime")
_SPELT = 6
#: A value of fewer rows than this share stands for nothing.
_RARE = 0.001


def render_profile(found: FileProfile, console: Console) -> None:
    """Print the profile.

    Args:
        found: The profile; what it masks stays masked.
        console: Where to.
    """
    seen = found.seen
    told = f"{found.name}: {seen.records:,} rows, {seen.columns.height:,} columns"
    if found.source:
        told += f"; an export of {found.source}"
    elif found.entity:
        told += f"; probably {found.entity} records"
    console.print(told, markup=False)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name, right in (
        ("column", False),
        ("type", False),
        ("filled", True),
        ("distinct", True),
        ("from … to", False),
        ("most frequent", False),
        ("field", False),
    ):
        justify: JustifyMethod = "right" if right else "left"
        table.add_column(name, justify=justify, no_wrap=True, min_width=len(name) if right else 0)
    keys = {key[0] for key in seen.keys.filter("is_key")["columns"] if len(key) == 1}
    fields = {row["column"]: row for row in found.mapping.iter_rows(named=True)}
    for row in seen.columns.filter(seen.columns["filled"] > 0).iter_rows(named=True):
        table.add_row(
            Text(_cut(row["column"], _NAME)),
            row["type"],
            _percent(row["fill"]),
            "key" if row["column"] in keys else f"{row['distinct']:,}",
            Text(_cut(_range(row, seen.bins), _RANGE)),
            Text(_cut(_often(row, seen.values, seen.patterns), _OFTEN)),
            Text(_cut(_field(fields.get(row["column"])), _FIELD)),
        )
    console.print(table)
    empty = seen.columns.filter(seen.columns["filled"] == 0)["column"]
    if len(empty):
        console.print(f"\nempty: {', '.join(empty)}", markup=False)
    _print_keys(found, console)
    _print_spellings(found, console)


def _range(row: dict[str, Any], bins: pl.DataFrame) -> str:
    """Ends of numbers and days, with how they are spread; lengths of text."""
    if row["type"] in SIZED and row["least"] is not None:
        size = 4 if row["type"] in _DAYS else _RANGE
        low, high = row["least"][:size], row["greatest"][:size]
        spread = _sparkline(bins.filter(column=row["column"])["count"].to_list())
        with_spread = f"{low} {spread} {high}"
        return with_spread if spread and len(with_spread) <= _RANGE else f"{low} … {high}"
    if row["longest"] is None:
        return ""
    if row["shortest"] == row["longest"]:
        return f"{row['longest']} characters"
    return f"{row['shortest']}–{row['longest']} characters"


def _often(row: dict[str, Any], values: pl.DataFrame, patterns: pl.DataFrame) -> str:
    """The most frequent value, or the most frequent shape where hardly any comes again."""
    if not row["filled"]:
        return ""
    listed = values
    if row["type"] not in SIZED and row["distinct"] * 2 > row["filled"]:
        listed = patterns
    first = listed.filter(column=row["column"]).head(1)
    if first.is_empty() or first["count"][0] == 1 or first["share"][0] < _RARE:
        return ""
    return f"{_percent(first['share'][0]).strip()} {first['value'][0]}"


def _field(mapped: dict[str, Any] | None) -> str:
    if mapped is None:
        return ""
    return str(mapped["field"]) + ("?" if mapped["how"] == "guess" else "")


def _print_keys(found: FileProfile, console: Console) -> None:
    keys = found.seen.keys.rows(named=True)
    whole = [" + ".join(key["columns"]) for key in keys if key["is_key"]]
    if whole:
        console.print(f"\nkeys: {', '.join(whole)}", markup=False)
    for key in keys:
        if not key["is_key"]:
            console.print(
                f"nearly a key: {' + '.join(key['columns'])} ({key['filled']:,} rows have it, "
                f"{key['distinct']:,} different values)",
                markup=False,
            )


def _print_spellings(found: FileProfile, console: Console) -> None:
    # what is hidden looks all the same
    shown = found.seen.spellings.filter(~found.seen.spellings["value"].str.contains(HIDDEN))
    clusters = shown.group_by("column", "cluster", maintain_order=True).agg("value")
    if clusters.is_empty():
        return
    console.print("\nspellings of one thing:")
    for column, _, values in clusters.head(_SPELT).iter_rows():
        console.print(_cut(f"  {column}: {' | '.join(values)}", 98), markup=False)
    if clusters.height > _SPELT:
        console.print(f"  … and {clusters.height - _SPELT:,} more (--format json has them)")


def _sparkline(counts: list[int]) -> str:
    most = max(counts, default=0)
    if not most:
        return ""
    last = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round(count / most * last)] for count in counts)


def _percent(share: float) -> str:
    """A share that is 0 or 100 only if nothing is left."""
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return f"{min(max(share, 0.001), 0.999):.1%}"


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
