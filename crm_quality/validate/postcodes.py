"""The forms of postal codes by country: 9 = a digit, A = a letter, without blanks and hyphens.

Only countries whose codes have one of a few forms; nothing is said about the others. Old forms
that are still seen on letters are kept, since a false alarm costs more than a missed fault.

Source: the Universal Postal Union's addressing guides by country.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_BRITISH = ("A99AA", "A999AA", "AA99AA", "AA999AA", "A9A9AA", "AA9A9AA", "AAA9AA")
#: A routing key (``D02``, ``D6W``) and four letters or digits.
_IRISH = tuple(key + "".join(rest) for key in ("A99", "A9A") for rest in product("A9", repeat=4))

_BY_FORM: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("FO IS", ("999",)),
    ("AL AT AU BD BE BG CH CY DK ET GE GL HU LI LU MK NO NZ PH SI TN VE ZA", ("9999",)),
    (
        "BA CZ DE DO DZ EE EG ES FI FR GF GP GR GT HN HR ID IT JO KE KW LK MA MC ME MQ MX MY",
        ("99999",),
    ),
    ("NC NP PE PF PK PL RE SE SK SM TH TR UA UY VA YT ZM", ("99999",)),
    ("BY CN CO EC IN KG KZ NG RO RU SG TJ TM UZ", ("999999",)),
    ("JP CL", ("9999999",)),
    ("BR", ("99999999",)),
    ("US PR GU VI", ("99999", "999999999")),
    ("KR MN RS VN KH", ("99999", "999999")),
    ("IL", ("99999", "9999999")),
    ("IR", ("99999", "9999999999")),
    ("SA", ("99999", "999999999")),
    ("CR", ("99999", "9999")),
    ("TW", ("999", "99999", "999999")),
    ("AR", ("9999", "A9999AAA")),
    ("PT", ("9999", "9999999")),
    ("NL", ("9999AA",)),
    ("LT", ("99999", "AA99999")),
    ("LV AZ MD", ("9999", "AA9999")),
    ("BN", ("AA9999",)),
    ("CA", ("A9A9A9",)),
    ("AD", ("AA999", "999")),
    ("MT", ("AAA99", "AAA999", "AAA9999")),
    ("IE", _IRISH),
    ("GB GG IM JE", _BRITISH),
)

#: ISO 3166-1 alpha-2 → the forms its codes have.
FORMS: Mapping[str, tuple[str, ...]] = {
    country: forms for countries, forms in _BY_FORM for country in countries.split()
}
