"""How records of one entity are matched: relations, bounds, budgets, thresholds."""

from __future__ import annotations

from pydantic import Field, model_validator

from crm_quality.definitions.model import Definition


class Relation(Definition):
    """What two records may be to each other besides one and the same, or nothing.

    Attributes:
        shares: Comparisons in which pairs of this relation agree more often than chance; in every
            other comparison they are held at what random pairs show.
        agrees: Comparisons in which it agrees by definition; one that it does not share agrees as
            random pairs do that happen to agree.
        start: The relation is assumed at first where one of these comparisons agrees ...
        without: ... and none of these does.
        group: Name of the groups that pairs of this relation make (``household``); null = none.
        ties: Comparisons of which one agrees in the pairs that make groups; empty = any pair does.
    """

    shares: tuple[str, ...] = Field(min_length=1)
    agrees: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    group: str | None = None
    ties: tuple[str, ...] = ()


class Bound(Definition):
    """The greatest share of true pairs that common sense allows at some levels of a comparison.

    Attributes:
        levels: Names of the levels.
        at_most: Their greatest probability, together, among pairs that are the same.
        why: The argument, for people.
    """

    levels: tuple[str, ...] = Field(min_length=1)
    at_most: float = Field(gt=0, lt=1)
    why: str = ""


class Never(Definition):
    """A contradiction that keeps two records apart, whatever else agrees.

    Attributes:
        comparison: The comparison that shows it.
        levels: Its levels that contradict.
        why: The argument, for people.
    """

    comparison: str
    levels: tuple[str, ...] = Field(min_length=1)
    why: str = ""


class Budget(Definition):
    """How many pairs blocking may make.

    Attributes:
        pairs_per_record: Pairs of one key for each record, where there are many records.
        floor: Pairs that one key may always make.
        all_per_record: Pairs of all keys together for each record; beyond it, keys that bring the
            least are dropped.
        all_floor: Pairs that all keys together may always make.
        largest_block: A block of more records than this is refined, then skipped.
        smallest_cap: A key whose blocks are cut below this size is skipped wholly.
    """

    pairs_per_record: float = Field(default=0.7, gt=0)
    floor: int = Field(default=200_000, ge=0)
    all_per_record: float = Field(default=4.0, gt=0)
    all_floor: int = Field(default=2_000_000, ge=0)
    largest_block: int = Field(default=300, ge=2)
    smallest_cap: int = Field(default=10, ge=2)


class MatchingDefinition(Definition):
    """The matching of one entity.

    Attributes:
        matching: Name of the entity.
        same: Name of the relation of two records of one entity.
        unrelated: Name of the relation of two records that share nothing beyond chance.
        personal: Comparisons that are evidence of the entity itself, not of a group it is in.
        names: Comparisons that must not contradict for a pair to start as the same.
        relations: Relations between the two.
        bounds: Comparison → bound on pairs that are the same.
        never: Contradictions.
        pseudo_same: Weight, in pairs, of what random pairs show against what same pairs show.
        pseudo_other: The same for the other relations.
        few_records: Below this many records the shipped model is fitted to them, and none is kept.
        incremental_from: With this many records and more, a run matches only what its changes
            reach, and keeps what it knows of the others in ``cache/`` beside the store.
        accept: Match weight (log2 of odds) from which records are joined.
        review: Match weight from which a pair that is not joined is shown to a steward.
        clip: Least and greatest weight of one pair when clusters are formed.
        budget: Limits of blocking.
        nicknames: Formal given name → short and pet forms, beside the English ones built in.
    """

    matching: str
    same: str = "same"
    unrelated: str = "unrelated"
    personal: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    relations: dict[str, Relation] = Field(default={})
    bounds: dict[str, Bound] = Field(default={})
    never: tuple[Never, ...] = ()
    pseudo_same: float = Field(default=5.0, ge=0)
    pseudo_other: float = Field(default=20.0, ge=0)
    few_records: int = Field(default=2_000, ge=0)
    incremental_from: int = Field(default=20_000, ge=0)
    accept: float = 0.0
    review: float = -6.0
    clip: tuple[float, float] = (-3.0, 12.0)
    budget: Budget = Budget()
    nicknames: dict[str, tuple[str, ...]] = Field(default={})

    @model_validator(mode="after")
    def _relations_differ(self) -> MatchingDefinition:
        if self.same in self.relations or self.unrelated in self.relations:
            raise ValueError("same and unrelated are relations of their own; name others")
        if self.review > self.accept:
            raise ValueError("review must not be above accept")
        return self
