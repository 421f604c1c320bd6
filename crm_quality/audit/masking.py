"""Personal values made safe to show: enough to recognise a fault by, not enough to know a person.

A mask has a fixed length wherever it hides something, so that it does not tell how much it hides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable

    from crm_quality.definitions import RuleSet

HIDDEN = "•••"

_PART = r"[^\s<>(),;:\"'@]"
#: Begins where a word begins and gives nothing back: cells can be a megabyte long.
_ADDRESS = re.compile(rf"(?<!{_PART}){_PART}++@{_PART}++")
_NUMBER = re.compile(r"\+?\d[\d\s()./-]{5,}\d")
_WORD = re.compile(r"[^\W_]+")
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)")
_KEY_ADDRESS = r"([^\s@])[^\s@]*@"
_SHOWN_DIGITS = 2
#: Columns of the store that hold all that a source said of a record.
_WHOLE_ROWS = ("raw", "custom", "given")
_LONG_ENOUGH = 5


def masked(text: str, kind: FieldType | str) -> str:
    """Hide what is personal in one value.

    Args:
        text: The value, canonical or as it came.
        kind: What its field holds; see `FieldType`.

    Returns:
        E-mail addresses keep their first letter and domain (``a•••@example.com``), phone numbers
        and identifiers their last two digits, dates their year, every other text the first letter
        of each word and its punctuation. A text that is not what its field holds is masked as
        text.
    """
    return _MASKS.get(FieldType(kind), _initials)(text)


def screened(text: str) -> str:
    """Hide e-mail addresses and long numbers that stand in a text which should hold none."""
    if "@" in text:
        text = _ADDRESS.sub(lambda found: _one_address(found[0]), text)
    return _NUMBER.sub(lambda found: _last_digits(found[0]), text)


def masked_issues(issues: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """Hide personal values in a frame of issues.

    Args:
        issues: ISSUES frame; needs ``entity``, ``field``, ``value`` and ``suggestion``.
        rules: Say which fields are personal and what they hold.

    Returns:
        The frame in its order. ``value`` and ``suggestion`` of personal fields are masked; those
        of other fields, and ``source_key`` where the frame has it, lose addresses and numbers of
        people that stand in them. Costs one call per distinct value.
    """
    for column in ("value", "suggestion"):
        pairs = issues.select("entity", "field", column).unique().drop_nulls(column)
        shown = [mask_of(rules, entity, field)(text) for entity, field, text in pairs.iter_rows()]
        safe = pairs.with_columns(pl.Series("_safe", shown, pl.String))
        issues = (
            issues.join(
                safe,
                on=["entity", "field", column],
                how="left",
                nulls_equal=True,
                maintain_order="left",
            )
            .with_columns(pl.col("_safe").alias(column))
            .drop("_safe")
        )
    return masked_keys(issues) if "source_key" in issues.columns else issues


def masked_cells(frame: pl.DataFrame, rules: RuleSet, *columns: str) -> pl.DataFrame:
    """Hide personal values in ``columns``, which hold values of the field that each row names.

    Args:
        frame: With ``entity``, ``field`` and the columns, of text. Costs one call per row.
        rules: Say which fields are personal and what they hold.
        columns: Which.
    """
    kinds = list(frame.select("entity", "field").iter_rows())
    masks = [mask_of(rules, entity, field) for entity, field in kinds]
    hidden = [
        pl.Series(
            name,
            [
                None if text is None else mask(text)
                for mask, text in zip(masks, frame[name], strict=True)
            ],
            pl.String,
        )
        for name in columns
    ]
    return frame.with_columns(hidden)


def masked_keys(frame: pl.DataFrame) -> pl.DataFrame:
    """Hide addresses that serve as keys, in the column ``source_key``."""
    hidden = pl.col("source_key").str.replace_all(_KEY_ADDRESS, "${1}" + HIDDEN + "@")
    return frame.with_columns(hidden.alias("source_key"))


def masked_key(key: str) -> str:
    """One key, as `masked_keys` hides it."""
    return re.sub(_KEY_ADDRESS, rf"\1{HIDDEN}@", key)


def masked_rows(frame: pl.DataFrame, rules: RuleSet, entity: str) -> pl.DataFrame:
    """Hide personal values in rows of the store.

    Args:
        frame: Any columns; those that bear a field's name hold its canonical values, ``value`` and
            ``suggestion`` beside ``field`` are an issue's.
        rules: Say which fields are personal and what they hold.
        entity: What the rows are of.

    Returns:
        The frame without the columns that hold whole rows as they came; dates that are masked
        become text.
    """
    shown = frame.drop(_WHOLE_ROWS, strict=False)
    fields = rules.entity(entity).columns
    hidden = [
        _hidden(shown[name], mask_of(rules, entity, name))
        for name in shown.columns
        if name in fields and name != "source_key"
    ]
    shown = shown.with_columns(hidden)
    if not {"field", "value"} <= set(shown.columns):
        return masked_keys(shown) if "source_key" in shown.columns else shown
    missing = [n for n in ("entity", "suggestion") if n not in shown.columns]
    filled = shown.with_columns(
        pl.lit(entity if name == "entity" else None, pl.String).alias(name) for name in missing
    )
    return masked_issues(filled, rules).drop(missing)


def _hidden(column: pl.Series, mask: Callable[[str], str]) -> pl.Series:
    if isinstance(column.dtype, pl.List):
        texts = [None if cell is None else [mask(text) for text in cell] for cell in column]
        return pl.Series(column.name, texts, pl.List(pl.String))
    if column.dtype != pl.String:
        if mask is screened:
            return column
        column = column.cast(pl.String)
    values = column.drop_nulls().unique()
    masks = pl.Series([mask(text) for text in values], dtype=pl.String)
    return column.replace_strict(values, masks, default=None, return_dtype=pl.String)


def mask_of(rules: RuleSet, entity: str, field: str | None) -> Callable[[str], str]:
    """What makes a value of one field safe to show; a field nobody defines counts as personal."""
    definition = rules.entities.get(entity)
    found = definition.fields.get(field) if definition and field else None
    if found is None:
        return _address
    return _MASKS.get(found.type, _initials) if found.personal else screened


def _one_address(text: str) -> str:
    local, _, domain = text.rpartition("@")
    return f"{local[:1]}{HIDDEN}@{domain}"


def _address(text: str) -> str:
    if "@" not in text:
        return _initials(text)
    # what stands around an address ("Ann Lee <a@b.com>", "a@b.com;c@d.com") is personal as well
    parts, end = [], 0
    for found in _ADDRESS.finditer(text):
        parts += [_initials(text[end : found.start()]), _one_address(found[0])]
        end = found.end()
    return "".join([*parts, _initials(text[end:])])


def _last_digits(text: str) -> str:
    digits = [char for char in text if char.isdigit()]
    shown = "".join(digits[-_SHOWN_DIGITS:]) if len(digits) >= _LONG_ENOUGH else ""
    return f"{HIDDEN}{shown}"


def _number(text: str) -> str:
    return _last_digits(text) if any(char.isdigit() for char in text) else _initials(text)


def _date(text: str) -> str:
    year = _YEAR.search(text)
    return f"{HIDDEN} {year[0]}" if year else HIDDEN


def _initials(text: str) -> str:
    return _WORD.sub(lambda found: found[0][0] + HIDDEN if found[0][0].isalpha() else HIDDEN, text)


_MASKS: dict[FieldType, Callable[[str], str]] = {
    FieldType.EMAIL: _address,
    FieldType.EMAILS: _address,
    FieldType.PHONE: _number,
    FieldType.PHONES: _number,
    FieldType.IDENTIFIER: _number,
    FieldType.POSTCODE: _number,
    FieldType.DATE: _date,
    FieldType.DATETIME: _date,
}
