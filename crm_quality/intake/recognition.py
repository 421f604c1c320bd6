"""Which source a header tells of."""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crm_quality.definitions import SourceDefinition
    from crm_quality.definitions.source import Signature

_BLANKS = re.compile(r"\s+")


def normal(header: str) -> str:
    """A column name as it is compared: lower case, without a mark, quotes and outer blanks."""
    return _BLANKS.sub(" ", header.replace("\ufeff", "").strip().strip('"').strip()).casefold()


def recognise(
    headers: Iterable[str], sources: Mapping[str, SourceDefinition]
) -> SourceDefinition | None:
    """The source whose signature the header bears; null when there is none.

    Of several sources, the one that knows most of the columns wins, where a column that few
    sources know counts more than one that all know.

    Args:
        headers: Column names, in any order and case.
        sources: Name → definition.
    """
    have = {normal(header) for header in headers}
    bearing = {
        name: source
        for name, source in sources.items()
        if any(_bears(have, signature) for signature in source.recognised_by)
    }
    if len(bearing) <= 1:
        return next(iter(bearing.values()), None)
    named = {name: mapped_names(source) for name, source in sources.items()}
    spread = Counter(column for names in named.values() for column in names)

    def score(name: str) -> tuple[float, str]:
        extra = (*sources[name].known, *sources[name].ignore)
        known = [c for c in have if c in named[name] or matches(extra, c)]
        return sum(1 / max(1, spread[column]) for column in known), name

    return sources[max(bearing, key=score)]


def _bears(have: set[str], signature: Signature) -> bool:
    all_of, any_of, none_of = (
        {normal(name) for name in names}
        for names in (signature.all_of, signature.any_of, signature.none_of)
    )
    return all_of <= have and (not any_of or bool(any_of & have)) and not none_of & have


def mapped_names(source: SourceDefinition) -> set[str]:
    """Columns that a source maps, reads or expects, in the form in which they are compared."""
    names = {name for mapping in source.columns.values() for name in mapping.names}
    if source.merged_into is not None:
        names |= set(source.merged_into.names)
    names |= {*source.key, *source.deleted_when, *source.skip_when, *source.expects}
    for signature in source.recognised_by:
        names |= {*signature.all_of, *signature.any_of}
    return {normal(name) for name in names}


def matches(patterns: tuple[str, ...], column: str) -> bool:
    """True when a column (in compared form) is one of ``patterns``, where ``*`` is any text."""
    compiled = _compiled(patterns)
    return compiled is not None and compiled.match(column) is not None


@lru_cache(maxsize=256)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    if not patterns:
        return None
    return re.compile("|".join(translate(_literal(normal(text))) for text in patterns))


def _literal(text: str) -> str:
    """Only ``*`` is special in these patterns: headers hold brackets and question marks."""
    return re.sub(r"[\[?]", lambda found: f"[{found.group()}]", text)
