"""A file of further knowledge → proposals: whose each row is, what is new in it, what stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.engine.entry import judge_entries
from crm_quality.errors import InputError
from crm_quality.intake import map_fields
from crm_quality.intake.cells import canonical_values
from crm_quality.intake.contents import filled
from crm_quality.intake.recognition import normal
from crm_quality.merge import kept_text, typed
from crm_quality.standardise.email import standardise_emails
from crm_quality.store.golden import golden_of
from crm_quality.store.proposals import (
    customers_by_id,
    customers_by_key,
    golden_since,
    owners_of_mail,
    proposals,
)

if TYPE_CHECKING:
    from datetime import date, datetime

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.intake import Table
    from crm_quality.store import Store

KEYS = ("entity_id", "source", "source_key")
_LISTS = (FieldType.EMAILS, FieldType.PHONES)

#: What became of each cell of a file, and of each row that names nobody (``field`` is null).
LINES = pl.Schema(
    {
        "row_number": pl.Int64(),
        "entity_id": pl.Int64(),
        "field": pl.String(),
        "given": pl.String(),
        "value": pl.String(),
        "old_value": pl.String(),
        "updated_at": pl.Datetime("us"),
        "outcome": pl.String(),
        "reason": pl.String(),
    }
)


@dataclass(frozen=True)
class Enriching:
    """What proposals are made under.

    Attributes:
        rules: The project's.
        country: Region of phone numbers that nothing else tells.
        entity: What the rows are about.
        source: Who says so.
        moment: When the file came, UTC.
        as_of: The day that counts as today.
    """

    rules: RuleSet
    country: str | None
    entity: str
    source: str
    moment: datetime
    as_of: date


def lines_of(store: Store, table: Table, how: Enriching) -> tuple[pl.DataFrame, list[str]]:
    """Judge every filled cell of a file.

    Args:
        store: Open store; nothing is written.
        table: The file.
        how: Who says so, when, and by which rules.

    Returns:
        Frame of `LINES` in the order of the file, ``outcome`` being ``proposed``, ``known``,
        ``pinned``, ``newer``, ``outdone``, ``refused`` or ``nobody``, with the reason; and notes.

    Raises:
        InputError: No column is a field, or none names a customer.
    """
    definition = how.rules.entity(how.entity)
    keys = {normal(h): h for h in table.headers if normal(h) in KEYS}
    headers = [header for header in table.headers if header not in keys.values()]
    known = how.rules.sources.get(how.source)
    fields = map_fields(headers, definition, known if known and known.columns else None, None)
    fields = {n: one for n, one in fields.items() if n in definition.columns}
    mails = [n for n in definition.fields_of_type(FieldType.EMAIL) if n in fields]
    if not ("entity_id" in keys or {"source", "source_key"} <= keys.keys() or mails):
        raise InputError(
            f"{table.name} does not say whom it is about: it needs a column entity_id, columns "
            "source and source_key, or an e-mail address"
        )
    if not set(fields) - {"created_at", "updated_at"}:
        raise InputError(
            f"{table.name}: none of its columns ({', '.join(headers[:8])}) is known to be a field "
            f"of {how.entity}"
        )
    used = {column for one in fields.values() for column in one.columns}
    unused = [header for header in headers if header not in used]
    notes = [f"{table.name}: columns that are no field, left out: {', '.join(unused)}"]
    texts = canonical_values(table.frame, fields, definition, {})
    lists = [name for name, kind in texts.schema.items() if isinstance(kind, pl.List)]
    texts = texts.with_columns(pl.col(name).list.join(";") for name in lists)
    named = table.frame.select(
        filled(table.frame, header).cast(pl.String).str.strip_chars().alias(f"_{name}")
        for name, header in keys.items()
    )
    first = table.first_row
    texts = pl.concat([texts, named], how="horizontal").with_columns(
        pl.int_range(first, first + pl.len(), dtype=pl.Int64).alias("line")
    )
    whose = _whose(store, texts, definition, mails)
    lines = _judged(store, texts, whose, definition, how)
    nobody = whose.filter(pl.col("entity_id").is_null()).select(
        pl.col("line").alias("row_number"), pl.lit("nobody").alias("outcome"), "reason"
    )
    whole = pl.concat([LINES.to_frame(), lines, nobody], how="diagonal")
    return whole.sort("row_number", "field", nulls_last=False), notes if unused else []


def _whose(
    store: Store, texts: pl.DataFrame, definition: EntityDefinition, mails: list[str]
) -> pl.DataFrame:
    """``line``, ``entity_id`` (null = nobody), ``by`` (id, key, mail), ``reason`` if nobody."""
    entity, none = definition.entity, pl.lit(None, pl.String)
    cell = {name: pl.col(f"_{name}") if f"_{name}" in texts.columns else none for name in KEYS}
    mail = written = none
    if mails:
        written = pl.col(mails[0]).str.strip_chars()
        read = standardise_emails(texts[mails[0]])["value"]
        texts = texts.with_columns(read.alias("_mail"))
        mail = pl.col("_mail")
    has_key = cell["source"].is_not_null() & cell["source_key"].is_not_null()
    asked = texts.select(
        "line",
        cell["source"].alias("source"),
        cell["source_key"].alias("source_key"),
        cell["entity_id"].alias("id_text"),
        cell["entity_id"].cast(pl.Int64, strict=False).alias("asked"),
        mail.alias("mail"),
        (written.str.len_bytes() > 0).fill_null(value=False).alias("is_written"),
        pl.when(has_key)
        .then(pl.lit("key"))
        .when(cell["entity_id"].is_not_null())
        .then(pl.lit("id"))
        .when(mail.is_not_null())
        .then(pl.lit("mail"))
        .alias("by"),
    )
    by_key = customers_by_key(store, entity, asked.filter(pl.col("by") == "key"))
    by_id = customers_by_id(store, entity, asked.filter(pl.col("by") == "id").drop_nulls("asked"))
    owners = owners_of_mail(store, entity, mails, asked.filter(pl.col("by") == "mail"))
    counted = owners.group_by("mail").agg(
        pl.len().alias("owners"), pl.col("entity_id").first().alias("mail_entity")
    )
    joined = (
        asked.join(by_key, on=["source", "source_key"], how="left", maintain_order="left")
        .rename({"entity_id": "key_entity"})
        .join(
            by_id.rename({"entity_id": "id_entity"}), on="asked", how="left", maintain_order="left"
        )
        .join(counted, on="mail", how="left", maintain_order="left")
    )
    found = (
        pl.when(pl.col("by") == "key")
        .then("key_entity")
        .when(pl.col("by") == "id")
        .then("id_entity")
        .when((pl.col("by") == "mail") & (pl.col("owners") == 1))
        .then("mail_entity")
    )
    joined = joined.with_columns(found.alias("entity_id"))
    alive = golden_of(store, entity, joined["entity_id"].drop_nulls().unique())
    is_alive = pl.col("entity_id").is_in(alive["entity_id"].implode())
    why = (
        pl.when(pl.col("by").is_null() & pl.col("is_written"))
        .then(pl.lit("its e-mail address cannot be read, or stands for nothing"))
        .when(pl.col("by").is_null())
        .then(pl.lit("the row names nobody: it has no source key, no entity_id and no e-mail"))
        .when((pl.col("by") == "key") & pl.col("entity_id").is_null())
        .then(pl.format("there is no accepted record {}:{}", "source", "source_key"))
        .when((pl.col("by") == "id") & pl.col("entity_id").is_null())
        .then(pl.format("there is no customer {}", "id_text"))
        .when((pl.col("by") == "mail") & pl.col("owners").is_null())
        .then(pl.lit("nobody has this e-mail address"))
        .when((pl.col("by") == "mail") & (pl.col("owners") > 1))
        .then(pl.format("{} customers have this e-mail address", "owners"))
        .when(~is_alive)
        .then(pl.format("the customer {} has no golden record", "entity_id"))
    )
    return joined.select(
        "line",
        pl.when(is_alive).then("entity_id").alias("entity_id"),
        "by",
        why.alias("reason"),
    )


def _judged(
    store: Store,
    texts: pl.DataFrame,
    whose: pl.DataFrame,
    definition: EntityDefinition,
    how: Enriching,
) -> pl.DataFrame:
    """Frame of `LINES`: every filled cell of rows that name somebody."""
    mails = set(definition.fields_of_type(FieldType.EMAIL))
    said = texts.join(
        whose.drop_nulls("entity_id").select("line", "entity_id", "by"), on="line"
    ).sort("line")
    # an address that says whose the row is says nothing new
    by_mail = next((name for name in said.columns if name in mails), None)
    if by_mail is not None:
        told = pl.when(pl.col("by") != "mail").then(by_mail)
        said = said.with_columns(told.alias(by_mail))
    said = said.drop("by", *(name for name in said.columns if name.startswith("_")))
    if said.is_empty():
        return LINES.to_frame()
    golden = golden_of(store, how.entity, said["entity_id"].unique())
    judged = judge_entries(
        said,
        golden,
        definition,
        source=how.source,
        sources=how.rules.sources,
        country=how.country,
        as_of=how.as_of,
    ).values
    old = golden.select(
        "entity_id",
        *(kept_text(golden[n]).alias(n) for n in said.columns if n in golden and n != "entity_id"),
    )
    old = old.unpivot(index="entity_id", variable_name="field", value_name="old_value")
    lines = (
        judged.filter(~pl.col("field").is_in(["created_at", "updated_at"]))
        .join(_moments(judged), on="line", how="left", maintain_order="left")
        .with_columns(pl.col("updated_at").fill_null(pl.lit(how.moment)))
        .join(old, on=["entity_id", "field"], how="left", maintain_order="left")
    )
    return _decided(store, lines, definition, how)


def _moments(judged: pl.DataFrame) -> pl.DataFrame:
    """``line``, ``updated_at``: as of when each row is true, where it says so."""
    told = judged.filter(pl.col("field") == "updated_at").drop_nulls("value")
    moment = typed(told["value"], pl.Datetime("us")).alias("updated_at")
    return told.select("line").with_columns(moment)


def _decided(
    store: Store, lines: pl.DataFrame, definition: EntityDefinition, how: Enriching
) -> pl.DataFrame:
    lists = list(definition.fields_of_type(*_LISTS))
    known = (
        proposals(store, entity=how.entity)
        .filter(pl.col("source") == how.source)
        .select(
            "entity_id",
            "field",
            pl.col("new_value").alias("value"),
            pl.format("proposal {} ({}) says so", "proposal_id", "status").alias("before"),
        )
        .unique(["entity_id", "field", "value"], keep="last", maintain_order=True)
    )
    lines = standing(store, lines, how.entity).join(
        known, on=["entity_id", "field", "value"], how="left", maintain_order="left"
    )
    is_same = pl.col("value") == pl.col("old_value")
    cases = [
        (pl.col("fault").is_not_null(), "refused", pl.col("fault")),
        (pl.col("field").is_in(lists), "refused",
         pl.lit("lists are pooled from records; propose a field of one address")),
        (pl.col("value").is_null(), "refused", pl.lit("it says nothing")),
        (is_same.fill_null(value=False), "known", pl.lit("the golden record says so")),
        (pl.col("before").is_not_null(), "known", pl.col("before")),
        (pl.col("is_pinned"), "pinned", pl.lit("a steward has pinned another value")),
        (pl.col("is_newer"), "newer", pl.lit("the golden value is newer")),
    ]  # fmt: skip
    outcome, reason = pl.lit("proposed"), pl.lit(None, pl.String)
    for test, name, why in reversed(cases):
        outcome = pl.when(test).then(pl.lit(name)).otherwise(outcome)
        reason = pl.when(test).then(why).otherwise(reason)
    lines = lines.with_columns(outcome.alias("outcome"), reason.alias("reason"))
    # of several rows about one field of one customer, the latest counts
    lines = lines.sort("updated_at", "line", descending=True)
    said_again = (pl.col("outcome") == "proposed") & (
        pl.int_range(pl.len()).over("entity_id", "field", "outcome") > 0
    )
    latest = pl.col("line").first().over("entity_id", "field", "outcome")
    return lines.with_columns(
        pl.when(said_again).then(pl.lit("outdone")).otherwise("outcome").alias("outcome"),
        pl.when(said_again)
        .then(pl.format("row {} says it later", latest))
        .otherwise("reason")
        .alias("reason"),
    ).select(pl.col("line").alias("row_number"), *(n for n in LINES.names() if n != "row_number"))


def standing(store: Store, lines: pl.DataFrame, entity: str) -> pl.DataFrame:
    """What keeps a golden value from being replaced.

    Args:
        store: Open store.
        lines: ``entity_id``, ``field``, ``updated_at`` of what is proposed.
        entity: Name of the entity.

    Returns:
        The lines in their order with ``is_pinned``, and ``is_newer``: what the golden record says
        was true later than what is proposed; Boolean, never null.
    """
    since = golden_since(store, entity, lines).rename({"updated_at": "golden_at"})
    only = since.filter(pl.col("field").is_null()).select(
        "entity_id", pl.col("golden_at").alias("only_at")
    )
    by_field = since.drop_nulls("field")
    joined = lines.join(
        by_field, on=["entity_id", "field"], how="left", maintain_order="left"
    ).join(only.unique("entity_id"), on="entity_id", how="left", maintain_order="left")
    golden_at = pl.coalesce("golden_at", "only_at")
    return joined.with_columns(
        (pl.col("kind") == "pinned").fill_null(value=False).alias("is_pinned"),
        (pl.col("old_value").is_not_null() & (golden_at > pl.col("updated_at")))
        .fill_null(value=False)
        .alias("is_newer"),
    ).drop("golden_at", "only_at", "kind")
