"""A best guess of what the columns of an unknown file mean, to be shown to people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from rapidfuzz import fuzz

from crm_quality.definitions import fold
from crm_quality.intake.header_words import FILLERS, WORDS, WORDS_OF_ENTITY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crm_quality.definitions import EntityDefinition

#: A guess below this is not made.
LEAST_CONFIDENCE = 0.75
_SHORTEST_FUZZY = 5
_LEAST_LIKENESS = 88.0
_KEY_LIKE = re.compile(r"(id|key|number|nr|no|num)$")
_FOLDED_FILLERS = tuple(sorted((fold(word) for word in FILLERS), key=len, reverse=True))


@dataclass(frozen=True, slots=True)
class Guess:
    """What one canonical field probably is in a file.

    Attributes:
        column: The file's column, as its header says.
        confidence: 1 = the very name; 0.98 a known synonym; less = near to one.
        how: ``canonical`` the field's own name, ``synonym`` a known word, ``similar`` near to one.
    """

    column: str
    confidence: float
    how: Literal["canonical", "synonym", "similar"]


def guess_mapping(headers: Iterable[str], definition: EntityDefinition) -> Mapping[str, Guess]:
    """Guess which columns hold which canonical fields, from the header alone.

    Args:
        headers: Column names.
        definition: The entity whose fields are looked for.

    Returns:
        Canonical field → guess, in the order of the definition's fields. A column and a field are
        used once; what is not clear enough is left out.
    """
    candidates = sorted(
        (
            (-guess.confidence, rank, position, field, guess)
            for position, header in enumerate(headers)
            for field, rank, guess in _candidates(header, definition)
        ),
        key=lambda candidate: candidate[:4],
    )
    found: dict[str, Guess] = {}
    used: set[str] = set()
    for _, _, _, field, guess in candidates:
        if field not in found and guess.column not in used:
            found[field] = guess
            used.add(guess.column)
    return {field: found[field] for field in definition.fields if field in found}


@cache
def _words(entity: str, field: str) -> tuple[str, ...]:
    """The field's own name and the other words for it, folded."""
    own = WORDS_OF_ENTITY.get(entity, {}).get(field)
    return tuple(map(fold, (field, *(WORDS.get(field, ()) if own is None else own))))


def _candidates(header: str, definition: EntityDefinition) -> Iterator[tuple[str, int, Guess]]:
    """Field, rank of the word among its synonyms, guess."""
    word = fold(header)
    if not word:
        return
    bare = _without_filler(word)
    for field in definition.fields:
        names = _words(definition.entity, field)
        if word == names[0]:
            yield field, 0, Guess(header, 1.0, "canonical")
        elif word in names:
            yield field, names.index(word), Guess(header, 0.98, "synonym")
        elif field == "source_key":
            if _KEY_LIKE.search(word) and any(f in word for f in (definition.entity, *_PERSONS)):
                yield field, len(names), Guess(header, 0.78, "similar")
        elif bare and bare in names:
            yield field, names.index(bare), Guess(header, 0.9, "similar")
        elif len(word) >= _SHORTEST_FUZZY:
            likeness, rank = max(
                (
                    (fuzz.ratio(word, name), -index)
                    for index, name in enumerate(names)
                    if len(name) >= _SHORTEST_FUZZY
                ),
                default=(0.0, 0),
            )
            if likeness >= _LEAST_LIKENESS:
                yield field, -rank, Guess(header, round(likeness / 100 * 0.9, 2), "similar")


_PERSONS = ("contact", "customer", "client", "person", "lead", "user", "member", "account",
            "kunde", "kontakt", "comp", "org")  # fmt: skip


def _without_filler(word: str) -> str:
    for filler in _FOLDED_FILLERS:
        if word.startswith(filler) and len(word) > len(filler):
            return word[len(filler) :]
    return ""
