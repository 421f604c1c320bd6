"""Which source a header tells of."""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crm_quality.definitions import SourceDefinition

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
    spread = Counter(name for source in sources.values() for name in _mapped_names(source))
    best: tuple[float, str] | None = None
    for name, source in sorted(sources.items()):
        if not any(
            _bears(have, *map(_normals, (s.all_of, s.any_of, s.none_of)))
            for s in source.recognised_by
        ):
            continue
        score = sum(1 / max(1, spread[column]) for column in have if knows(source, column))
        if best is None or score > best[0]:
            best = (score, name)
    return sources[best[1]] if best else None


def _normals(names: Sequence[str]) -> set[str]:
    return {normal(name) for name in names}


def _bears(have: set[str], all_of: set[str], any_of: set[str], none_of: set[str]) -> bool:
    return all_of <= have and (not any_of or bool(any_of & have)) and not none_of & have


def _mapped_names(source: SourceDefinition) -> set[str]:
    """Columns that a source maps or expects, in the form in which they are compared."""
    names = {name for mapping in source.columns.values() for name in mapping.names}
    if source.merged_into is not None:
        names |= set(source.merged_into.names)
    names |= {*source.key, *source.deleted_when, *source.skip_when, *source.expects}
    for signature in source.recognised_by:
        names |= {*signature.all_of, *signature.any_of}
    return {normal(name) for name in names}


def knows(source: SourceDefinition, column: str) -> bool:
    """True when a column (in compared form) is mapped, expected, known or ignored."""
    return column in _mapped_names(source) or matches((*source.known, *source.ignore), column)


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
