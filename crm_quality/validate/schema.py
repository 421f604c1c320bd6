"""The one place that knows pandera: a definition's rules as a pandera schema, and its verdicts.

Each rule is one Polars expression, and pandera applies them all to the eager frame (it checks only
the schema of a LazyFrame) as checks of the whole frame, lazily, so that every failing check
reports. Pandera's own table of failure cases writes each failing row out as JSON, for each rule:
on a million rows it costs several times the checks themselves. So each check reports one case only,
and the failing rows are read from the check's verdict, the Boolean column that pandera keeps with
the error. Nothing is evaluated twice. Rows are never dropped by pandera (``drop_invalid_rows``
on a column lets rows through): quarantine follows from the issues.

Pandera imports pandas, which takes longer than most commands run: it is imported when it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crm_quality.errors import InputError
from crm_quality.validate.conditions import column_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandera.polars as pa
    import polars as pl
    from pandera.api.polars.types import PolarsData
    from pandera.errors import SchemaErrors

    from crm_quality.definitions import EntityDefinition
    from crm_quality.validate.compile import Compiled


@dataclass
class Verdicts:
    """What pandera found.

    Attributes:
        failing: Code of a broken rule → positions of the failing rows, ascending.
        errors: Code of a rule that could not be evaluated → why.
    """

    failing: dict[str, pl.Series] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def pandera_schema(definition: EntityDefinition, rules: Iterable[Compiled]) -> pa.DataFrameSchema:
    """A pandera schema: the types of the definition's columns, and each rule as a check.

    Args:
        definition: The entity.
        rules: Compiled rules; each check is named by the rule's code.

    Returns:
        A schema for eager standardised frames. Its columns are optional and may hold null.
    """
    import pandera.polars as pa  # noqa: PLC0415 - see the module's docstring

    columns = {
        name: pa.Column(column_type(item.type), nullable=True, required=False)
        for name, item in definition.fields.items()
    }
    return pa.DataFrameSchema(columns, checks=[_check(rule) for rule in rules])


def verdicts(
    definition: EntityDefinition, rules: Sequence[Compiled], frame: pl.DataFrame
) -> Verdicts:
    """Apply rules to an eager frame.

    Args:
        definition: The entity.
        rules: Compiled rules.
        frame: A standardised frame, with what rules stated in SQL refuse.

    Returns:
        Which rows break which rule.

    Raises:
        InputError: A column does not have the type of its field.
    """
    from pandera.errors import SchemaErrorReason, SchemaErrors  # noqa: PLC0415 - see the module's docstring

    fields = [name for name in definition.fields if name in frame.columns]
    try:
        pandera_schema(definition, []).validate(frame.select(fields).clear(), lazy=True)
    except SchemaErrors as errors:
        raise _not_standardised(errors) from None
    read = {"source", *(name for rule in rules for name in rule.fails.meta.root_names())}
    found = Verdicts()
    try:
        # pandera copies the rows it reports: only the columns that rules read go in
        pandera_schema(definition, rules).validate(
            frame.select([name for name in frame.columns if name in read]), lazy=True
        )
    except SchemaErrors as errors:
        for error in errors.schema_errors:
            code = str(error.check.name)
            if error.reason_code is SchemaErrorReason.CHECK_ERROR:
                found.errors[code] = str(error.failure_cases)
            else:
                passed = error.check_output.lazy().collect().to_series()
                found.failing[code] = (~passed).arg_true()
    return found


def _not_standardised(errors: SchemaErrors) -> InputError:
    wrong = "; ".join(
        f"{error.schema.name} is {error.failure_cases}, not {error.schema.dtype}"
        for error in errors.schema_errors
    )
    return InputError(
        f"the frame is not standardised: {wrong}; call standardise(frame, definition) first"
    )


def _check(rule: Compiled) -> pa.Check:
    import pandera.polars as pa  # noqa: PLC0415 - see the module's docstring

    passes = (~rule.fails).alias("passes")

    def applied(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(passes)

    return pa.Check(applied, name=rule.rule.code, n_failure_cases=1, ignore_na=False)
