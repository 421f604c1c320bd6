"""A first definition for a table that nobody has described yet, from its profile.

The rules and their thresholds follow what was seen, with room for chance: a share enters by the
end of its 95 % Wilson interval, as in Deequ's constraint suggestion (S. Schelter et al.,
Automating large-scale data quality verification, VLDB 11, 2018).
"""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from crm_quality.definitions import FieldType, fold
from crm_quality.definitions.rule_faults import RECORD_COLUMNS
from crm_quality.validate.intervals import wilson
from crm_quality.validate.profile import MOST_LISTED, Profile

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.definitions import EntityDefinition, FieldDefinition

#: Below this fill a rule about completeness would only say that a column is mostly empty.
_LEAST_FILL = 0.2
#: A column is a vocabulary when each of its few values comes this often on the average.
_LEAST_REPEATS = 20
#: A shape is a rule when at least this share of values has it, chance allowed for.
_LEAST_SHAPE = 0.95
_LENGTHS = (5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 20_000)
_ONE_SHAPE = frozenset({FieldType.TEXT, FieldType.KEY, FieldType.IDENTIFIER, FieldType.POSTCODE})
_PERSONAL = frozenset({FieldType.EMAIL, FieldType.PHONE})
_BOUNDED = frozenset({FieldType.INTEGER, FieldType.DECIMAL})


def suggested_definition(
    seen: Profile, entity: str, *, like: EntityDefinition | None = None
) -> dict[str, str]:
    """Definition files for a table.

    Args:
        seen: Its profile.
        entity: Name of the entity that a row stands for.
        like: An entity whose fields lend meaning, type and sensitivity to columns of their name.

    Returns:
        Path below ``rules/`` → YAML, which `load_rules` reads: the entity, and a vocabulary per
        column of few values. Each suggestion has a comment that says what it rests on.
    """
    fields, rules, files = CommentedMap(), [], {}
    for row in seen.columns.iter_rows(named=True):
        name = _slug(row["column"])
        if not name or name in fields or (name in RECORD_COLUMNS and name != "source_key"):
            continue
        known = like.fields.get(name) if like is not None else None
        fields[name] = field = _field(name, row, known)
        if field["type"] == FieldType.VOCABULARY:
            values = seen.values.filter(column=row["column"])
            files[f"vocabularies/{name}.yml"] = _vocabulary(name, values)
        if row["fill"] > _LEAST_FILL and "required" not in field:
            rules.append(_complete(entity, name, row))
        shapes = seen.patterns.filter(column=row["column"])
        if checks := _checks(FieldType(field["type"]), row, shapes):
            field["checks"] = checks
    whole: dict[str, Any] = {"entity": entity, "meaning": f"One {entity}.", "fields": fields}
    if rules:
        whole["rules"] = rules
    return {f"entities/{entity}.yml": _yaml(whole), **files}


def _field(name: str, row: dict[str, Any], known: FieldDefinition | None) -> CommentedMap:
    kind = _type_of(name, row, known)
    field = CommentedMap(meaning=known.meaning if known else f"Column {row['column']}.")
    field["type"] = kind.value
    field.yaml_add_eol_comment(_evidence(row), "type")
    if kind is FieldType.VOCABULARY:
        field["vocabulary"] = name
    if kind in _PERSONAL or (known is not None and known.personal):
        field["personal"] = "true"
    if row["records"] and row["filled"] == row["records"]:
        field["required"] = "warning"
        field.yaml_add_eol_comment("every record had it", "required")
    return field


def _type_of(name: str, row: dict[str, Any], known: FieldDefinition | None) -> FieldType:
    if known is not None:
        return known.type
    if name == "source_key":
        return FieldType.KEY
    kind = FieldType(row["type"])
    few = 0 < row["distinct"] <= MOST_LISTED
    repeated = few and row["filled"] / row["distinct"] >= _LEAST_REPEATS
    return FieldType.VOCABULARY if kind is FieldType.TEXT and repeated else kind


def _slug(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")


def _evidence(row: dict[str, Any]) -> str:
    distinct = f"{row['filled']:,} of {row['records']:,} filled, {row['distinct']:,} distinct"
    looks = f", {row['type_share']:.1%} look like {row['type']}" if row["type_share"] else ""
    return distinct + looks


def _complete(entity: str, name: str, row: dict[str, Any]) -> CommentedMap:
    """At most as many records without the value as chance explains."""
    missing = _percent_up(1 - row["fill_low"])
    rule = CommentedMap(
        code=f"{entity}.{name}.complete",
        title=f"{name} is filled in most records",
        message=f"{name} is missing",
        severity="info",
        field=name,
        expect={"field": name, "present": "true"},
        limits={"pass_up_to": missing},
    )
    rule.yaml_add_eol_comment(f"{row['fill']:.1%} were filled", "limits")
    return rule


def _checks(kind: FieldType, row: dict[str, Any], shapes: pl.DataFrame) -> list[dict[str, Any]]:
    checks: list[dict[str, Any]] = []
    if kind in _ONE_SHAPE and row["longest"] is not None:
        longest = next((size for size in _LENGTHS if size >= row["longest"]), None)
        if longest is not None:
            checks.append({"check": "length", "max": str(longest)})
    if kind in _ONE_SHAPE and shapes.height:
        shape, count = shapes.row(0)[1], shapes.row(0)[2]
        low, _ = wilson(count, row["filled"])
        if low >= _LEAST_SHAPE:
            checks.append(
                {
                    "check": "pattern",
                    "regex": _regex(shape),
                    "limits": {"pass_up_to": _percent_up(1 - low)},
                }
            )
    if kind in _BOUNDED and row["least"] is not None and _not_negative(row):
        checks.append({"check": "range", "min": "0"})
    if row["is_key"] and kind is not FieldType.KEY:
        checks.append({"check": "unique"})
    return checks


def _not_negative(row: dict[str, Any]) -> bool:
    # the least text of a column of text begins with its least sign, and "-" is before digits
    return not str(row["least"]).lstrip().startswith(("-", "(", "+"))


def _regex(shape: str) -> str:
    parts = {"9": "[0-9]+", "A": r"\p{Lu}+", "a": r"[\p{L}--\p{Lu}]+"}
    return "^" + "".join(parts.get(char, re.escape(char)) for char in shape) + "$"


def _percent_up(share: float) -> str:
    """The next tenth of a percent above a share."""
    return f"{min(math.ceil(share * 1000) / 10, 100):.1f}%"


def _vocabulary(name: str, values: pl.DataFrame) -> str:
    listed: dict[str, Any] = {}
    folded: set[str] = set()
    for value in values["value"]:
        key = fold(value)
        if key and key not in folded:
            folded.add(key)
            listed[value] = {}
    return _yaml({"vocabulary": name, "meaning": f"Values of {name}.", "values": listed})


def _yaml(content: dict[str, Any]) -> str:
    yaml = YAML()
    yaml.width = 100
    stream = io.StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()
