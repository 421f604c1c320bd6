"""A table → source records: canonical fields, keys, deletions, and the row as it came."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

import polars as pl
from rapidfuzz import process

from crm_quality.definitions import SourceDefinition
from crm_quality.errors import InputError
from crm_quality.intake.cells import canonical_values, deletions, merges, says
from crm_quality.intake.contents import content_hashes, filled, json_objects
from crm_quality.intake.keys import keys_of
from crm_quality.intake.mapping import Drift, MappedField, drift_of, is_ignored, map_fields
from crm_quality.intake.recognition import normal, recognise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.intake.table import Table

#: Columns of a RAW frame besides the canonical fields.
BOOKKEEPING = pl.Schema(
    {
        "source": pl.String,
        "source_key": pl.String,
        "row_number": pl.Int64,
        "is_deleted": pl.Boolean,
        "merged_into": pl.String,
        "problem": pl.String,
        "custom": pl.String,
        "raw": pl.String,
        "content_hash": pl.String,
    }
)
_ROW = "__row"
_LEAST_CANONICAL = 3
#: Columns that a note names; wide exports have hundreds.
_MOST_NAMED = 12
#: Likeness (0 to 100) of two names, from which one is probably the other misspelt.
_NEARLY = 85


@dataclass(frozen=True)
class Intake:
    """One file or frame as source records.

    Attributes:
        records: Entity → RAW frame: canonical fields as text exactly as it came (blank = null),
            and the columns of `BOOKKEEPING`.
        source: Name of the source; of the rows without one of their own, where a column names it.
        origin: Name of the file.
        file_hash: SHA-256 of the file's bytes; of a frame, of its records.
        mapping: Canonical field → the columns it comes from and how that was found.
        unmapped: Columns kept as custom fields.
        drift: How the file differs from what its source declares.
        skipped: Number of rows that the source declares to be no records.
        recognised: Name of the definition that was used; null = none fits.
        warnings: What people should know.
        is_further: The file was read before for another entity, whose rows are counted.
        stands_in: Its rows count only where nothing is known of their keys yet.
    """

    records: dict[str, pl.DataFrame]
    source: str
    origin: str
    file_hash: str
    mapping: dict[str, MappedField]
    unmapped: tuple[str, ...] = ()
    drift: Drift = field(default_factory=Drift)
    skipped: int = 0
    recognised: str | None = None
    warnings: tuple[str, ...] = ()
    is_further: bool = False
    stands_in: bool = False

    def release(self, entity: str) -> None:
        """Keep nothing of an entity's rows but ``source`` and ``source_key``: they are stored."""
        self.records[entity] = self.records[entity].select("source", "source_key")

    def notes(self) -> list[str]:
        """What to tell people, one sentence each, beginning with the file's name."""
        return [f"{self.origin}: {warning}" for warning in self.warnings]

    def mapping_columns(self) -> dict[str, str]:
        """Canonical field → the file's column, several joined by a plus sign."""
        return {name: " + ".join(mapped.columns) for name, mapped in self.mapping.items()}


def take_in(
    table: Table,
    rules: RuleSet,
    *,
    entity: str = "contact",
    source: str | SourceDefinition | None = None,
    key: Sequence[str] | None = None,
    mapping: Mapping[str, str | Sequence[str]] | None = None,
) -> Intake:
    """Turn a table into source records.

    Args:
        table: As `read` gives it.
        rules: The project's definitions.
        entity: What a row stands for where no source says it.
        source: Name of a source, which need not be defined, or a definition; null = recognised
            from the header, or named in a column ``source`` of a file with canonical names.
        key: Columns that together identify a record; null = as the source declares, else
            ``source_key``, else a hash of the row.
        mapping: Canonical field → column or columns, for what is not found by itself.

    Returns:
        The records; every row of the table is one, except those the source declares to be none.

    Raises:
        InputError: No column could be mapped, a declared key column is missing, a given column
            does not exist, or the file differs from a source that says ``on_drift: fail``.
        NotFoundError: There is no such entity.
    """
    found, warnings = _definition(table, rules, source, entity)
    definition = rules.entity(found.entity if found else entity)
    fields = map_fields(table.headers, definition, found, mapping)
    named_by = _source_column(table.headers, fields, definition, found)
    if named_by:
        warnings.append("the column 'source' names the source of each row")
        fields = {n: mapped for n, mapped in fields.items() if named_by not in mapped.columns}
    default = source.source if isinstance(source, SourceDefinition) else source
    usual = (found.stands_in_for or found.source) if found else _name_of(table.name)
    name = usual if found and found.stands_in_for else default or usual
    if default and not found:
        warnings += _misspelt(default, rules)
    if not (default or found or named_by):
        warnings.append(f"no known source: the records are kept under the name {name!r}")
    frame = _without_blank_rows(table.frame.with_row_index(_ROW), warnings)
    frame, skipped = _kept(frame, found)
    if skipped:
        warnings.append(f"rows that are no records by the rules of {name}, skipped: {skipped}")
    fields = _without_doubtful_key(frame, fields, warnings)
    custom = _custom_columns(table.headers, fields, found, named_by, key)
    drift = _drift(table, found, custom, warnings)
    if not set(fields) - {"source_key"}:
        raise InputError(
            f"{table.name}: none of its columns ({', '.join(table.headers[:8])}) is known to be a "
            f"field of {definition.entity}; say which is which in a mapping file "
            f"(--source FILE.yml){''.join(f'; {warning}' for warning in table.warnings)}"
        )
    records = _records(frame, table, fields, definition, found, custom)
    own = filled(frame, named_by).str.strip_chars() if named_by else pl.lit(None, pl.String)
    sources = (
        frame.select(own.fill_null(name).alias("source"))
        if named_by
        else frame.select(pl.repeat(name, pl.len(), dtype=pl.String).alias("source"))
    )
    records = records.with_columns(sources["source"])
    keys, told = keys_of(frame, records, fields, found, key, table.name)
    records = _finished(records, keys, definition)
    repeated = records.filter(pl.struct("source", "source_key").is_duplicated()).height
    if repeated:
        warnings.append(
            f"{repeated:,} rows share their key with another row of the file: they are versions of "
            "one record each, the latest counts"
        )
    warnings += [*told, *_tallied(records), *_guesses(fields)]
    hashes = "".join(records["content_hash"]) if not table.file_hash else ""
    return Intake(
        records={definition.entity: records},
        source=name,
        origin=table.name,
        file_hash=table.file_hash or hashlib.sha256(hashes.encode()).hexdigest(),
        mapping=fields,
        unmapped=tuple(custom),
        drift=drift,
        skipped=skipped,
        recognised=found.source if found else None,
        warnings=(*table.warnings, *warnings),
    )


def take_in_all(
    table: Table,
    rules: RuleSet,
    *,
    entity: str = "contact",
    source: str | SourceDefinition | None = None,
    key: Sequence[str] | None = None,
) -> list[Intake]:
    """As `take_in`, and the records of other entities that the source says its rows hold ``also``.

    Returns:
        The records asked for first; the others are marked ``is_further``.
    """
    first = take_in(table, rules, entity=entity, source=source, key=key)
    known = rules.sources.get(first.recognised or "")
    further = [
        replace(
            take_in(table, rules, source=rules.source(name)),
            is_further=True,
            warnings=(),
            stands_in=rules.source(name).stands_in_for is not None,
        )
        for name in (known.also if known is not None else ())
    ]
    return [first, *(one for one in further if one.records[_entity_of(one)].height)]


def _entity_of(intake: Intake) -> str:
    return next(iter(intake.records))


def _definition(
    table: Table, rules: RuleSet, source: str | SourceDefinition | None, entity: str
) -> tuple[SourceDefinition | None, list[str]]:
    if isinstance(source, SourceDefinition):
        return source, []
    if source is not None and source in rules.sources:
        return rules.sources[source], []
    # No system's export says "source_key": such a file speaks our own words throughout.
    found = None if "source_key" in table.headers else recognise(table.headers, rules.sources)
    if found is None:
        return None, []
    title = f" ({found.title})" if found.title else ""
    if entity not in ("contact", found.entity):
        told = f"looks like {found.source}{title}, but is taken as {entity}, as asked"
        return None, [told]
    return found, [f"recognised as {found.source}{title}"]


def _misspelt(name: str, rules: RuleSet) -> list[str]:
    """What to tell of a new source that bears nearly the name of a known one."""
    near = process.extractOne(name, list(rules.sources), score_cutoff=_NEARLY)
    if near is None:
        return []
    return [f"{name!r} is a source of its own now; did you mean {near[0]!r}, which is known?"]


def _name_of(file: str) -> str:
    """A name for an unknown source that next month's export has too: without date and copy number.

    Other digits stay: shop1 and shop2 are two shops.
    """
    stem = PurePath(file).stem
    dated = r"[-_ .(]*(?:19|20)\d\d[-_.]?\d\d[-_.]?\d\d[\d\-_ .:T()]*$"
    return re.sub(r" \(\d+\)$", "", re.sub(dated, "", stem)).strip() or "file"


def _source_column(
    headers: Sequence[str],
    fields: Mapping[str, MappedField],
    definition: EntityDefinition,
    found: SourceDefinition | None,
) -> str | None:
    """The column that names each row's source, in a file that uses canonical names.

    In other files a column called ``source`` says where a lead came from.
    """
    if found is not None or "source" not in headers or "source" in definition.fields:
        return None
    if any(mapped.how == "given" and "source" in mapped.columns for mapped in fields.values()):
        return None
    canonical = sum(header in definition.fields for header in headers)
    return "source" if "source_key" in headers or canonical >= _LEAST_CANONICAL else None


def _without_blank_rows(frame: pl.DataFrame, warnings: list[str]) -> pl.DataFrame:
    """The rows with anything in them: spreadsheets leave rows of nothing but delimiters."""
    filled_somewhere = [
        pl.col(name).str.len_bytes().fill_null(0) > 0
        if kind == pl.String
        else pl.col(name).is_not_null()
        for name, kind in frame.schema.items()
        if name != _ROW
    ]
    kept = frame.filter(pl.any_horizontal(filled_somewhere)) if filled_somewhere else frame
    if kept.height < frame.height:
        warnings.append(f"blank rows left out: {frame.height - kept.height}")
    return kept


def _kept(frame: pl.DataFrame, source: SourceDefinition | None) -> tuple[pl.DataFrame, int]:
    """The rows that are records, and how many the source declares to be none."""
    if source is None:
        return frame, 0
    kept = frame.filter(~says(frame, source.skip_when)) if source.skip_when else frame
    skipped = frame.height - kept.height
    by_name = {normal(header): header for header in frame.columns}
    asked = [by_name[normal(name)] for name in source.when_filled if normal(name) in by_name]
    if source.when_filled:
        is_filled = [filled(kept, name).is_not_null() for name in asked]
        kept = kept.filter(pl.any_horizontal(is_filled)) if is_filled else kept.clear()
    return kept, skipped


def _without_doubtful_key(
    frame: pl.DataFrame, fields: dict[str, MappedField], warnings: list[str]
) -> dict[str, MappedField]:
    """The fields without a guessed key whose values do not tell the rows apart."""
    guessed = fields.get("source_key")
    if guessed is None or guessed.how != "guess":
        return fields
    column = frame.select(filled(frame, guessed.columns[0])).to_series()
    if not column.has_nulls() and column.n_unique() == frame.height:
        return fields
    warnings.append(f"the column {guessed.columns[0]!r} does not tell the rows apart: no key")
    return {name: mapped for name, mapped in fields.items() if name != "source_key"}


def _custom_columns(
    headers: Sequence[str],
    fields: Mapping[str, MappedField],
    source: SourceDefinition | None,
    named_by: str | None,
    key: Sequence[str] | None,
) -> list[str]:
    """What is neither a field, nor part of the key, nor says whether the row is a record."""
    used = {column for mapped in fields.values() for column in mapped.columns}
    told = {normal(column) for column in key or ()}
    if source is None:
        told |= {"is_deleted", "merged_into"}
    else:
        merged = source.merged_into.names if source.merged_into else ()
        columns = (*source.deleted_when, *source.skip_when, *merged, *source.key)
        told |= {normal(column) for column in columns}
    return [
        header
        for header in headers
        if header not in used
        and header != named_by
        and normal(header) not in told
        and not is_ignored(source, header)
    ]


def _drift(
    table: Table, source: SourceDefinition | None, custom: Sequence[str], warnings: list[str]
) -> Drift:
    if source is None:
        if custom:
            more = len(custom) - _MOST_NAMED
            warnings.append(
                f"columns that no field takes, kept as custom fields: "
                f"{', '.join(custom[:_MOST_NAMED])}{f' and {more:,} more' if more > 0 else ''}; "
                "where one is a field, say so in a mapping file (--source FILE.yml)"
            )
        return Drift()
    drift = drift_of(table.headers, source, custom)
    told = []
    if drift.missing:
        told.append(f"columns of {source.source} that are missing: {', '.join(drift.missing)}")
    if drift.unknown:
        told.append(
            f"columns that {source.source} does not know, kept as custom fields: "
            f"{', '.join(drift.unknown)}"
        )
    if told and source.on_drift == "fail":
        raise InputError(
            f"{table.name}: {'; '.join(told)}. The source says on_drift: fail: correct the export, "
            "or add the columns to the source's definition"
        )
    warnings += told
    return drift


def _records(
    frame: pl.DataFrame,
    table: Table,
    fields: Mapping[str, MappedField],
    definition: EntityDefinition,
    source: SourceDefinition | None,
    custom: Sequence[str],
) -> pl.DataFrame:
    """The contents of each row; its key and source are not known yet."""
    constants = source.constants if source else {}
    rows = canonical_values(frame, fields, definition, constants)
    number = frame[_ROW].cast(pl.Int64) + table.first_row
    return rows.with_columns(
        number.alias("row_number"),
        deletions(frame, source),
        merges(frame, source),
        json_objects(frame, sorted(custom), only_filled=True).alias("custom"),
        json_objects(frame, table.headers).alias("raw"),
        pl.Series("problem", [None] * frame.height, dtype=pl.String),
    ).pipe(_with_problems, table)


def _with_problems(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """``problem`` of the odd rows, and their text as ``(row)`` in ``raw``."""
    if table.problems.is_empty():
        return rows
    odd = table.problems.select(
        (pl.col("row") + table.first_row).alias("row_number"),
        pl.col("problem").alias("__problem"),
        pl.col("text").map_elements(json.dumps, return_dtype=pl.String).alias("__text"),
    )
    cells = pl.col("raw").str.strip_suffix("}")
    with_text = pl.concat_str(cells, pl.lit(',"(row)":'), "__text", pl.lit("}"))
    return (
        rows.join(odd, on="row_number", how="left", maintain_order="left")
        .with_columns(
            pl.col("__problem").alias("problem"),
            pl.coalesce(with_text, "raw").alias("raw"),
        )
        .drop("__problem", "__text")
    )


def _finished(rows: pl.DataFrame, keys: pl.Series, definition: EntityDefinition) -> pl.DataFrame:
    """RAW frame: with keys and hashes, columns in their order."""
    rows = rows.with_columns(
        keys.alias("source_key"),
        pl.when(pl.col("merged_into") != keys).then("merged_into").alias("merged_into"),
    )
    contents = [name for name in definition.fields if name in rows.columns and name != "source_key"]
    hashed = content_hashes(rows, [*contents, "custom", "is_deleted", "merged_into"])
    return rows.with_columns(hashed.alias("content_hash")).select(*contents, *BOOKKEEPING)


def _tallied(records: pl.DataFrame) -> list[str]:
    counts = records["problem"].drop_nulls().value_counts(sort=True)
    return [f"rows with the problem {problem}: {count}" for problem, count in counts.iter_rows()]


def _guesses(fields: Mapping[str, MappedField]) -> list[str]:
    guessed = [
        f"{' + '.join(mapped.columns)} → {name} ({mapped.confidence:.0%})"
        for name, mapped in fields.items()
        if mapped.how == "guess"
    ]
    return [f"guessed from the header: {', '.join(guessed)}"] if guessed else []
