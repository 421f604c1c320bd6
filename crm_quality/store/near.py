"""Records that may have to do with a new one, found by a scan of the store, without an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crm_quality.definitions import MatchRole
from crm_quality.store.connection import quoted
from crm_quality.store.landing import version_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from crm_quality.store.connection import Store

#: Stores of no more records are read wholly: nothing is left out.
READ_WHOLLY = 50_000

#: A scan gives no more records than this, those that meet most conditions first.
MOST = 20_000

_CURRENT = """
FROM landing.record r JOIN {versions} v ON v.version_id = r.current_version
WHERE r.entity = ? AND r.ended_at IS NULL
"""


def live_count(store: Store, entity: str) -> int:
    """How many records of ``entity`` were accepted and have not ended."""
    return int(
        store.value(
            "SELECT count(*) FROM landing.record"
            " WHERE entity = ? AND current_version IS NOT NULL AND ended_at IS NULL",
            [entity],
        )
    )


def last_event(store: Store) -> int:
    """Number of the last event of the audit trail: the same as long as nothing was written."""
    return int(store.value("SELECT coalesce(max(event_id), 0) FROM audit.event"))


def records_near(
    store: Store,
    entity: str,
    fields: Mapping[MatchRole, Sequence[str]],
    values: Mapping[MatchRole, Sequence[str]],
) -> pl.DataFrame:
    """Live records that share something telling with ``values``.

    One scan, which takes a second or so for a million records. It finds what shares an address or
    number, a birth date, an identifier, a surname, the start of both names or of a company's with
    part of a name, a postcode or street with part of a name, and names that are alike; a record
    that shares less than that is not found.

    Args:
        store: The open store.
        entity: What the records are.
        fields: Role → fields that are columns of its versions.
        values: Role → standardised values, as text.

    Returns:
        As `crm_quality.store.landing.current_records`; `MOST` at most, ordered by ``record_id``.
    """
    asked = _Conditions(fields, values)
    if not asked.conditions:
        asked.add("true", ())
    met = " + ".join(f"coalesce(({text})::INTEGER, 0)" for text in asked.conditions)
    hidden = (
        "run_id, batch_id, row_number, status, content_hash, rules_hash, raw, custom, record_id"
    )
    current = _CURRENT.format(versions=version_table(entity))
    return store.frame(
        f"""
        SELECT * EXCLUDE (met) FROM (
            SELECT r.record_id, r.source, r.source_key, r.accepted_no, v.* EXCLUDE ({hidden}),
                   {met} AS met
            {current}
        ) WHERE met > 0 ORDER BY met DESC, record_id LIMIT ?
        """,  # noqa: S608 - names are quoted, values are parameters
        [*asked.parameters, entity, MOST],
    ).sort("record_id")


class _Conditions:
    """SQL conditions, each of which makes a record worth a look."""

    def __init__(
        self,
        fields: Mapping[MatchRole, Sequence[str]],
        values: Mapping[MatchRole, Sequence[str]],
    ) -> None:
        self.conditions: list[str] = []
        self.parameters: list[Any] = []
        self._fields, self._values = fields, values
        given, surname = MatchRole.GIVEN_NAME, MatchRole.SURNAME
        company = MatchRole.COMPANY_NAME
        self._whole(MatchRole.DATE_OF_BIRTH)
        self._whole(MatchRole.IDENTIFIER)
        self._whole(MatchRole.DOMAIN)
        self._mailboxes()
        self._numbers()
        self._start((surname, 99))
        self._start((given, 99), (surname, 1))
        self._start((given, 3), (surname, 4))
        self._start((given, 99), (MatchRole.POSTCODE, 99))
        self._start((given, 99), (MatchRole.CITY, 99))
        self._start((surname, 2), (MatchRole.STREET, 6))
        self._start((given, 2), (MatchRole.STREET, 6))
        self._start((surname, 2), (company, 6))
        self._start((given, 2), (company, 6))
        self._alike(given, surname)
        self._turned(given, surname)
        if not (values.get(given) or values.get(surname)):
            self._start((company, 6))
            self._start((MatchRole.STREET, 8), (MatchRole.CITY, 99))
            self._start((MatchRole.STREET, 99))
        if not self.conditions:
            for role in (given, company, MatchRole.POSTCODE, MatchRole.CITY):
                self._start((role, 99))

    def add(self, text: str, parameters: Iterable[object]) -> None:
        self.conditions.append(text)
        self.parameters.extend(parameters)

    def _columns(self, role: MatchRole) -> list[str]:
        return [f"v.{quoted(name)}" for name in self._fields.get(role, ())]

    def _one(self, role: MatchRole) -> tuple[str, str] | None:
        """The first column of ``role``, folded, and the first value."""
        columns, values = self._columns(role), self._values.get(role, ())
        return (_folded(columns[0]), values[0]) if columns and values else None

    def _whole(self, role: MatchRole) -> None:
        for column in self._columns(role):
            for value in self._values.get(role, ()):
                self.add(f"{column}::VARCHAR = ?", [value])

    def _mailboxes(self) -> None:
        for column in self._columns(MatchRole.EMAIL):
            for value in self._values.get(MatchRole.EMAIL, ()):
                self.add(f"contains(lower({column}::VARCHAR), ?)", [value.split("@")[0].lower()])

    def _numbers(self) -> None:
        roles = (MatchRole.PHONE, MatchRole.MOBILE)
        values = [value for role in roles for value in self._values.get(role, ())]
        for column in [name for role in roles for name in self._columns(role)]:
            for value in values:
                self.add(f"contains({column}::VARCHAR, ?)", [value[-7:]])

    def _start(self, *parts: tuple[MatchRole, int]) -> None:
        """All of ``parts`` (role, letters) begin alike."""
        texts, parameters = [], []
        for role, letters in parts:
            one = self._one(role)
            if one is None:
                return
            texts.append(f"left({one[0]}, {letters}) = left({_folded('?::VARCHAR')}, {letters})")
            parameters.append(one[1])
        self.add(" AND ".join(texts), parameters)

    def _alike(self, *roles: MatchRole) -> None:
        texts, parameters = [], []
        for role in roles:
            one = self._one(role)
            if one is None:
                return
            texts.append(f"jaro_winkler_similarity({one[0]}, {_folded('?::VARCHAR')}) >= 0.85")
            parameters.append(one[1])
        self.add(" AND ".join(texts), parameters)

    def _turned(self, first: MatchRole, second: MatchRole) -> None:
        one, other = self._one(first), self._one(second)
        if one is not None and other is not None:
            self.add(
                f"{one[0]} = {_folded('?::VARCHAR')} AND {other[0]} = {_folded('?::VARCHAR')}",
                [other[1], one[1]],
            )


def _folded(text: str) -> str:
    return f"strip_accents(lower({text}))"
