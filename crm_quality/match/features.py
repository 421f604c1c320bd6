"""Standardised records → the columns that comparisons and blocking keys read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import MatchRole
from crm_quality.match.contact_points import email_features, mailbox_kind, phone_features
from crm_quality.match.mailboxes import with_company_of_mailbox, with_given_name_of_mailbox
from crm_quality.match.names import generation, given_name_features, surname_features
from crm_quality.match.organisations import company_features
from crm_quality.match.places import address_features, place
from crm_quality.match.regions import region
from crm_quality.match.text import digits, joined, words
from crm_quality.standardise.column import on_distinct

if TYPE_CHECKING:
    from collections.abc import Callable

    from crm_quality.definitions import EntityDefinition


#: Share of records that must tell their region for it to be looked at.
TOLD = 0.3


def present(frame: pl.DataFrame, definition: EntityDefinition, role: MatchRole) -> list[str]:
    """Fields of ``role`` that are columns of ``frame`` and hold at least one value."""
    return [
        name
        for name in definition.fields_of_role(role)
        if name in frame.columns and frame[name].null_count() < frame.height
    ]


#: Longer texts are cut: comparing two costs the product of their lengths.
LONGEST = 120


def features(  # noqa: C901 - one branch for each kind of evidence
    frame: pl.DataFrame, definition: EntityDefinition
) -> pl.DataFrame:
    """Columns for comparing and blocking, of those fields that the frame has.

    Args:
        frame: Standardised records with Int64 ``record_id``.
        definition: The entity; its match roles say which field is evidence of what.

    Returns:
        One row per record: ``id`` and derived columns, all null where nothing can be derived.
        Texts are folded (lower case, no accents); lists hold folded texts, never null elements.
    """
    frame = frame.with_columns(pl.col(pl.String).str.slice(0, LONGEST))
    have = {role: present(frame, definition, role) for role in MatchRole}
    extra = dict(definition.matching.nicknames) if definition.matching else {}
    parts = [frame.select(pl.col("record_id").alias("id"))]
    if fields := have[MatchRole.GIVEN_NAME]:
        parts.append(_once(frame, fields[0], lambda name: given_name_features(name, extra)))
    if fields := have[MatchRole.SURNAME]:
        parts.append(_once(frame, fields[0], surname_features))
    parts.append(_small_fields(frame, have))
    if fields := have[MatchRole.EMAIL]:
        parts.append(email_features(frame, fields))
    if fields := [*have[MatchRole.MOBILE], *have[MatchRole.PHONE]]:
        parts.append(phone_features(frame, fields, have[MatchRole.MOBILE]))
    if fields := have[MatchRole.COMPANY_NAME]:
        core = f"{fields[0]}_core"
        name = core if core in frame.columns else fields[0]
        parts.append(_once(frame, name, company_features))
    telling = [have[role] for role in (MatchRole.COUNTRY, MatchRole.PHONE, MatchRole.EMAIL)]
    telling[1] = [*have[MatchRole.MOBILE], *telling[1]]
    if any(telling):
        told = region(frame, *telling)
        if told.null_count() <= (1 - TOLD) * told.len():
            parts.append(told.to_frame())
    address = {
        role: have[role][0]
        for role in (MatchRole.STREET, MatchRole.POSTCODE, MatchRole.CITY, MatchRole.STATE)
        if have[role]
    }
    if address:
        parts.append(address_features(frame, address))
    made = pl.concat([part for part in parts if part.width], how="horizontal")
    if "local" in made.columns:
        made = made.with_columns(mailbox_kind(made.columns))
        if {"given", "surname"} <= set(made.columns):
            made = with_given_name_of_mailbox(made, extra)
        if "company" in made.columns:
            made = with_company_of_mailbox(made)
    return made


def _once(
    frame: pl.DataFrame, field: str, made: Callable[[pl.Series], pl.DataFrame]
) -> pl.DataFrame:
    """The columns made of ``field``, computed once for each distinct value."""
    return on_distinct(frame.select(field), lambda some: made(some[field]))


def _small_fields(frame: pl.DataFrame, have: dict[MatchRole, list[str]]) -> pl.DataFrame:
    made: list[pl.Expr] = []
    if fields := have[MatchRole.MIDDLE_NAME]:
        made.append(joined(words(pl.col(fields[0]))).alias("middle"))
    if fields := have[MatchRole.NAME_SUFFIX]:
        made.append(generation(pl.col(fields[0])).alias("suffix"))
    if fields := have[MatchRole.GENDER]:
        made.append(words(pl.col(fields[0])).str.slice(0, 1).alias("gender"))
    if fields := have[MatchRole.DATE_OF_BIRTH]:
        made.append(_birth_date(frame, fields[0]))
    if fields := have[MatchRole.BIRTH_PLACE]:
        made.append(place(pl.col(fields[0])).alias("birth_place"))
    if fields := have[MatchRole.JOB_TITLE]:
        made.append(words(pl.col(fields[0])).alias("job_title"))
    if fields := have[MatchRole.IDENTIFIER]:
        numbers = [joined(words(pl.col(name))) for name in fields]
        made.append(pl.concat_list(numbers).list.drop_nulls().alias("identifiers"))
        made.append(pl.coalesce(numbers).alias("identifier"))
    if fields := have[MatchRole.DOMAIN]:
        sites = [_domain(pl.col(name)) for name in fields]
        made.append(pl.coalesce(sites).alias("domain"))
    return frame.select(made)


def _birth_date(frame: pl.DataFrame, field: str) -> pl.Expr:
    """Eight digits, year first; a date that is not one (1786-85-11) still shows its digits."""
    date = pl.col(field).dt.strftime("%Y%m%d")
    if f"{field}__raw" in frame.columns:
        raw = pl.col(f"{field}__raw").str.strip_chars()
        shaped = raw.str.contains(r"^\d{4}\D?\d{2}\D?\d{2}$")
        date = date.fill_null(pl.when(shaped).then(digits(raw)))
    return date.alias("dob")


def _domain(column: pl.Expr) -> pl.Expr:
    bare = column.str.to_lowercase().str.replace(r"^[a-z]+://", "").str.replace(r"^www\d?\.", "")
    bare = bare.str.replace(r"[/?#:].*$", "")
    return pl.when(bare.str.contains(".", literal=True)).then(bare)
