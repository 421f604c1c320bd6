"""E-mail addresses and phone numbers made comparable: sets, parts, and who shares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.match.text import digits

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Providers of private mailboxes: sharing such a domain says nothing. First label of the domain.
FREE_MAIL = (
    "gmail", "googlemail", "yahoo", "ymail", "rocketmail", "hotmail", "outlook", "live", "msn",
    "passport", "aol", "aim", "icloud", "me", "mac", "mail", "email", "inbox", "proton",
    "protonmail",
    "pm", "tutanota", "tuta", "zoho", "fastmail", "hey", "yandex", "rambler", "list", "bk", "gmx",
    "web", "t-online", "freenet", "arcor", "posteo", "mailbox", "online", "aon", "chello", "a1",
    "bluewin", "hispeed", "sunrise", "gmx-topmail", "comcast", "verizon", "att", "sbcglobal", "cox",
    "charter", "bellsouth", "earthlink", "juno", "netzero", "optonline", "shaw", "rogers",
    "sympatico", "telus", "videotron", "bigpond", "optusnet", "xtra", "btinternet", "btopenworld",
    "sky", "talktalk", "virginmedia", "ntlworld", "blueyonder", "tiscali", "plusnet", "orange",
    "wanadoo", "free", "laposte", "sfr", "neuf", "bbox", "numericable", "skynet", "telenet",
    "proximus", "ziggo", "kpnmail", "planet", "xs4all", "hetnet", "home", "casema", "libero",
    "virgilio", "alice", "tin", "telefonica", "terra", "movistar", "sapo", "iol", "uol", "bol",
    "ig",
    "onet", "wp", "o2", "interia", "gazeta", "poczta", "op", "seznam", "centrum", "atlas", "volny",
    "freemail", "citromail", "bredband", "comhem", "telia", "spray", "tele2", "online", "getmail",
    "naver", "daum", "hanmail", "qq", "163", "126", "sina", "sohu", "foxmail", "rediffmail",
    "example",
)  # fmt: skip

#: Mailboxes of a function, not of a person.
ROLES = (
    "info", "office", "contact", "kontakt", "sales", "vertrieb", "support", "service", "admin",
    "hello", "mail", "team", "marketing", "accounts", "accounting", "billing", "buchhaltung", "hr",
    "jobs", "webmaster", "postmaster", "noreply", "no-reply", "enquiries", "help", "reception",
    "sekretariat", "verwaltung", "einkauf", "purchasing", "secretary", "family", "familie",
)  # fmt: skip

#: Digits of a national number that identify it; country code and trunk prefix differ in writing.
NATIONAL = 9


def _lists(frame: pl.DataFrame, fields: Sequence[str]) -> list[pl.Expr]:
    """Each field as a list of texts; a value that could not be read still shows as it came."""
    made = []
    for name in fields:
        column = pl.col(name)
        if frame.schema[name] == pl.List:
            made.append(column.fill_null([]))
            continue
        note, raw = f"{name}__note", f"{name}__raw"
        if note in frame.columns and raw in frame.columns:
            column = pl.coalesce(column, pl.when(pl.col(note) == "invalid").then(pl.col(raw)))
        made.append(pl.concat_list(column).list.drop_nulls())
    return made


def email_features(frame: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """Columns of the mailboxes of each record.

    Returns:
        ``mail`` (the first), ``local`` (its part before the @, without a plus-tag), ``letters`` and
        ``local_digits`` (of the local part), ``mail_domains`` (without the
        providers of private mailboxes) and ``mails`` (the set of all).
    """
    value = pl.element().str.to_lowercase().str.replace_all(r"\s", "")
    clean = value.str.replace(r"\+[^@]*@", "@")
    listed = pl.concat_list(_lists(frame, fields)).list.eval(clean.filter(clean != ""))
    sets = frame.select(listed.list.unique(maintain_order=True).alias("mails"))
    mail = pl.col("mails").list.first()
    local = mail.str.extract(r"^([^@]+)")
    letters = local.str.replace_all(r"[^\p{L}]", "")
    return sets.select(
        "mails",
        mail.alias("mail"),
        local.alias("local"),
        pl.when(letters.str.len_chars() >= 4).then(letters).alias("letters"),
        digits(local).alias("local_digits"),
        pl.col("mails").list.eval(_own_domain()).list.unique().alias("mail_domains"),
    )


def mailbox_kind(columns: Sequence[str]) -> pl.Expr:
    """What the letters of a mailbox tell.

    0 = a word of its own, 1 = built from the holder's names, 2 = one of the names alone,
    3 = a function.

    Letters that are the name again are no second piece of evidence, and the many mailboxes named by
    a given name alone (``laura260``, ``laura845``) would pass for one.

    Args:
        columns: Columns of the features, with ``local`` and ``letters``.
    """
    letters = pl.col("letters")
    names = [pl.col(name) for name in ("given_1", "given", "surname") if name in columns]
    alone = pl.any_horizontal(pl.lit(False), *(letters == name for name in names))
    built = pl.any_horizontal(
        pl.lit(False),
        *(letters.str.contains(name, literal=True) & (name.str.len_chars() > 2) for name in names),
    )
    kind = pl.when(pl.col("local").is_in(ROLES)).then(3).when(alone).then(2).when(built).then(1)
    return kind.otherwise(0).cast(pl.Int8).alias("mail_kind")


def _own_domain() -> pl.Expr:
    domain = pl.element().str.extract(r"@(.+)$").drop_nulls()
    return domain.filter(~domain.str.extract(r"^([^.]+)").is_in(FREE_MAIL))


def phone_features(
    frame: pl.DataFrame, fields: Sequence[str], mobile: Sequence[str]
) -> pl.DataFrame:
    """Columns of the numbers of each record.

    Args:
        frame: Standardised records.
        fields: All fields that hold numbers.
        mobile: Those of them that hold the person's own number.

    Returns:
        ``phone`` (digits of the first number), ``phones`` (the set of all, last digits only) and
        ``mobiles`` (the set of own numbers).
    """

    def numbers(names: Sequence[str]) -> pl.Expr:
        lists = [column.list.eval(digits(pl.element())) for column in _lists(frame, names)]
        return pl.concat_list(lists).list.drop_nulls()

    def ends(listed: pl.Expr) -> pl.Expr:
        last = pl.element().str.tail(NATIONAL)
        return listed.list.eval(last.filter(last.str.len_chars() >= 6)).list.unique(
            maintain_order=True
        )

    everything = numbers(fields)
    made = [everything.list.first().alias("phone"), ends(everything).alias("phones")]
    own = numbers(mobile) if mobile else pl.lit([], dtype=pl.List(pl.String))
    return frame.select(*made, ends(own).alias("mobiles"))
