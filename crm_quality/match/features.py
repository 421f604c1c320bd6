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
from crm_quality.standardise.company_name import standardise_company_names
from crm_quality.validate.conditions import column_type

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

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


#: Stands among the fields of a model where it looks at the region of records.
REGION = "region"


def fields_at_hand(frame: pl.DataFrame, definition: EntityDefinition) -> tuple[str, ...]:
    """The fields that are evidence and filled somewhere, and `REGION` where enough tell theirs."""
    have = {role: present(frame, definition, role) for role in MatchRole}
    named = [name for name in definition.fields if any(name in names for names in have.values())]
    told = _region(frame, have)
    if told is not None and told.null_count() <= (1 - TOLD) * told.len():
        named.append(REGION)
    return tuple(named)


def features(  # noqa: C901 - one branch for each kind of evidence
    frame: pl.DataFrame, definition: EntityDefinition, fields_of: Sequence[str] | None = None
) -> pl.DataFrame:
    """Columns for comparing and blocking, of those fields that the frame has.

    Args:
        frame: Standardised records with Int64 ``record_id``.
        definition: The entity; its match roles say which field is evidence of what.
        fields_of: As `fields_at_hand` gave them for the records that a model was trained on;
            null = those of ``frame``. The columns depend on nothing else.

    Returns:
        One row per record: ``id`` and derived columns, all null where nothing can be derived.
        Texts are folded (lower case, no accents); lists hold folded texts, never null elements.
    """
    frame = frame.with_columns(pl.col(pl.String).str.slice(0, LONGEST))
    used = set(fields_at_hand(frame, definition) if fields_of is None else fields_of)
    have = {
        role: [name for name in definition.fields_of_role(role) if name in used]
        for role in MatchRole
    }
    frame = _with_columns(frame, definition, used)
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
        named = company_of(frame, fields[0])
        employer = bool(have[MatchRole.SURNAME] or have[MatchRole.GIVEN_NAME])
        # the legal form of an employer tells nothing of a person
        parts.append(named.drop("legal_form") if employer else named)
    if REGION in used and (told := _region(frame, have)) is not None:
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


def _with_columns(
    frame: pl.DataFrame, definition: EntityDefinition, used: Collection[str]
) -> pl.DataFrame:
    """The frame with every field that is used, null where it has none of its own."""
    lacking = [name for name in definition.fields if name in used and name not in frame.columns]
    types = {name: column_type(definition.fields[name].type) for name in lacking}
    return frame.with_columns(pl.lit(None, dtype=types[name]).alias(name) for name in lacking)


def _region(frame: pl.DataFrame, have: Mapping[MatchRole, Sequence[str]]) -> pl.Series | None:
    countries, emails = have[MatchRole.COUNTRY], have[MatchRole.EMAIL]
    phones = [*have[MatchRole.MOBILE], *have[MatchRole.PHONE]]
    if not (countries or phones or emails):
        return None
    return region(frame, countries, phones, emails)


def company_of(frame: pl.DataFrame, field: str) -> pl.DataFrame:
    """The columns of the name of an organisation, its legal form read where nobody did."""
    core, form = f"{field}_core", f"{field}_legal_form"
    if core not in frame.columns:

        def read(names: pl.Series) -> pl.DataFrame:
            return company_features(standardise_company_names(names).select("legal_form", "core"))

        return _once(frame, field, read)
    legal_form = pl.col(form) if form in frame.columns else pl.lit(None, dtype=pl.String)
    parts = frame.select(legal_form.alias("legal_form"), pl.col(core).alias("core"))
    return on_distinct(parts, company_features)


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
        sites = [site_domain(pl.col(name)) for name in fields]
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


def site_domain(column: pl.Expr) -> pl.Expr:
    """``https://www.acme.com/en`` → ``acme.com``; null where there is no dot."""
    bare = column.str.to_lowercase().str.replace(r"^[a-z]+://", "").str.replace(r"^www\d?\.", "")
    bare = bare.str.replace(r"[/?#:].*$", "")
    return pl.when(bare.str.contains(".", literal=True)).then(bare)
