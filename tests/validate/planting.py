"""How faults are planted: changes to clean records, made without a look at the rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A record of Berlin without a number of its own.
GERMAN: dict[str, str | None] = {
    "country": "Germany", "city": "Berlin", "postcode": "10115", "phone": None,
}  # fmt: skip
#: A record that nothing tells the country of.
NOWHERE: dict[str, str | None] = {
    "country": None, "city": None, "state": None, "postcode": None, "phone": None,
}  # fmt: skip
_NOTHING = ("n/a", "-", "Unknown", "  none ")


@dataclass(frozen=True)
class Fault:
    """A change to a clean record, and the code of the rule that must find it.

    Attributes:
        code: The rule.
        change: Field → what it is changed to.
        besides: Codes of rules that rightly find the same change in another light.
    """

    code: str
    change: dict[str, str | None]
    besides: frozenset[str] = field(default=frozenset())

    @property
    def codes(self) -> set[str]:
        """Every rule that must find it."""
        return {self.code, *self.besides}


def missing_words(entity: str, fields: Iterable[str]) -> list[Fault]:
    """Words for "nothing" in fields that nobody asks for."""
    return [
        Fault(f"{entity}.{name}.placeholder", {name: _NOTHING[number % len(_NOTHING)]})
        for number, name in enumerate(fields)
    ]


def garbled(text: str) -> str:
    """``text`` as a program shows it that takes UTF-8 for Windows-1252."""
    return text.encode().decode("cp1252")


def marked(text: str) -> str:
    """``text`` with a blank that does not break behind it, garbled in the same way."""
    return f"{text}Â\xa0"


def broken(text: str) -> str:
    """``text`` as a program writes it that knows no letters but the English ones."""
    return text.encode("ascii", "replace").decode()
