"""At which known company a contact works: by mail and web domain, then by name in its country.

Contacts name their employer as they like (*Acme Ltd*, *ACME Limited, London*) or not at all
(``ann@acme.com``). Where companies are known, all these are one workplace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import MatchRole
from crm_quality.match.contact_points import FREE_MAIL, email_features
from crm_quality.match.features import company_of, present, site_domain
from crm_quality.match.regions import region

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition

#: Sites on which many have a page: no company's own.
HOSTS = (
    "facebook", "linkedin", "instagram", "twitter", "x", "xing", "youtube", "google", "wixsite",
    "wordpress", "blogspot", "weebly", "jimdo", "tumblr", "etsy", "ebay", "amazon", "booking",
    "tripadvisor", "yelp", "linktr", "github",
)  # fmt: skip

WORKPLACE = {
    "record_id": pl.Int64, "company_id": pl.Int64, "found_by": pl.String, "name": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Companies:
    """What companies are found by.

    Attributes:
        by_domain: ``domain``, ``company_id``.
        by_name: ``company`` (folded, legal form apart), ``legal_form``, ``region`` (calling code),
            ``company_id``.
        names: ``company_id``, ``name``: that which most of its records bear.
    """

    by_domain: pl.DataFrame
    by_name: pl.DataFrame
    names: pl.DataFrame

    @classmethod
    def of(cls, companies: pl.DataFrame, definition: EntityDefinition) -> Companies:
        """The companies of a store.

        Args:
            companies: Standardised records with ``record_id`` and ``entity_id``.
            definition: Of them.
        """
        told = _told(companies, definition).with_columns(companies["entity_id"].alias("company_id"))
        names = (
            told.drop_nulls("written")
            .group_by("company_id", "written")
            .len()
            .sort("company_id", "len", "written", descending=[False, True, False])
            .unique("company_id", keep="first", maintain_order=True)
        )
        return cls(
            by_domain=told.select("company_id", pl.col("domains").alias("domain"))
            .explode("domain")
            .drop_nulls()
            .unique(),
            by_name=told.select("company", "legal_form", "region", "company_id")
            .drop_nulls("company")
            .unique(),
            names=names.select("company_id", pl.col("written").alias("name")),
        )

    def workplaces(self, contacts: pl.DataFrame, definition: EntityDefinition) -> pl.DataFrame:
        """The company of each contact, where exactly one fits.

        A domain that one company has decides; of several companies with it that one of the
        contact's company's name. Without any known domain the name does, among the companies of the
        contact's country where that is known and some are of it.

        Args:
            contacts: Standardised records with ``record_id``.
            definition: Of them.

        Returns:
            ``record_id``, ``company_id``, ``found_by`` (domain, name) and the company's ``name``.
        """
        told = _told(contacts, definition)
        domain, name = self._of_domain(told), self._of_name(told)
        several = pl.len().over("record_id") > 1
        by_domain = pl.concat(
            [
                domain.filter(~several),
                _only(domain.filter(several).join(name, on=list(name.columns), how="semi")),
            ]
        )
        by_name = _only(name.join(domain, on="record_id", how="anti"))
        return (
            pl.concat(
                some.with_columns(pl.lit(how).alias("found_by"))
                for some, how in ((by_domain, "domain"), (by_name, "name"))
            )
            .join(self.names, on="company_id", how="left")
            .select(*WORKPLACE)
            .sort("record_id")
        )

    def _of_domain(self, told: pl.DataFrame) -> pl.DataFrame:
        """``record_id``, ``company_id``: by the longest ending of a domain that is known."""
        asked = told.select("record_id", "domains").explode("domains").drop_nulls()
        labels = pl.col("domains").str.split(".")
        endings = pl.int_ranges(0, labels.list.len().cast(pl.Int64) - 1)
        found = (
            asked.with_columns(endings.alias("dropped"))
            .explode("dropped")
            .drop_nulls()
            .with_columns(
                labels.list.slice(pl.col("dropped")).list.join(".").alias("domain"),
            )
            .join(self.by_domain, on="domain")
        )
        longest = pl.col("dropped").min().over("record_id", "domains")
        return found.filter(pl.col("dropped") == longest).select("record_id", "company_id").unique()

    def _of_name(self, told: pl.DataFrame) -> pl.DataFrame:
        """``record_id``, ``company_id``: companies of the name that no country rules out."""
        found = told.select("record_id", "company", "legal_form", "region").join(
            self.by_name, on="company", suffix="_of"
        )
        same_form = (pl.col("legal_form") == pl.col("legal_form_of")).fill_null(value=True)
        near = pl.col("region") == pl.col("region_of")
        fitting = found.filter(same_form, near.fill_null(value=True)).with_columns(
            near.fill_null(value=False).alias("near")
        )
        nearest = pl.col("near") == pl.col("near").max().over("record_id")
        return fitting.filter(nearest).select("record_id", "company_id").unique()


def _only(found: pl.DataFrame) -> pl.DataFrame:
    """Those with one company."""
    return found.filter(pl.len().over("record_id") == 1)


def _told(frame: pl.DataFrame, definition: EntityDefinition) -> pl.DataFrame:
    """``record_id``, ``written``, ``company``, ``legal_form``, ``region``, ``domains``."""
    nothing = pl.lit(None, dtype=pl.String)
    names = present(frame, definition, MatchRole.COMPANY_NAME)[:1]
    emails = present(frame, definition, MatchRole.EMAIL)
    phones = [
        name
        for role in (MatchRole.MOBILE, MatchRole.PHONE)
        for name in present(frame, definition, role)
    ]
    sites = [
        name
        for name, field in definition.fields.items()
        if name in frame.columns and (field.type == "url" or field.match == MatchRole.DOMAIN)
    ]
    made = frame.select("record_id")
    if names:
        core = f"{names[0]}_core"
        written = pl.col(core if core in frame.columns else names[0])
        made = made.hstack(frame.select(written.alias("written")))
        made = made.hstack(company_of(frame, names[0]).select("company", "legal_form"))
    else:
        made = made.with_columns(nothing.alias(n) for n in ("written", "company", "legal_form"))
    told = region(frame, present(frame, definition, MatchRole.COUNTRY), phones, emails)
    listed = [pl.concat_list(site_domain(pl.col(name))) for name in sites]
    domains = frame.select(pl.concat_list(listed).alias("sites")) if sites else None
    mail = email_features(frame, emails).select("mail_domains") if emails else None
    parts = [part for part in (domains, mail) if part is not None]
    if not parts:
        return made.with_columns(told, pl.lit([], dtype=pl.List(pl.String)).alias("domains"))
    every = pl.concat(parts, how="horizontal").select(
        pl.concat_list(pl.all()).list.eval(_owned()).list.unique().list.sort().alias("domains")
    )
    return made.with_columns(told).hstack(every)


def _owned() -> pl.Expr:
    one = pl.element().drop_nulls()
    host = one.str.extract(r"([^.]+)\.(?:(?:com?|org|net)\.)?[^.]+$")
    return one.filter(~host.is_in([*FREE_MAIL, *HOSTS]))
