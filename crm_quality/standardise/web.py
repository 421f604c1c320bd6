"""Web addresses and internet domains."""

# ruff: noqa: SIM905 - a line of words reads better than a column of them
from __future__ import annotations

from functools import cache

import polars as pl
import tldextract

from crm_quality.standardise.column import NO_NOTE, note, on_distinct

_HOST = r"(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}[\p{L}\p{N}-]*\p{L}"
_URL = rf"^(?i:(https?):/*)?((?:[^/?#@\s:]+:[^/?#@\s]*@)?{_HOST}\.?(?::[0-9]+)?)([/?#]\S*)?$"
_JUNK = " <>\"'()[],;"

#: Providers of mailboxes and pages for everyone: their domains tell of no company.
FREE_DOMAINS = frozenset(
    "gmail.com googlemail.com yahoo.com yahoo.co.uk yahoo.fr yahoo.de ymail.com hotmail.com "
    "hotmail.co.uk hotmail.fr hotmail.de outlook.com outlook.de live.com live.co.uk live.fr "
    "msn.com icloud.com me.com mac.com aol.com gmx.de gmx.net gmx.at gmx.ch gmx.com web.de "
    "t-online.de freenet.de mail.com mail.ru yandex.ru yandex.com bk.ru list.ru inbox.ru "
    "protonmail.com proton.me pm.me orange.fr wanadoo.fr free.fr laposte.net sfr.fr libero.it "
    "virgilio.it tiscali.it alice.it comcast.net verizon.net att.net sbcglobal.net cox.net "
    "btinternet.com sky.com qq.com 163.com 126.com naver.com hanmail.net daum.net rediffmail.com "
    "uol.com.br bol.com.br terra.com.br wp.pl o2.pl onet.pl interia.pl seznam.cz centrum.cz "
    "bluewin.ch ziggo.nl kpnmail.nl planet.nl telenet.be skynet.be zoho.com fastmail.com "
    "facebook.com instagram.com linkedin.com twitter.com x.com youtube.com tiktok.com "
    "wixsite.com wordpress.com blogspot.com github.io".split()
)


def standardise_urls(texts: pl.Series) -> pl.DataFrame:
    """Web addresses: scheme and host in lower case, ``https`` where there is none.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` String without a slash after a bare host; ``note``: ``invalid``.
    """

    def read(frame: pl.DataFrame) -> pl.DataFrame:
        parts = pl.col("text").str.strip_chars(_JUNK).str.extract_groups(_URL).struct
        scheme, host, path = (parts.field(str(index)) for index in (1, 2, 3))
        scheme = scheme.str.to_lowercase().fill_null("https")
        path = path.fill_null("").str.replace(r"^/+$", "")
        host = host.str.to_lowercase().str.strip_chars_end(".")
        value = pl.concat_str(scheme, pl.lit("://"), host, path)
        return _noted(frame.with_columns(value=value))

    return on_distinct(texts.alias("text").to_frame(), read)


def standardise_domains(texts: pl.Series) -> pl.DataFrame:
    """Registered domains (public suffix and one label), from domains, hosts, URLs and addresses.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` String, lower case; ``note``: ``repaired`` where it was more than a host,
        ``invalid`` where there is no registered domain or it is one of `FREE_DOMAINS`.
    """

    def read(frame: pl.DataFrame) -> pl.DataFrame:
        text = pl.col("text").str.strip_chars(_JUNK).str.to_lowercase()
        plain = text.str.replace(r"^[^@\s]+@", "")
        frame = frame.with_columns(
            host=plain.str.extract(_URL, 2).str.strip_chars_end(".").str.replace(":[0-9]+$", ""),
            more=text.str.contains(r"[@/?#:]"),
        )
        frame = frame.with_columns(value=registered_domains(frame["host"]))
        frame = frame.with_columns(
            value=pl.when(~pl.col("value").is_in(FREE_DOMAINS)).then("value")
        )
        return _noted(frame).with_columns(
            note=pl.when(pl.col("value").is_not_null(), frame["more"])
            .then(note("repaired"))
            .otherwise("note")
        )

    return on_distinct(texts.alias("text").to_frame(), read)


def registered_domains(hosts: pl.Series) -> pl.Series:
    """The registered domain of each host by the public suffix list that tldextract brings.

    Args:
        hosts: Lower-case host names; distinct ones are looked up once.

    Returns:
        Domains; null where the host has none.
    """

    def look_up(frame: pl.DataFrame) -> pl.DataFrame:
        extract = _extractor()
        found = [
            extract(host).top_domain_under_public_suffix if host else None for host in frame["host"]
        ]
        return pl.DataFrame(
            {"domain": [text or None for text in found]}, schema={"domain": pl.String}
        )

    return on_distinct(hosts.alias("host").to_frame(), look_up)["domain"]


@cache
def _extractor() -> tldextract.TLDExtract:
    # no cache folder, no download: the list inside the package
    return tldextract.TLDExtract(cache_dir=None, suffix_list_urls=(), fallback_to_snapshot=True)


def _noted(frame: pl.DataFrame) -> pl.DataFrame:
    unread = pl.col("value").is_null() & pl.col("text").is_not_null()
    return frame.select("value", note=pl.when(unread).then(note("invalid")).otherwise(NO_NOTE))
