"""Rules applied to a frame: which rows break which rule.

Each rule is one Polars expression, and all of them are evaluated in one query, in parallel, over
the columns that they read. A rule that stops on some value must not stop the others: only then
is each evaluated by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.errors import InputError
from crm_quality.validate.conditions import column_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.definitions import EntityDefinition
    from crm_quality.validate.compile import Compiled


@dataclass
class Verdicts:
    """What rules found.

    Attributes:
        failing: Code of a broken rule → positions of the failing rows, ascending.
        errors: Code of a rule that could not be evaluated → why.
    """

    failing: dict[str, pl.Series] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def verdicts(
    definition: EntityDefinition, rules: Sequence[Compiled], frame: pl.DataFrame
) -> Verdicts:
    """Apply rules to a frame.

    Args:
        definition: The entity.
        rules: Compiled rules.
        frame: A standardised frame, with what rules stated in SQL refuse.

    Returns:
        Which rows break which rule.

    Raises:
        InputError: A column does not have the type of its field.
    """
    _is_standardised(frame, definition)
    found = Verdicts()
    try:
        fails = _fails(frame, rules)
    except pl.exceptions.PolarsError:
        sound = [rule for rule in rules if not _stops(rule, frame, found.errors)]
        fails = _fails(frame, sound)
    found.failing = {one.name: one.arg_true() for one in fails if one.any()}
    return found


def _fails(frame: pl.DataFrame, rules: Sequence[Compiled]) -> list[pl.Series]:
    """Boolean per row, never null, of each rule under its code."""
    if not rules:
        return []
    fails = frame.lazy().select(rule.fails.alias(rule.rule.code) for rule in rules)
    return fails.collect().get_columns()


def _stops(rule: Compiled, frame: pl.DataFrame, errors: dict[str, str]) -> bool:
    try:
        _fails(frame, [rule])
    except pl.exceptions.PolarsError as error:
        errors[rule.rule.code] = f"{type(error).__name__}: {error}"
        return True
    return False


def _is_standardised(frame: pl.DataFrame, definition: EntityDefinition) -> None:
    wrong = "; ".join(
        f"{name} is {frame.schema[name]}, not {column_type(item.type)}"
        for name, item in definition.fields.items()
        if name in frame.columns and frame.schema[name] != column_type(item.type)
    )
    if wrong:
        raise InputError(
            f"the frame is not standardised: {wrong}; call standardise(frame, definition) first"
        )
