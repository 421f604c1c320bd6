"""Forms of postcodes (Universal Postal Union) and foreign names of states (ISO 3166-2)."""

from __future__ import annotations

from typing import NamedTuple


class Form(NamedTuple):
    """How postcodes of one country look.

    Attributes:
        pattern: Of the letters and digits alone.
        shown: Replacement that puts blanks and dashes in.
        digits: Length to which a number that lost leading zeros is filled up; 0 = never.
        least: Fewest digits that such a number has.
        prefix: Letter that may stand before the digits, besides the country's code.
    """

    pattern: str
    shown: str
    digits: int = 0
    least: int = 4
    prefix: str = ""


def _digits(count: int, least: int, prefix: str = "") -> Form:
    return Form(rf"^([0-9]{{{count}}})$", "${1}", count if least < count else 0, least, prefix)


_THREE_TWO = Form(r"^([0-9]{3})([0-9]{2})$", "${1} ${2}")

FORMS = {
    "US": Form(r"^([0-9]{5})([0-9]{4})?$", "${1}-${2}", 5, 3),
    "PR": Form(r"^([0-9]{5})([0-9]{4})?$", "${1}-${2}", 5, 3),
    "CA": Form(r"^([ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z])([0-9][A-Z][0-9])$", "${1} ${2}"),
    "GB": Form(r"^([A-Z]{1,2}[0-9][0-9A-Z]?)([0-9][A-Z]{2})$", "${1} ${2}"),
    "IE": Form(r"^([AC-FHKNPRTV-Y][0-9]{2}|D6W)([0-9AC-FHKNPRTV-Y]{4})$", "${1} ${2}"),
    "NL": Form(r"^([1-9][0-9]{3})([A-Z]{2})$", "${1} ${2}"),
    "DE": _digits(5, 4, "D"),
    "FR": _digits(5, 4, "F"),
    "IT": _digits(5, 3, "I"),
    "ES": _digits(5, 4, "E"),
    "FI": _digits(5, 3, "FIN"),
    "EE": _digits(5, 5),
    "HR": _digits(5, 5),
    "TR": _digits(5, 4),
    "MX": _digits(5, 4),
    "UA": _digits(5, 4),
    "MY": _digits(5, 4),
    "TH": _digits(5, 5),
    "ID": _digits(5, 5),
    "SA": _digits(5, 5),
    "AT": _digits(4, 4, "A"),
    "CH": _digits(4, 4),
    "LI": _digits(4, 4, "FL"),
    "BE": _digits(4, 4, "B"),
    "LU": _digits(4, 4, "L"),
    "DK": _digits(4, 3),
    "NO": _digits(4, 3, "N"),
    "HU": _digits(4, 4, "H"),
    "BG": _digits(4, 4),
    "SI": _digits(4, 4, "SLO"),
    "AU": _digits(4, 3),
    "NZ": _digits(4, 3),
    "ZA": _digits(4, 2),
    "PH": _digits(4, 3),
    "SE": _THREE_TWO,
    "CZ": _THREE_TWO,
    "SK": _THREE_TWO,
    "GR": _THREE_TWO,
    "PL": Form(r"^([0-9]{2})([0-9]{3})$", "${1}-${2}", 5, 4),
    "PT": Form(r"^([0-9]{4})([0-9]{3})?$", "${1}-${2}"),
    "JP": Form(r"^([0-9]{3})([0-9]{4})$", "${1}-${2}", 7, 6),
    "BR": Form(r"^([0-9]{5})([0-9]{3})$", "${1}-${2}", 8, 7),
    "RO": _digits(6, 5),
    "RU": _digits(6, 6),
    "IN": _digits(6, 6),
    "CN": _digits(6, 5),
    "SG": _digits(6, 5),
    "LT": _digits(5, 4, "LT"),
    "LV": Form(r"^([0-9]{4})$", "LV-${1}", 0, 4, "LV"),
    "KR": _digits(5, 4),
}

#: Country → name of a state in other languages, or short → its code.
EXONYMS = {
    "DE": {
        "Bavaria": "BY",
        "Lower Saxony": "NI",
        "North Rhine-Westphalia": "NW",
        "NRW": "NW",
        "Hesse": "HE",
        "Rhineland-Palatinate": "RP",
        "Saxony": "SN",
        "Saxony-Anhalt": "ST",
        "Thuringia": "TH",
        "Mecklenburg-Western Pomerania": "MV",
        "BaWü": "BW",
    },
    "AT": {
        "Vienna": "9",
        "Carinthia": "2",
        "Lower Austria": "3",
        "Upper Austria": "4",
        "Styria": "6",
        "Tyrol": "7",
    },
    "CH": {
        "Geneva": "GE",
        "Zurich": "ZH",
        "Lucerne": "LU",
        "Grisons": "GR",
        "Basel": "BS",
        "St. Gallen": "SG",
    },
    "ES": {
        "Catalonia": "CT",
        "Andalusia": "AN",
        "Community of Madrid": "MD",
        "Basque Country": "PV",
        "Valencia": "VC",
    },
    "IT": {"Lombardy": "25", "Tuscany": "52", "Sicily": "82", "Piedmont": "21", "Apulia": "75"},
    "FR": {"Brittany": "BRE", "Normandy": "NOR", "Corsica": "20R", "PACA": "PAC"},
    "US": {
        "Washington DC": "DC",
        "Washington D.C.": "DC",
        "Calif": "CA",
        "Mass": "MA",
        "Penn": "PA",
        "Fla": "FL",
        "Tex": "TX",
        "Ill": "IL",
        "Mich": "MI",
        "Conn": "CT",
        "Wash": "WA",
        "Colo": "CO",
        "Ariz": "AZ",
        "Minn": "MN",
        "Tenn": "TN",
        "Okla": "OK",
        "Ore": "OR",
        "Wisc": "WI",
    },
    "CA": {
        "Newfoundland": "NL",
        "PEI": "PE",
        "P.Q.": "QC",
        "Ont": "ON",
        "Alta": "AB",
        "Sask": "SK",
    },
    "GB": {"N. Ireland": "NIR"},
}
