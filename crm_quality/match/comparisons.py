"""Which comparisons an entity has: its match roles, compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.definitions import MatchRole
from crm_quality.match import person_levels as person
from crm_quality.match import shared_levels as shared
from crm_quality.match.levels import Comparison, usable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crm_quality.definitions import EntityDefinition

#: Match role → the comparison that reads its fields; several roles are one piece of evidence.
OF_ROLE: dict[MatchRole, Comparison] = {
    MatchRole.GIVEN_NAME: person.GIVEN_NAME,
    MatchRole.SURNAME: person.SURNAME,
    MatchRole.MIDDLE_NAME: person.MIDDLE_NAME,
    MatchRole.NAME_SUFFIX: person.NAME_SUFFIX,
    MatchRole.GENDER: person.GENDER,
    MatchRole.DATE_OF_BIRTH: person.DATE_OF_BIRTH,
    MatchRole.BIRTH_PLACE: person.BIRTH_PLACE,
    MatchRole.JOB_TITLE: person.JOB_TITLE,
    MatchRole.EMAIL: shared.EMAIL,
    MatchRole.PHONE: shared.PHONE,
    MatchRole.MOBILE: shared.PHONE,
    MatchRole.STREET: shared.ADDRESS,
    MatchRole.POSTCODE: shared.ADDRESS,
    MatchRole.CITY: shared.ADDRESS,
    MatchRole.COMPANY_NAME: shared.COMPANY,
    MatchRole.COUNTRY: person.REGION,
    MatchRole.DOMAIN: shared.DOMAIN,
    MatchRole.IDENTIFIER: shared.IDENTIFIER,
}

#: Match role → a second comparison of its fields, of other evidence in them.
BESIDE: dict[MatchRole, Comparison] = {MatchRole.COMPANY_NAME: shared.LEGAL_FORM}


def comparisons(definition: EntityDefinition, columns: Iterable[str]) -> tuple[Comparison, ...]:
    """The comparisons of an entity for which the features have the columns.

    Args:
        definition: The entity.
        columns: Columns of its features.
    """
    named: dict[str, Comparison] = {}
    for field in definition.fields.values():
        for table in (OF_ROLE, BESIDE):
            if field.match is not None and (comparison := table.get(field.match)) is not None:
                named.setdefault(comparison.name, comparison)
    columns = set(columns)
    if "given" not in columns:
        alone = {c.name: c for c in (person.SURNAME_ALONE, shared.EMAIL_ALONE)}
        named |= {name: c for name, c in alone.items() if name in named}
    elif "letters" in columns and person.GIVEN_NAME.name in named:
        named[person.GIVEN_NAME.name] = person.GIVEN_NAME_BY_MAIL
    return usable(named.values(), columns)
