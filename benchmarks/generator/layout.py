"""Which person a record is of, and which household a person lives in.

Records are numbered in blocks of 1,000 that hold exactly 700 people, who live in 556 households. A
block's inner arrangement is one of 64 fixed tables, so any record's person is found without
knowing the records before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.generator.draw import Draw, Shuffle

if TYPE_CHECKING:
    from benchmarks.generator.draw import Ints

BLOCK_RECORDS = 1_000
BLOCK_PERSONS = 700
VARIANTS = 64
# number of people with 1, 2, … 8 records: 700 people, 1,000 records, 435 pairs of duplicates
RECORDS_PER_PERSON = (484, 161, 38, 11, 3, 1, 1, 1)
# number of households with 1, 2, … 5 customers: 700 people, a third of them in shared households
PERSONS_PER_HOUSEHOLD = (465, 54, 24, 10, 3)
BLOCK_HOUSEHOLDS = sum(PERSONS_PER_HOUSEHOLD)
MAX_RECORDS = len(RECORDS_PER_PERSON)


@dataclass(frozen=True)
class World:
    """The whole of the synthetic world: its size in contact records and its seed."""

    rows: int
    seed: int

    @cached_property
    def draw(self) -> Draw:
        """Random figures of this world."""
        return Draw(self.seed)

    @cached_property
    def shuffle(self) -> Shuffle:
        """Order of the records in the file, so that duplicates are not neighbours."""
        return Shuffle(self.rows, self.draw)

    @property
    def persons(self) -> int:
        """About how many people the records are of."""
        return self.rows * BLOCK_PERSONS // BLOCK_RECORDS

    @cached_property
    def _tables(self) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        rng = np.random.default_rng(self.seed)
        shape = (VARIANTS, BLOCK_RECORDS)
        person, copy = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        shape = (VARIANTS, BLOCK_PERSONS)
        household, member, size = (np.zeros(shape, np.int64) for _ in range(3))
        counts = np.repeat(np.arange(1, MAX_RECORDS + 1), RECORDS_PER_PERSON)
        sizes = np.repeat(np.arange(1, len(PERSONS_PER_HOUSEHOLD) + 1), PERSONS_PER_HOUSEHOLD)
        for variant in range(VARIANTS):
            own = rng.permutation(counts)
            person[variant] = np.repeat(np.arange(BLOCK_PERSONS), own)
            copy[variant] = np.concatenate([np.arange(n) for n in own])
            homes = rng.permutation(sizes)
            household[variant] = np.repeat(np.arange(BLOCK_HOUSEHOLDS), homes)
            member[variant] = np.concatenate([np.arange(n) for n in homes])
            size[variant] = np.repeat(homes, homes)
        return person, copy, household, member, size

    def _variant(self, block: Ints) -> Ints:
        return self.draw.below(block, "layout", VARIANTS)

    def person_of(self, record: Ints) -> tuple[Ints, Ints]:
        """Person and number of the copy (0 = the first record of the person) of each record."""
        block, inside = np.divmod(record, BLOCK_RECORDS)
        variant = self._variant(block)
        person, copy, *_ = self._tables
        return block * BLOCK_PERSONS + person[variant, inside], copy[variant, inside]

    def household_of(self, person: Ints) -> tuple[Ints, Ints, Ints]:
        """Household, place in it (0 = head) and its number of members, for each person.

        The members of a household have consecutive numbers, so its head is `person - place`.
        """
        block, inside = np.divmod(person, BLOCK_PERSONS)
        variant = self._variant(block)
        *_, household, member, size = self._tables
        return (
            block * BLOCK_HOUSEHOLDS + household[variant, inside],
            member[variant, inside],
            size[variant, inside],
        )
