"""Vocabularies: the accepted values of a field and the synonyms that mean them."""

from __future__ import annotations

from datetime import date

from pydantic import Field, model_validator

from crm_quality.definitions.model import Definition


class AcceptedValue(Definition):
    """One accepted value.

    Attributes:
        label: What people see.
        meaning: When to use it.
        synonyms: Other spellings, compared without case, accents, punctuation and blanks.
        parent: The broader value it belongs to.
        valid_from: First day on which the value may be used; null = always.
        valid_to: Last day on which the value may be used; null = still valid.
        replaced_by: The value that a deprecated one is rewritten to.
    """

    label: str = ""
    meaning: str = ""
    synonyms: tuple[str, ...] = ()
    parent: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    replaced_by: str | None = None


class Vocabulary(Definition):
    """The accepted values of one thing, such as ``lead_source``.

    Attributes:
        vocabulary: Its name; fields refer to it.
        meaning: What the values say.
        owner: Who decides about new values.
        values: Accepted value → its details, in the order in which people want to see them.
        catch_all: The value that stands for "none of the others"; null = there is none.
    """

    vocabulary: str
    meaning: str = ""
    owner: str = ""
    values: dict[str, AcceptedValue] = Field(min_length=1)
    catch_all: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_values(cls, data: object) -> object:
        """Let ``web:`` stand for ``web: {}`` and a list of synonyms for ``{synonyms: [...]}``."""
        if not isinstance(data, dict) or not isinstance(data.get("values"), dict):
            return data
        full = {
            value: {"synonyms": details} if isinstance(details, list) else details or {}
            for value, details in data["values"].items()
        }
        return {**data, "values": full}
