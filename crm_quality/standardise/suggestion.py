"""What was probably meant by a value that is set aside or doubted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.standardise.email import suggested_emails
from crm_quality.standardise.phone import suggested_phones
from crm_quality.standardise.vocabulary import nearest

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition

_BY_TYPE = {FieldType.EMAIL: suggested_emails, FieldType.PHONE: suggested_phones}


def suggested_values(texts: pl.Series, definition: EntityDefinition, field: str) -> pl.Series:
    """A value to offer beside an issue; nothing is changed by it.

    Args:
        texts: What was written (``<field>__raw``); each distinct text is looked at once.
        definition: The entity.
        field: One of its fields.

    Returns:
        Text, null where there is no good guess: a valid e-mail address (``john@x.com`` for
        ``john at x.com``), a phone number in E.164, the nearest word of the field's vocabulary.
    """
    kind = definition.fields[field].type
    if (suggest := _BY_TYPE.get(kind)) is not None:
        return suggest(texts)
    vocabulary = definition.vocabularies.get(definition.fields[field].vocabulary or "")
    if vocabulary is not None:
        return nearest(vocabulary, texts)
    return pl.repeat(None, len(texts), dtype=pl.String, eager=True)
