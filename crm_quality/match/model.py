"""A match model: what was learnt, versioned, as JSON, so that later runs score alike."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from crm_quality.errors import MatchError
from crm_quality.match.frequency import TermFrequencies
from crm_quality.match.random_pairs import RandomAgreement
from crm_quality.match.relations import Mixture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crm_quality.match.levels import Comparison

#: Version of the JSON; a change that old readers cannot follow raises it.
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class MatchModel:
    """Everything that decides how two records score and where blocks are cut.

    Attributes:
        entity: ``contact`` or ``company``.
        origin: ``trained`` on the records at hand, ``prior`` (the shipped one).
        why: Why this origin.
        mixture: Probabilities of the levels in each relation.
        random: What random pairs show.
        levels: Comparison → names of its levels, by gamma, from 0 upwards.
        terms: Which values are common.
        caps: Blocking key → size of its largest block.
        accept: Match weight from which records are joined.
        review: Match weight from which a pair is shown to a steward.
        records: Records it was trained on.
        fields: The fields that were evidence in them; empty = those that the records at hand have.
        slope: What labels have stretched weights by.
        offset: Bits that labels have added to weights.
        labels: What labels have shown, see `crm_quality.match.learning`; empty = there were none.
    """

    entity: str
    origin: str
    why: str
    mixture: Mixture
    random: RandomAgreement
    levels: Mapping[str, Sequence[str]]
    terms: TermFrequencies = field(default_factory=TermFrequencies)
    caps: Mapping[str, int] = field(default_factory=dict)
    accept: float = 0.0
    review: float = -6.0
    records: int = 0
    fields: Sequence[str] = ()
    slope: float = 1.0
    offset: float = 0.0
    labels: Mapping[str, float] = field(default_factory=dict)

    def check(self, entity: str, comparisons: Iterable[Comparison]) -> tuple[Comparison, ...]:
        """The comparisons that the model knows.

        Raises:
            MatchError: It is of another entity or its levels are not those of this version.
        """
        if entity != self.entity:
            raise MatchError(f"the model is for {self.entity}, not for {entity}; train one")
        known = []
        for comparison in comparisons:
            if comparison.name not in self.levels:
                continue
            if tuple(self.levels[comparison.name]) != comparison.names():
                raise MatchError(
                    f"the model's levels of {comparison.name} are not those of this version of "
                    "crm-quality; train a new model"
                )
            known.append(comparison)
        return tuple(known)

    def to_json(self) -> str:
        """The model as one JSON object."""
        plain = {
            "schema_version": SCHEMA_VERSION,
            "entity": self.entity,
            "origin": self.origin,
            "why": self.why,
            "records": self.records,
            "fields": list(self.fields),
            "accept": self.accept,
            "review": self.review,
            "slope": self.slope,
            "offset": self.offset,
            "labels": dict(self.labels),
            "relations": list(self.mixture.classes),
            "all_pairs": self.random.pairs.tolist(),
            "expected_pairs": [float(x) for x in self.mixture.counts],
            "comparisons": {
                name: {
                    "levels": list(self.levels[name]),
                    "u": self.random.u[name].tolist(),
                    "relations": {
                        relation: row.tolist()
                        for relation, row in zip(self.mixture.classes, table, strict=True)
                    },
                }
                for name, table in self.mixture.comparisons.items()
            },
            "terms": {
                "classes": {
                    name: {place: dict(of) for place, of in regions.items()}
                    for name, regions in self.terms.classes.items()
                },
                "words": dict(self.terms.words),
                "rarest": self.terms.rarest,
                "regions": dict(self.terms.regions),
            },
            "caps": dict(self.caps),
        }
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> MatchModel:
        """Read what `to_json` wrote.

        Raises:
            MatchError: It is no model, or of a version that this one does not know.
        """
        try:
            plain: dict[str, Any] = json.loads(text)
            if plain["schema_version"] != SCHEMA_VERSION:
                raise MatchError(
                    f"the model has schema version {plain['schema_version']}, this version of "
                    f"crm-quality reads {SCHEMA_VERSION}; train a new model"
                )
            classes = tuple(plain["relations"])
            comparisons = plain["comparisons"]
            terms = plain["terms"]
            return cls(
                entity=plain["entity"],
                origin=plain["origin"],
                why=plain["why"],
                mixture=Mixture(
                    classes,
                    {
                        name: np.array([part["relations"][relation] for relation in classes])
                        for name, part in comparisons.items()
                    },
                    np.array(plain["expected_pairs"], dtype=float),
                ),
                random=RandomAgreement(
                    {name: np.array(part["u"]) for name, part in comparisons.items()},
                    np.array(plain["all_pairs"], dtype=float),
                ),
                levels={name: part["levels"] for name, part in comparisons.items()},
                terms=TermFrequencies(
                    terms["classes"], terms["words"], terms["rarest"], terms["regions"]
                ),
                caps=plain["caps"],
                accept=plain["accept"],
                review=plain["review"],
                records=plain["records"],
                fields=tuple(plain.get("fields", ())),
                slope=plain.get("slope", 1.0),
                offset=plain.get("offset", 0.0),
                labels=plain.get("labels", {}),
            )
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise MatchError(f"this is no match model ({error!r}); train a new one") from error
