"""What people are told of the notes that standardising leaves, by the type of the field."""

from __future__ import annotations

from typing import NamedTuple

from crm_quality.definitions import FieldType, Severity

#: Type of field → how its values are called.
KINDS = {
    FieldType.GIVEN_NAME: "a given name",
    FieldType.SURNAME: "a family name",
    FieldType.FULL_NAME: "a person's name",
    FieldType.COMPANY_NAME: "a company's name",
    FieldType.EMAIL: "an e-mail address",
    FieldType.EMAILS: "a list of e-mail addresses",
    FieldType.PHONE: "a phone number",
    FieldType.PHONES: "a list of phone numbers",
    FieldType.CITY: "a town",
    FieldType.POSTCODE: "a postal code",
    FieldType.COUNTRY: "a country",
    FieldType.STATE: "a state or region",
    FieldType.URL: "a web address",
    FieldType.DOMAIN: "a domain",
    FieldType.IDENTIFIER: "an identification number",
    FieldType.DATE: "a date",
    FieldType.DATETIME: "a date and time",
    FieldType.BOOLEAN: "yes or no",
    FieldType.INTEGER: "a whole number",
    FieldType.DECIMAL: "a number",
}

_EMAIL = ("placeholder", "invalid", "doubtful", "repaired")
_PHONE = ("placeholder", "invalid", "ambiguous", "doubtful", "repaired")
_READ = ("placeholder", "invalid", "repaired")
_READ_ONE_WAY = ("placeholder", "invalid", "ambiguous", "repaired")
_TEXT = ("placeholder", "repaired")
#: Type of field → the notes that its standardiser leaves.
NOTES_OF: dict[FieldType, tuple[str, ...]] = {
    FieldType.KEY: (),
    FieldType.EMAIL: _EMAIL,
    FieldType.EMAILS: _EMAIL,
    FieldType.PHONE: _PHONE,
    FieldType.PHONES: _PHONE,
    FieldType.DATE: _READ_ONE_WAY,
    FieldType.DATETIME: _READ_ONE_WAY,
    FieldType.DECIMAL: _READ_ONE_WAY,
    FieldType.TEXT: _TEXT,
    FieldType.STREET: _TEXT,
    FieldType.NAME_SUFFIX: _TEXT,
    FieldType.STATE: _TEXT,
    FieldType.POSTCODE: ("placeholder", "doubtful", "repaired"),
    FieldType.VOCABULARY: ("placeholder", "unknown", "repaired"),
    FieldType.COUNTRY: ("placeholder", "unknown", "ambiguous", "repaired"),
    **dict.fromkeys(
        (
            FieldType.GIVEN_NAME,
            FieldType.SURNAME,
            FieldType.FULL_NAME,
            FieldType.COMPANY_NAME,
            FieldType.CITY,
            FieldType.URL,
            FieldType.DOMAIN,
            FieldType.IDENTIFIER,
            FieldType.BOOLEAN,
            FieldType.INTEGER,
        ),
        _READ,
    ),
}


class NoteText(NamedTuple):
    """What one note says; ``{label}`` is the field in words, ``{kind}`` what its values are.

    Attributes:
        title: What holds where the note is not left.
        message: What the person is told who entered the value.
        advice: What to do about it.
        severity: What the value does to its record, unless the field says so itself.
    """

    title: str
    message: str
    advice: str
    severity: Severity = Severity.INFO


_TEXTS = {
    "placeholder": NoteText(
        "{label} holds no placeholder",
        "{label} holds a word for nothing; it counts as missing",
        "Leave the field empty when the value is not known.",
    ),
    "invalid": NoteText(
        "{label} can be read as {kind}",
        "{label} cannot be read as {kind} and was set aside",
        "Correct the value in its source; the text as it came is kept with the record.",
        Severity.WARNING,
    ),
    "unknown": NoteText(
        "{label} is an accepted value",
        "{label} is not an accepted value",
        "Choose an accepted value, or add this text to the vocabulary as a synonym of one.",
        Severity.WARNING,
    ),
    "ambiguous": NoteText(
        "{label} can be read in one way only",
        "{label} can be read in more than one way and was set aside",
        "Write it out, or tell in the source's definition how it writes such values.",
        Severity.WARNING,
    ),
    "doubtful": NoteText(
        "{label} is of a kind that is known to exist",
        "{label} is well formed, but nothing of its kind is known to exist; it was kept",
        "Look whether it is mistyped, and correct it in its source.",
    ),
    "repaired": NoteText(
        "{label} needs no repair",
        "{label} was repaired; the suggestion is what was understood",
        "Nothing, if the repair is right; correct the source so that it stays right.",
    ),
}
_SPECIAL = {
    (FieldType.EMAIL, "doubtful"): NoteText(
        "{label} has no slip in its domain",
        "the domain looks like a slip for that of a large mail provider; the address was kept",
        "Ask for the address again, or correct it to the suggestion.",
        Severity.WARNING,
    ),
    (FieldType.PHONE, "doubtful"): NoteText(
        "{label} is in a range of numbers that is in use",
        "no numbers begin like this one in its country; it was kept",
        "Look whether a digit is missing, and correct the number in its source.",
    ),
    (FieldType.PHONE, "ambiguous"): NoteText(
        "{label} tells its country, or its record does",
        "the number could be dialled only if its country were known; it was set aside",
        "Give the record a country, write the number with +, or set the source's country.",
        Severity.WARNING,
    ),
    (FieldType.POSTCODE, "doubtful"): NoteText(
        "{label} has the form of its country",
        "the postal code does not have the form that the post of its country uses; it was kept",
        "Correct the postal code or the country.",
        Severity.WARNING,
    ),
    (FieldType.DATE, "ambiguous"): NoteText(
        "{label} can be read in one way only",
        "day and month could be either way round; the date was set aside",
        "Set date_order in the source's definition, or write dates as 2024-01-31.",
        Severity.WARNING,
    ),
}
_ALIKE = {FieldType.EMAILS: FieldType.EMAIL, FieldType.PHONES: FieldType.PHONE,
          FieldType.DATETIME: FieldType.DATE}  # fmt: skip

NOTES = tuple(_TEXTS)


def note_text(kind: FieldType, note: str) -> NoteText:
    """What ``note``, one of `NOTES`, says of a field of type ``kind``."""
    return _SPECIAL.get((_ALIKE.get(kind, kind), note), _TEXTS[note])
