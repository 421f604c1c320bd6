"""Pairs → a model: trained, fitted to a small file, or the shipped one; better with labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.match.labels import Labelled, misjudged, stretch, surprise
from crm_quality.match.model import MatchModel
from crm_quality.match.prior import implausible
from crm_quality.match.relations import Mixture, alone, train, untrained
from crm_quality.match.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crm_quality.definitions import EntityDefinition, MatchingDefinition
    from crm_quality.match.frequency import TermFrequencies
    from crm_quality.match.levels import Comparison
    from crm_quality.match.random_pairs import RandomAgreement


@dataclass(frozen=True)
class Learner:
    """Learns a model from pairs of the records at hand.

    Attributes:
        definition: The entity, which is matched.
        compared: What is compared.
        random: What random pairs show.
        prior: What is expected of the same and the related; null = nothing ships.
        terms: Which values are common.
        fields: The fields that are evidence.
        records: How many records there are.
    """

    definition: EntityDefinition
    compared: Sequence[Comparison]
    random: RandomAgreement
    prior: Mixture | None
    terms: TermFrequencies
    fields: Sequence[str]
    records: int

    def model(
        self, vectors: pl.DataFrame, caps: Mapping[str, int], labelled: Labelled | None = None
    ) -> MatchModel:
        """A model of pairs, and of what people have said of some, if that makes it better.

        Labels pin their pairs in the mixture, and those of stewards stretch the weights. Whether
        that is any good is seen on labels that were held out: a model is learnt from each half and
        judged by the other. Unless fewer of these are on the wrong side, or as many and they
        surprise less, the model without labels is kept.

        Args:
            vectors: Comparison vectors of the candidate pairs.
            caps: Blocking key → size of its largest block.
            labelled: What people have said; null = nothing.

        Returns:
            The model; its ``labels`` say what was held out and how it was judged.
        """
        counted = self._counted(vectors)
        plain = self._model(counted, caps, None)
        if labelled is None:
            return plain
        matching = self._matching
        before = judge(labelled.gammas, self.compared, plain, matching).weight
        after = before.copy()
        for held in labelled.halves():
            other = self._stretched(counted, caps, labelled.only(~held))
            after[held] = judge(labelled.gammas[held], self.compared, other, matching).weight
        accept = matching.accept
        told: dict[str, float] = {
            "pairs": len(labelled),
            "same": int(labelled.same.sum()),
            "wrong_without": misjudged(before, labelled.same, accept),
            "wrong_with": misjudged(after, labelled.same, accept),
            "surprise_without": surprise(before, labelled.same),
            "surprise_with": surprise(after, labelled.same),
        }
        better = (told["wrong_with"], told["surprise_with"]) < (
            told["wrong_without"],
            told["surprise_without"],
        )
        made = self._stretched(counted, caps, labelled) if better else plain
        return replace(made, labels={**told, "used": float(better)})

    @property
    def _matching(self) -> MatchingDefinition:
        matching = self.definition.matching
        assert matching is not None  # noqa: S101 - the entity is matched
        return matching

    def _counted(self, vectors: pl.DataFrame) -> pl.DataFrame:
        gammas = [c.gamma for c in self.compared]
        return vectors.group_by(gammas).len("pairs").sort(gammas)

    def _stretched(
        self, counted: pl.DataFrame, caps: Mapping[str, int], labelled: Labelled
    ) -> MatchModel:
        made = self._model(counted, caps, labelled)
        asked = labelled.only(labelled.chosen)
        weights = judge(asked.gammas, self.compared, made, None).weight
        slope, offset = stretch(weights, asked.same)
        return replace(made, slope=slope, offset=offset)

    def _model(
        self, counted: pl.DataFrame, caps: Mapping[str, int], labelled: Labelled | None
    ) -> MatchModel:
        mixture, origin, why = self._mixture(counted, labelled)
        return MatchModel(
            self.definition.entity,
            origin,
            why,
            mixture,
            self.random,
            {c.name: c.names() for c in self.compared},
            self.terms,
            caps,
            self._matching.accept,
            self._matching.review,
            self.records,
            tuple(self.fields),
        )

    def _mixture(
        self, counted: pl.DataFrame, labelled: Labelled | None
    ) -> tuple[Mixture, str, str]:
        """The mixture, where it comes from (``trained`` or ``prior``), and why."""
        compared, random, prior, matching = self.compared, self.random, self.prior, self._matching
        if prior is not None and alone(compared):
            mixture = untrained(prior, random, compared, matching)
            return mixture, "prior", "one piece of evidence alone cannot be weighed against another"
        mixture = train(
            counted.select(c.gamma for c in compared).to_numpy(),
            counted["pairs"].cast(pl.Float64).to_numpy(),
            compared,
            random,
            matching,
            prior=prior,
            labelled=labelled,
        )
        if prior is not None and (doubt := implausible(mixture, self.records)):
            return untrained(prior, random, compared, matching), "prior", doubt
        if self.records < matching.few_records:
            few = (
                f"{self.records:,} records are few ({matching.few_records:,} are not); "
                "it is fitted to them"
            )
            return mixture, "prior", few
        return mixture, "trained", f"learnt from {self.records:,} records"
