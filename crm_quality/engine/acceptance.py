"""Which words a vocabulary is to accept, unless they contradict it or each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl
from rapidfuzz import process

from crm_quality.definitions import Vocabulary, fold
from crm_quality.errors import RefusedError
from crm_quality.standardise.text import clean_text
from crm_quality.validate.meanings import Meanings

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Plan:
    """What is to be written into a vocabulary.

    Attributes:
        synonyms: Accepted value → further words that mean it.
        new_values: Accepted value to add → its label.
        already: Texts that mean what was asked for already.
    """

    synonyms: dict[str, list[str]] = field(default_factory=dict)
    new_values: dict[str, str] = field(default_factory=dict)
    already: list[str] = field(default_factory=list)

    @property
    def words(self) -> frozenset[str]:
        """Every new word, folded."""
        texts = [text for texts in self.synonyms.values() for text in texts]
        return frozenset(map(fold, [*texts, *self.new_values]))


def planned(
    vocabulary: Vocabulary, meanings: Mapping[str, str], new_values: Mapping[str, str]
) -> Plan:
    """Compare what is asked for with what the vocabulary says.

    Args:
        vocabulary: The accepted values.
        meanings: Text → the accepted value that it is to mean.
        new_values: Accepted value to add → its label.

    Returns:
        What is to be written. Of texts that differ in case, accents and punctuation only, the
        first.

    Raises:
        RefusedError: It contradicts the vocabulary or itself; the message has every reason.
    """
    had = Meanings(vocabulary).targets
    known = dict(had)
    plan = Plan(new_values=dict(new_values))
    faults = [fault for value in new_values if (fault := _fault_of_value(value, known)) is not None]
    known |= {fold(value): value for value in new_values}
    texts = clean_text(pl.Series(list(meanings), dtype=pl.String))["text"]
    for given, text, target in zip(meanings, texts, meanings.values(), strict=True):
        folded = fold(text or "")
        fault = _fault_of_target(vocabulary, new_values, given, target)
        if fault is None and not folded:
            fault = f"{given!r} has no letter or digit to be compared by"
        if fault is None and (other := known.get(folded, target)) != target:
            fault = f"{given!r} cannot mean {target}: it means {other} already"
        if fault is not None:
            faults.append(fault)
        elif folded in had:
            plan.already.append(given)
        elif folded not in known:
            known[folded] = target
            plan.synonyms.setdefault(target, []).append(text)
    if faults:
        head = f"nothing was accepted into the vocabulary {vocabulary.vocabulary}:"
        raise RefusedError("\n".join([head, *faults]))
    return plan


def _fault_of_value(value: str, known: Mapping[str, str]) -> str | None:
    if not fold(value):
        return f"{value!r} has no letter or digit to be compared by"
    if (other := known.get(fold(value))) is not None:
        return f"{value!r} cannot be a new value: it means {other} already"
    return None


def _fault_of_target(
    vocabulary: Vocabulary, new_values: Mapping[str, str], text: str, target: str
) -> str | None:
    if target in new_values:
        return None
    if target in vocabulary.values:
        replaced_by = vocabulary.values[target].replaced_by
        if replaced_by is None:
            return None
        return f"{text!r}: {target} is deprecated; accept it as {replaced_by}"
    names = [*vocabulary.values, *new_values]
    meant = Meanings(vocabulary).of(target).value
    if meant is None and (best := process.extractOne(target, names, score_cutoff=60)):
        meant = best[0]
    hint = f"did you mean {meant}?" if meant else f"there are: {', '.join(names)}"
    return f"{text!r}: there is no accepted value {target!r} ({hint})"
