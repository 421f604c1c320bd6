"""Addresses that nobody reads, and domains that look like slips for great providers' domains."""

from __future__ import annotations

import re
import string

import polars as pl
from rapidfuzz.distance import OSA

#: Local parts that say there is no address, whatever the domain.
_NO_ADDRESS = (
    r"no[._-]?e?[._-]?mail|no[._-]?address|none|unknown|not[._-]?(?:provided|available|given|known)"
    r"|no[._-]?reply|do[._-]?not[._-]?reply|null|nil|keine?[._-]?(?:e?mail|adresse)|sans[._-]?e?mail"
    r"|test(?:ing|user|mail|email|account)?[0-9]*|asdf+|qwerty|x{3,}|dummy|fake|nobody|noone|placeholder"
)
#: Local parts that are dummies beside a domain that is one too.
_DUMMY = (
    r"email|e-mail|mail|user|username|name|your[._-]?(?:name|email)|someone|somebody"
    r"|sample|example|domain|abcd?|asd|qwe|na|n\.a|no|nope|123|1234|12345|123456|first\.?last"
)
_DUMMY_DOMAIN = (
    r"(?:example|test|testing|sample|abc|asd|qwe|na|none|nope|no|foo|bar|fake|dummy|123|1234)"
    r"\.(?:com|org|net|de|co\.uk|fr)"
)
_NO_DOMAIN = r"(?:no-?e?mail|no-?email|none|noaddress|nowhere|yourdomain|yourcompany|invalid)"
_ONE_LETTER = "|".join(f"{char}+@{char}+" for char in string.ascii_lowercase + string.digits)

#: Lower-case addresses that count as missing.
PLACEHOLDER = (
    rf"^(?:(?:{_NO_ADDRESS})@|(?:{_DUMMY})@{_DUMMY_DOMAIN}$"
    rf"|[^@]*@{_NO_DOMAIN}\.[a-z]+$|(?:{_ONE_LETTER})\.[a-z.]+$)"
)

#: Second-level name of a great provider → the domain that a slip in it was meant to be.
_PROVIDERS = {
    "gmail": "gmail.com",
    "googlemail": "googlemail.com",
    "yahoo": "yahoo.com",
    "hotmail": "hotmail.com",
    "outlook": "outlook.com",
    "icloud": "icloud.com",
    "protonmail": "protonmail.com",
    "comcast": "comcast.net",
    "btinternet": "btinternet.com",
}
#: Names one letter away from a provider's that are real.
_REAL = frozenset({"mail", "email", "ymail", "tmail", "gmail", "jmail", "hmail", "cloud", "out"})
_COM_SLIP = r"\.(?:con|cmo|ocm|comm|coom|vom|xom|cim|cpm|clm|cok|coml|come)$"
_CUT_SHORT = re.compile(r"^(gmail|hotmail|outlook|icloud|googlemail)\.(?:co|cm|om|c|m)$")


_DOTLESS = {domain.replace(".", ""): domain for domain in _PROVIDERS.values()}
_ENDS_IN_PROVIDER = re.compile(rf"^(.+?)({'|'.join(map(re.escape, _PROVIDERS.values()))})$")


def with_at(text: str) -> str:
    """``anngmail.com`` as ``ann@gmail.com``; other text as it is."""
    return _ENDS_IN_PROVIDER.sub(r"\1@\2", text)


def likely_domain(domain: str) -> str | None:
    """The provider's domain that ``domain`` is one slip away from; null if it is none."""
    if cut := _CUT_SHORT.match(domain):
        return _PROVIDERS[cut[1]]
    if (whole := _DOTLESS.get(domain)) is not None:
        return whole
    fixed = re.sub(_COM_SLIP, ".com", domain)
    name, _, ending = fixed.partition(".")
    if name not in _PROVIDERS and name not in _REAL:
        for provider, whole in _PROVIDERS.items():
            if f"{provider}.{ending}" == whole and OSA.distance(name, provider) == 1:
                return whole
    return fixed if fixed != domain else None


def is_doubtful_domain(addresses: pl.Series) -> pl.Series:
    """Which addresses have a domain that is probably a slip.

    Args:
        addresses: Lower-case addresses.

    Returns:
        Boolean, null for null.
    """
    domains = addresses.str.extract("@(.*)$")
    near = r"^[a-z0-9-]{3,11}\.(?:com|net)$"
    shapes = rf"{near}|{_COM_SLIP}|{_CUT_SHORT.pattern}"
    suspects = domains.filter(domains.str.contains(shapes)).unique()
    slips = [domain for domain in suspects if likely_domain(domain) is not None]
    return domains.is_in(pl.Series(slips, dtype=pl.String).implode())
