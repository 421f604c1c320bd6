"""Who is this half-typed record? The customers of a store that it may be, and why."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from crm_quality.audit.masking import HIDDEN, mask_of
from crm_quality.definitions import MatchRole
from crm_quality.engine.evidence import evidence_object
from crm_quality.engine.match_cache import MatchCache
from crm_quality.engine.workplaces import evidence_of
from crm_quality.errors import MatchError, UsageError
from crm_quality.match.clusters import DIFFERENT
from crm_quality.match.feature_maker import FeatureMaker
from crm_quality.match.features import fields_at_hand
from crm_quality.match.lookup import MatchIndex
from crm_quality.match.model import MatchModel
from crm_quality.match.records import match_records
from crm_quality.standardise import standardise
from crm_quality.standardise.plain import plain_values
from crm_quality.store.golden import golden_table, membership
from crm_quality.store.landing import current_records, table_columns, version_table
from crm_quality.store.matching import model_in_use, state_token
from crm_quality.store.near import (
    READ_WHOLLY,
    last_event,
    live_count,
    records_near,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.match.evidence import Evidence
    from crm_quality.match.lookup import Scored
    from crm_quality.store import Store

#: Version of the shape of `Lookup.to_dict`.
SCHEMA_VERSION = 1

#: Fields of a golden record that tell people who it is; the rest is a golden record away.
_TELLING = (
    MatchRole.GIVEN_NAME,
    MatchRole.SURNAME,
    MatchRole.COMPANY_NAME,
    MatchRole.EMAIL,
    MatchRole.MOBILE,
    MatchRole.PHONE,
    MatchRole.DATE_OF_BIRTH,
    MatchRole.STREET,
    MatchRole.POSTCODE,
    MatchRole.CITY,
    MatchRole.COUNTRY,
    MatchRole.DOMAIN,
    MatchRole.IDENTIFIER,
)


@dataclass(frozen=True)
class Candidate:
    """A customer that the record may be.

    Attributes:
        entity_id: The customer.
        record_id: The source record of it that fits best; the evidence is that of this pair.
        source: Where that record comes from.
        source_key: Its key there.
        records: How many live source records the customer has.
        evidence: The weight of the pair, its relation and what each comparison adds.
        mean_weight: Mean weight over all records of the customer, as clusters are formed by; null
            where a contradiction keeps the two apart.
        joins: A run would join the record to this customer, if it came alone.
        golden: The golden record's values that tell who it is.
    """

    entity_id: int
    record_id: int
    source: str
    source_key: str
    records: int
    evidence: Evidence
    mean_weight: float | None
    joins: bool
    golden: dict[str, Any]


@dataclass(frozen=True)
class Lookup:
    """What a lookup found.

    Attributes:
        entity: What was looked for.
        values: The values asked for, standardised.
        notes: What the user should know: values that could not be read, fields without evidence.
        compared: Records that were compared.
        model: Origin of the model: trained or prior.
        candidates: The most probable first.
    """

    entity: str
    values: dict[str, Any]
    notes: tuple[str, ...]
    compared: int
    model: str
    candidates: tuple[Candidate, ...]
    _rules: RuleSet = field(repr=False)

    def to_dict(self, *, show_personal: bool = False) -> dict[str, Any]:
        """The lookup as plain data, see docs/lookup.md; personal values are masked."""

        def shown(values: Mapping[str, Any]) -> dict[str, Any]:
            return {
                n: safe(self._rules, self.entity, n, v, show=show_personal)
                for n, v in values.items()
            }

        return {
            "schema_version": SCHEMA_VERSION,
            "entity": self.entity,
            "values": shown(self.values),
            "notes": list(self.notes),
            "compared": self.compared,
            "model": self.model,
            "candidates": [
                {
                    "entity_id": one.entity_id,
                    "record_id": one.record_id,
                    "source": one.source,
                    "source_key": safe(
                        self._rules, self.entity, "source_key", one.source_key, show=show_personal
                    ),
                    "records": one.records,
                    "mean_weight": one.mean_weight,
                    "joins": one.joins,
                    **evidence_object(one.evidence),
                    "golden": shown(one.golden),
                }
                for one in self.candidates
            ],
        }


def safe(rules: RuleSet, entity: str, name: str, value: Any, *, show: bool) -> Any:  # noqa: ANN401
    """A value as it may be shown; personal ones are masked unless ``show``.

    Of a source's keys only addresses in them are hidden: a record must be possible to name.
    """
    if value is None or show:
        return value
    if isinstance(value, list):
        return [safe(rules, entity, name, one, show=show) for one in value]
    if name == "source_key":
        return re.sub(r"([^\s@:])[^\s@:]*@", rf"\1{HIDDEN}@", str(value))
    field = rules.entity(entity).fields.get(name)
    if field is None or field.personal:
        return mask_of(rules, entity, name)(str(value))
    return value


class Matcher:
    """The records of one entity in memory, ready to be looked up again and again.

    It holds what the store said when it was made. Safe to share between threads.
    """

    def __init__(
        self,
        store: Store,
        rules: RuleSet,
        entity: str,
        *,
        country: str | None = None,
        near: Mapping[str, Any] | None = None,
        read_wholly: int = READ_WHOLLY,
    ) -> None:
        """Read the store.

        Args:
            store: Open; it may be closed afterwards.
            rules: The project's.
            entity: What is looked up.
            country: Region of phone numbers that nothing else tells.
            near: Read only what may have to do with these values; null = everything.
            read_wholly: Of no more records than this everything is read nonetheless.

        Raises:
            MatchError: The entity is not matched, or has no model that this version reads.
        """
        self.rules, self.entity = rules, entity
        self.definition = rules.entity(entity)
        self.event = last_event(store)
        self._country = country
        count = live_count(store, entity)
        self.model = usable_model(store, self.definition)
        maker = None
        if near is not None and count > read_wholly:
            maker = feature_maker(store, self.definition, self.model)
            asked, _ = self._standardised(near)
            records = _near(store, self.definition, asked)
        else:
            records = current_records(store, entity)
        records = evidence_of(store, self.definition, records)
        features = None if maker is not None else _kept_features(store, entity, records)
        self._index = MatchIndex(
            records, self.definition, self.model, maker=maker, features=features
        )
        # of one piece, since single rows are taken out of them
        self._keys = records.select("record_id", "source", "source_key").rechunk()
        homes = membership(store, entity)
        self._homes = (
            records.select("record_id")
            .join(homes, on="record_id", how="left", maintain_order="left")["entity_id"]
            .to_numpy()
        )
        self._by_home = np.argsort(self._homes, kind="stable")
        self._sorted_homes = self._homes[self._by_home]
        some = self._homes if maker is not None else None
        self._golden = _golden(store, self.definition, some).rechunk()
        self._fields = self._index.maker.fields

    def lookup(self, values: Mapping[str, Any], *, top: int = 5) -> Lookup:
        """The customers that a record with ``values`` may be.

        Args:
            values: Field → value, as typed; blanks are no values.
            top: So many candidates at most.

        Raises:
            UsageError: A field is not one of the entity's, or there is no value.
        """
        record, notes = self._standardised(values)
        fields = [n for n in self.definition.columns if n in record.columns]
        asked = {name: record[name][0] for name in fields if record[name][0] is not None}
        asked = {n: v.to_list() if isinstance(v, pl.Series) else v for n, v in asked.items()}
        for name in asked:
            if name not in self._fields:
                notes.append(f"{name} is no evidence here: no record that is compared has one")
        scored = self.score(record)
        return Lookup(
            self.entity,
            asked,
            tuple(notes),
            len(scored.positions),
            self.model.origin,
            tuple(self._candidates(scored, top)),
            self.rules,
        )

    def score(self, record: pl.DataFrame) -> Scored:
        """A standardised record (one row, ``record_id`` and fields) against its candidates."""
        made = self._index.features(record)
        found = self._index.candidates(made)
        return self._index.score(made, self._with_their_entities(found))

    @property
    def ids(self) -> NDArray[np.int64]:
        """``record_id`` of the records, by their positions."""
        return self._index.ids

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back."""
        self._index.close()

    def _standardised(self, values: Mapping[str, Any]) -> tuple[pl.DataFrame, list[str]]:
        given = {n: v for n, v in values.items() if v is not None and str(v).strip()}
        known = [name for name in self.definition.fields if name != "source_key"]
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
                raise UsageError(f"{self.entity} has no field {name!r}; {hint}")
        if not given:
            raise UsageError("name at least one value to look for, such as last_name=Leclerc")
        plain = plain_values(given, self.definition)
        rest = {name: [value] for name, value in given.items() if name not in plain}
        record = pl.DataFrame({"record_id": [0], **{name: [text] for name, text in plain.items()}})
        if not rest:
            return record, []
        made = standardise(
            pl.DataFrame(rest),
            self.definition,
            sources=self.rules.sources,
            country=self._country,
        )
        heard, notes = _heard(made, self.definition)
        return pl.concat([record, heard], how="horizontal"), notes

    def _with_their_entities(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """``positions`` and those of all other records of the same customers."""
        homes = np.unique(self._homes[positions])
        first = np.searchsorted(self._sorted_homes, homes, side="left")
        last = np.searchsorted(self._sorted_homes, homes, side="right")
        sizes = last - first
        steps = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return np.sort(self._by_home[np.repeat(first, sizes) + steps])

    def _candidates(self, scored: Scored, top: int) -> list[Candidate]:
        if not len(scored.positions):
            return []
        homes = self._homes[scored.positions]
        clip = self.definition.matching.clip if self.definition.matching else (-3.0, 12.0)
        counted = np.where(scored.never, DIFFERENT, np.clip(scored.weight, *clip))
        best = np.lexsort((-scored.weight, scored.never))
        told, first, place = np.unique(homes[best], return_index=True, return_inverse=True)
        records = np.bincount(place)
        means = np.bincount(place, weights=counted[best]) / records
        never = np.bincount(place, weights=scored.never[best]) > 0
        order = np.argsort(first, kind="stable")[:top]
        rows = best[first[order]]
        evident = self._index.evidence(scored.gammas[rows])
        golden = self._golden_of(told[order].tolist())
        made = []
        for row, at, one in zip(rows, order, evident, strict=True):
            home, mean = int(told[at]), float(means[at])
            record_id, source, key = self._keys.row(int(scored.positions[row]))
            made.append(
                Candidate(
                    entity_id=home,
                    record_id=int(record_id),
                    source=source,
                    source_key=key,
                    records=int(records[at]),
                    evidence=one,
                    mean_weight=None if never[at] else mean,
                    joins=mean >= self.model.accept and not never[at],
                    golden=golden.get(home, {}),
                )
            )
        return made

    def _golden_of(self, entities: Sequence[int]) -> dict[int, dict[str, Any]]:
        ids = self._golden["entity_id"].to_numpy()
        if not len(ids):
            return {}
        places = np.minimum(np.searchsorted(ids, entities), len(ids) - 1)
        rows = self._golden[places].to_dicts()
        return {
            row["entity_id"]: {n: v for n, v in row.items() if n != "entity_id" and v is not None}
            for row in rows
        }


def usable_model(store: Store, definition: EntityDefinition) -> MatchModel:
    """The model in use; before the first training the one that a run would use now.

    Args:
        store: Open.
        definition: The entity.

    Raises:
        MatchError: The entity is not matched.
    """
    entity = definition.entity
    if definition.matching is None:
        raise MatchError(f"{entity} records are not matched: there is no rules/matching for them")
    kept = model_in_use(store, entity)
    if kept is not None:
        return MatchModel.from_json(kept)
    # of few records no model is kept: it is fitted to them, as the next run would do
    records = evidence_of(store, definition, current_records(store, entity))
    return match_records(records, definition).model


def feature_maker(store: Store, definition: EntityDefinition, model: MatchModel) -> FeatureMaker:
    """Makes the features of some records as the whole store has them."""
    # a model without fields of its own is one of few records: reading them costs little
    fields = model.fields
    if not fields:
        records = evidence_of(store, definition, current_records(store, definition.entity))
        fields = fields_at_hand(records, definition)
    return FeatureMaker.of_model(definition, model.terms, fields)


def _kept_features(store: Store, entity: str, records: pl.DataFrame) -> pl.DataFrame | None:
    """Features that the last run left beside the store; null = none, or not of these records."""
    token = state_token(store, entity)
    state = MatchCache(store.path.parent / "cache").load(entity, token) if token else None
    if state is None or not state.features["id"].equals(records["record_id"].alias("id")):
        return None
    return state.features


def _near(store: Store, definition: EntityDefinition, asked: pl.DataFrame) -> pl.DataFrame:
    stored = table_columns(store, version_table(definition.entity))
    fields = {
        role: [name for name in definition.fields_of_role(role) if name in stored]
        for role in MatchRole
    }
    values = {role: _texts(asked, names) for role, names in fields.items()}
    return records_near(store, definition.entity, fields, values)


def _texts(record: pl.DataFrame, names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        value = record[name][0] if name in record.columns else None
        if isinstance(value, pl.Series):
            found += [str(one) for one in value]
        elif value is not None:
            found.append(str(value))
        elif f"{name}__raw" in record.columns:
            found.append(record[f"{name}__raw"][0])
    return found


def _golden(
    store: Store, definition: EntityDefinition, some: NDArray[np.int64] | None
) -> pl.DataFrame:
    table = golden_table(definition.entity)
    stored = table_columns(store, table)
    names = [n for role in _TELLING for n in definition.fields_of_role(role) if n in stored]
    asked = ", ".join(f'"{name}"' for name in names)
    query = f"SELECT entity_id, {asked} FROM {table}"  # noqa: S608 - names of the definition
    if some is None:
        return store.frame(f"{query} ORDER BY entity_id")
    with store.staged(pl.DataFrame({"entity_id": np.unique(some)}), "asked"):
        return store.frame(f"{query} SEMI JOIN asked USING (entity_id) ORDER BY entity_id")


def _heard(made: pl.DataFrame, definition: EntityDefinition) -> tuple[pl.DataFrame, list[str]]:
    """The record with its fields alone, raw texts beside those that cannot be read, and notes."""
    notes, kept = [], [name for name in definition.columns if name in made.columns]
    for name in list(kept):
        note = made[f"{name}__note"][0] if f"{name}__note" in made.columns else None
        if note in {"invalid", "ambiguous", "unknown", "placeholder"}:
            notes.append(f"{name}: {_SAID[note]}")
        if note == "invalid":
            kept += [f"{name}__raw", f"{name}__note"]
    return made.select(kept), notes


_SAID = {
    "invalid": "cannot be read as it stands; what can be made of it is compared",
    "ambiguous": "has two readings and is left out",
    "unknown": "is no accepted value and is left out",
    "placeholder": 'stands for "nothing" and is left out',
}
