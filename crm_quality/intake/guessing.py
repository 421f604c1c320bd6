"""A best guess of what the columns of an unknown file mean, to be shown to people."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal

from rapidfuzz import fuzz

from crm_quality.definitions import FieldType, fold
from crm_quality.intake.header_words import FILLERS, WORDS, WORDS_OF_ENTITY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crm_quality.definitions import EntityDefinition

#: A guess below this is not made.
LEAST_CONFIDENCE = 0.75
_SHORTEST_FUZZY = 5
_LEAST_LIKENESS = 88.0
_KEY_LIKE = re.compile(r"(id|key|number|nr|no|num)$")
_KEYS = (FieldType.KEY, FieldType.IDENTIFIER, FieldType.PHONE, FieldType.PHONES, FieldType.INTEGER)
#: Entity → whose keys identify its rows, as a column's name says it.
_WHOSE = {
    "contact": "contact|customer|client|person|lead|user|member|account|kunden?|kontakt",
    "company": "company|comp|organi[sz]ation|org|account|customer|client|kunden?|firm",
}
#: Words before a key that make it another record's.
_ANOTHERS = re.compile(
    r"associated|parent|owner|converted|master|manager|reports|campaign|partner$"
)
#: Names that look like a field's and are not.
_NO_FIELDS = frozenset({"username", "loginname"})
#: Field → words for columns that hold a part of it beside its main column.
_PARTS = {
    "street": ("street number", "house number", "house no", "hausnummer", "hausnr", "numero",
               "address 2", "address 3", "address line 2", "address line 3", "street 2",
               "unit number", "unit", "apartment", "apt", "suite"),
}  # fmt: skip
#: List field → fields whose other columns hold its items.
_FURTHER = {"other_emails": ("email",), "other_phones": ("phone", "mobile")}
_FOLDED_FILLERS = tuple(sorted((fold(word) for word in FILLERS), key=len, reverse=True))


@dataclass(frozen=True, slots=True)
class Guess:
    """What one canonical field probably is in a file.

    Attributes:
        columns: The file's columns, as its header says; several are parts of one value (house
            number and street) or items of a list (further phones).
        confidence: 1 = the very name; 0.98 a known synonym; less = near to one.
        how: ``canonical`` the field's own name, ``synonym`` a known word, ``similar`` near to one.
    """

    columns: tuple[str, ...]
    confidence: float
    how: Literal["canonical", "synonym", "similar"]


def guess_mapping(headers: Sequence[str], definition: EntityDefinition) -> Mapping[str, Guess]:
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
        if field not in found and guess.columns[0] not in used:
            found[field] = guess
            used.update(guess.columns)
    for field, part_words in _PARTS.items():
        if field in found:
            parts = (*found[field].columns, *_bearing(headers, part_words, used, fillers=True))
            found[field] = replace(found[field], columns=_in_order(parts, headers))
    for field, whose in _FURTHER.items():
        words = [word for other in whose for word in _words(definition.entity, other)]
        further = (
            _bearing(headers, words, used, fillers=False) if field in definition.fields else ()
        )
        if further:
            items = (*(found[field].columns if field in found else ()), *further)
            found[field] = Guess(_in_order(items, headers), 0.9, "similar")
    return {field: found[field] for field in definition.fields if field in found}


def _bearing(
    headers: Sequence[str], words: Sequence[str], used: set[str], *, fillers: bool
) -> tuple[str, ...]:
    """The headers not used yet that are one of ``words``, perhaps after a filler; now used."""
    folded = {fold(word) for word in words}
    found = tuple(
        header
        for header in headers
        if header not in used
        and (fold(header) in folded or (fillers and _without_filler(fold(header)) in folded))
    )
    used.update(found)
    return found


def _in_order(columns: Sequence[str], headers: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(columns, key=list(headers).index))


@cache
def _words(entity: str, field: str) -> tuple[str, ...]:
    """The field's own name and the other words for it, folded."""
    own = WORDS_OF_ENTITY.get(entity, {}).get(field)
    return tuple(map(fold, (field, *(WORDS.get(field, ()) if own is None else own))))


def _candidates(header: str, definition: EntityDefinition) -> Iterator[tuple[str, int, Guess]]:
    """Field, rank of the word among its synonyms, guess."""
    word = fold(header)
    if not word or word in _NO_FIELDS:
        return
    bare = _without_filler(word)
    is_key = _KEY_LIKE.search(word) is not None
    for field, details in definition.fields.items():
        names = _words(definition.entity, field)
        if word in names:
            rank = names.index(word)
            yield (
                field,
                rank,
                Guess((header,), *((0.98, "synonym") if rank else (1.0, "canonical"))),
            )
        elif field == "source_key":
            whose = _WHOSE.get(definition.entity, definition.entity)
            if re.search(rf"({whose}){_KEY_LIKE.pattern}", word) and not _ANOTHERS.search(word):
                yield field, len(names), Guess((header,), 0.78, "similar")
        elif is_key and details.type not in _KEYS:
            continue  # "Company ID" is not the company's name
        elif bare in names:
            yield field, names.index(bare), Guess((header,), 0.9, "similar")
        elif near := _nearest(word, names):
            yield field, near[0], Guess((header,), near[1], "similar")


def _nearest(word: str, names: Sequence[str]) -> tuple[int, float] | None:
    """Place and likeness of the name most like ``word``; null when none is like it."""
    if len(word) < _SHORTEST_FUZZY:
        return None
    likenesses = [
        (fuzz.ratio(word, name), -place)
        for place, name in enumerate(names)
        if len(name) >= _SHORTEST_FUZZY
    ]
    likeness, place = max(likenesses, default=(0.0, 0))
    return (-place, round(likeness / 100 * 0.9, 2)) if likeness >= _LEAST_LIKENESS else None


def _without_filler(word: str) -> str:
    for filler in _FOLDED_FILLERS:
        if word.startswith(filler) and len(word) > len(filler):
            return word[len(filler) :]
    return ""
