"""What a spelling outside a vocabulary probably means, by the spellings the vocabulary has."""

from __future__ import annotations

from collections import Counter
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
from rapidfuzz import fuzz, process

from crm_quality.definitions import fold
from crm_quality.standardise.vocabulary import replacement
from crm_quality.validate.spelling_keys import KEYS, PHONETIC, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crm_quality.definitions import Vocabulary

#: Ways to find a meaning, the strictest first; of those that are tried together the best counts.
_STEPS = (("fingerprint",), ("ngram",), ("shipped",), (*sorted(PHONETIC), "nearest"), ("words",))
#: All of them.
METHODS = tuple(name for step in _STEPS for name in step)
#: Likeness of folded spellings, 0 to 100, from which one probably means the other.
LEAST_LIKENESS = 75.0
#: A key that sounds alike counts only for words that also look alike to this degree.
_ALIKE = 60.0
_SHORTEST_SOUND = 3
#: So few letters are near to too many words.
_TOO_SHORT = 2
#: A spelling of this many letters that stands in a longer text, all but a letter, is meant there.
_LONG = 5
_HELD = 95.0
#: A word that several accepted values share tells of one when this share of them is its.
_MOST = 2 / 3
#: A spelling that the shipped rules know and the project's do not.
_SHIPPED = 95.0
#: What stands in a longer text is never as sure as a spelling as a whole.
_MOST_OF_A_PART = 80.0


class Meaning(NamedTuple):
    """What a spelling probably means.

    Attributes:
        value: An accepted value; null = nothing is near.
        method: What found it, ``fold`` or one of `METHODS`.
        score: How alike the spellings are, 0 to 100.
    """

    value: str | None = None
    method: str | None = None
    score: float | None = None


class Meanings:
    """The spellings of a vocabulary by each of their keys.

    Attributes:
        targets: Folded spelling → the accepted value that it means, a deprecated one followed.
    """

    def __init__(self, vocabulary: Vocabulary, shipped: Vocabulary | None = None) -> None:
        """Read a vocabulary.

        Args:
            vocabulary: The accepted values.
            shipped: A vocabulary whose spellings count where ``vocabulary`` has their value.
        """
        self.targets: dict[str, str] = {}
        self._spellings: list[tuple[str, str]] = []
        for text, target in _spellings(vocabulary):
            if folded := fold(text):
                self.targets.setdefault(folded, target)
                self._spellings.append((text, target))
        self._shipped = {
            folded: target
            for text, target in (_spellings(shipped) if shipped else ())
            if target in vocabulary.values and (folded := fold(text)) not in self.targets
        }
        self._keyed: dict[str, dict[str, list[str]]] = {}
        self._long = [folded for folded in self.targets if len(folded) >= _LONG]

    def of(self, text: str, *, method: str = "all", at_least: float = LEAST_LIKENESS) -> Meaning:
        """What ``text`` probably means.

        Args:
            text: Any text.
            method: One of `METHODS`; ``all`` tries them in their order. A text that is in the
                vocabulary already is found by any of them, as ``fold``.
            at_least: Likeness that ``nearest`` needs, 0 to 100 (rapidfuzz ``ratio``).
        """
        folded = fold(text)
        if folded in self.targets:
            return Meaning(self.targets[folded], "fold", 100.0)
        ways: dict[str, Callable[[], Meaning | None]] = {
            **{name: partial(self._by_key, text, folded, name) for name in KEYS},
            "shipped": lambda: self._by_shipped(folded),
            "nearest": lambda: self._nearest(text, folded, at_least),
            "words": lambda: self._by_words(text, folded),
        }
        steps = _STEPS if method == "all" else ((method,),)
        for step in steps:
            found = [meaning for name in step if (meaning := ways[name]()) is not None]
            if found:
                return max(found, key=lambda meaning: meaning.score or 0)
        return Meaning()

    def _by_key(self, text: str, folded: str, name: str) -> Meaning | None:
        key = KEYS[name](text)
        sounds = name in PHONETIC
        if not key or (sounds and len(key.rstrip("0")) < _SHORTEST_SOUND):
            return None
        digits = _digits(folded)
        alike = [known for known in self._index(name).get(key, ()) if _digits(known) == digits]
        least = _ALIKE if sounds else 0
        best = process.extractOne(folded, alike, scorer=fuzz.ratio, score_cutoff=least)
        if best is None:
            return None
        # the same words in another order are the same words
        score = 100.0 if name == "fingerprint" else round(best[1], 1)
        return Meaning(self.targets[best[0]], name, score)

    def _index(self, name: str) -> dict[str, list[str]]:
        if name not in self._keyed:
            index: dict[str, list[str]] = {}
            for text, _ in self._spellings:
                if key := KEYS[name](text):
                    index.setdefault(key, []).append(fold(text))
            self._keyed[name] = index
        return self._keyed[name]

    def _by_shipped(self, folded: str) -> Meaning | None:
        target = self._shipped.get(folded)
        return Meaning(target, "shipped", _SHIPPED) if target else None

    def _nearest(self, text: str, folded: str, at_least: float) -> Meaning | None:
        if len(folded) <= _TOO_SHORT:
            return None
        alike = self._by_digits.get(_digits(folded), ())
        best = process.extractOne(folded, alike, scorer=fuzz.ratio, score_cutoff=at_least)
        if best is None:
            return None
        # "LinkedIn Ads" is no misspelling of "LinkedIn": a word more is another thing
        own, known = words(text), self._words[best[0]]
        return (
            None
            if own < known or known < own
            else Meaning(self.targets[best[0]], "nearest", round(best[1], 1))
        )

    def _by_words(self, text: str, folded: str) -> Meaning | None:
        """By the words that it shares with spellings, or by a spelling that stands in it."""
        own = words(text)
        if not own or len(folded) <= _TOO_SHORT:
            return None
        holding = [self.targets[known] for known, of in self._words.items() if own <= of]
        if holding:
            target, count = Counter(holding).most_common(1)[0]
            if count >= _MOST * len(holding):
                return Meaning(target, "words", round(_MOST_OF_A_PART * count / len(holding), 1))
        held = [known for known, of in self._words.items() if of < own and len(known) > _TOO_SHORT]
        longest = max(map(len, held), default=0)
        meant = {self.targets[known] for known in held if len(known) == longest}
        if len(meant) == 1:
            return Meaning(meant.pop(), "words", _share(longest, folded))
        # "Messestand Hannover" holds "Messe"; what is shorter is held by chance ("ig")
        shorter = [known for known in self._long if len(known) <= len(folded)]
        best = process.extractOne(folded, shorter, scorer=fuzz.partial_ratio, score_cutoff=_HELD)
        if best is None:
            return None
        return Meaning(self.targets[best[0]], "words", _share(len(best[0]), folded))

    @cached_property
    def _words(self) -> dict[str, frozenset[str]]:
        """Folded spelling → its words."""
        return {fold(text): words(text) for text, _ in self._spellings}

    @cached_property
    def _by_digits(self) -> dict[str, list[str]]:
        """Folded spellings by the digits in them: 501-1000 is no misspelling of 5001-10000."""
        found: dict[str, list[str]] = {}
        for folded in self.targets:
            found.setdefault(_digits(folded), []).append(folded)
        return found


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _share(letters: int, folded: str) -> float:
    """Score of a spelling of so many letters that stands in a longer one."""
    return round(_MOST_OF_A_PART * min(letters / len(folded), 1), 1)


def _spellings(vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    """Each spelling of a vocabulary and the accepted value that it means, names before synonyms."""
    for value, details in vocabulary.values.items():
        for text in (value, details.label):
            if text:
                yield text, replacement(vocabulary, value)
    for value, details in vocabulary.values.items():
        for text in details.synonyms:
            yield text, replacement(vocabulary, value)


def probable_values(texts: pl.Series, vocabulary: Vocabulary) -> pl.Series:
    """The accepted value that each text probably means, for suggestions beside an issue.

    Args:
        texts: Any text; each distinct one is compared once.
        vocabulary: The accepted values.

    Returns:
        Accepted values; null where nothing is near enough, and for null.
    """
    distinct = texts.drop_nulls().unique()
    if distinct.is_empty():
        return pl.repeat(None, len(texts), dtype=pl.String, eager=True)
    known = Meanings(vocabulary)
    meant = [known.of(text).value for text in distinct]
    return texts.replace_strict(distinct, pl.Series(meant, dtype=pl.String), default=None)
