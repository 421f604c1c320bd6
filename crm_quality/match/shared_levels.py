"""What is compared of persons and companies alike: mailboxes, numbers, places, names of firms."""

from __future__ import annotations

from dataclasses import replace

from crm_quality.match.levels import ELSE, Comparison, Level, alike, edits, exact
from crm_quality.match.person_levels import EACH_BY_NAME

_KIND = "greatest(mail_kind_l, mail_kind_r)"
_OWN_WORD = f"least(mail_kind_l, mail_kind_r) = 0 AND {_KIND} < 2"
_SAME_NUMBER = "local_digits_l IS NOT DISTINCT FROM local_digits_r"
_NEAR_MAIL = f"{edits('mail_l', 'mail_r', 2, 8)} AND {_SAME_NUMBER} AND {_KIND} < 3"

EMAIL = Comparison(
    "email",
    ("mail",),
    ("mail",),
    (
        Level("same", "list_has_any(mails_l, mails_r) AND mail_kind_l < 3", 2, "mails"),
        Level("same mailbox of a function", "list_has_any(mails_l, mails_r)", 2, shared=True),
        Level("near", f"{_NEAR_MAIL} AND NOT coalesce({EACH_BY_NAME}, FALSE)", 2),
        Level(
            "same number, other letters",
            "local_digits_l = local_digits_r AND length(local_digits_l) > 4",
            2,
        ),
        Level(
            "same name and number, other domain",
            "local_l = local_r AND local_digits_l IS NOT NULL",
            2,
        ),
        # letters that both records' names explain are no second piece of evidence
        Level("same letters, other domain", f"letters_l = letters_r AND {_OWN_WORD}", 2),
        Level(
            "near letters, other domain",
            f"{edits('letters_l', 'letters_r', 2, 7)} AND {_OWN_WORD}",
            1,
        ),
        Level("same domain", "list_has_any(mail_domains_l, mail_domains_r)", 0),
        Level(
            "different, one at work",
            "len(mail_domains_l) > 0 OR len(mail_domains_r) > 0",
            0,
        ),
        ELSE,
    ),
)

#: Of records without given names; the same levels, so that one model knows both.
EMAIL_ALONE = replace(
    EMAIL,
    levels=tuple(
        replace(level, condition=_NEAR_MAIL) if level.name == "near" else level
        for level in EMAIL.levels
    ),
)

PHONE = Comparison(
    "phone",
    ("phone",),
    ("phone",),
    (
        Level(
            "same own number",
            "list_has_any(mobiles_l, phones_r) OR list_has_any(mobiles_r, phones_l)",
            2,
        ),
        Level("same", "list_has_any(phones_l, phones_r)", 2, "phones"),
        Level(
            "near",
            f"{edits('phone_l', 'phone_r', 1, 7)}"
            " OR (length(phone_l) > 9 AND length(phone_r) > 9"
            f" AND {edits('phone_l', 'phone_r', 2)})",
            2,
        ),
        Level(
            "alike",
            "least(length(phone_l), length(phone_r)) >= 7"
            " AND phone_l[-4:] = phone_r[-4:]"
            " AND damerau_levenshtein(phone_l, phone_r) <= 4",
            1,
        ),
        ELSE,
    ),
)

_SAME_LINE = "line_l = line_r"
_NEAR_LINE = f"({alike('line_l', 'line_r', 0.92)} OR {edits('line_l', 'line_r', 2, 8)})"
_AREA = "(postcode_l = postcode_r OR town_l = town_r)"
_NEAR_AREA = f"({edits('postcode_l', 'postcode_r', 1, 4)} OR {alike('town_l', 'town_r', 0.9)})"
_NUMBER = "number_l = number_r"
_STREET = f"(street_l = street_r OR {alike('street_l', 'street_r', 0.9)})"

ADDRESS = Comparison(
    "address",
    ("line", "postcode", "town"),
    ("line", "postcode", "town"),
    (
        *exact("address", "same door"),
        Level("same line", _SAME_LINE, 2),
        Level("near line and area", f"{_NEAR_LINE} AND ({_AREA} OR {_NEAR_AREA})", 2),
        Level("near line", f"{_NEAR_LINE} AND {_NUMBER}", 2),
        Level("same street and area", f"{_STREET} AND {_AREA}", 1),
        Level("same street", _STREET, 1),
        Level("near line, other number", _NEAR_LINE, 1),
        Level(
            "same postcode and town",
            "postcode_l = postcode_r AND town_l = town_r AND area_f_l > 1",
            1,
        ),
        Level("same area, rare", f"{_AREA} AND area_f_l > 3", 1),
        Level("same area, usual", f"{_AREA} AND area_f_l > 1", 1),
        Level("same area", f"{_AREA}", 1),
        Level("near area", _NEAR_AREA, 1),
        ELSE,
    ),
)

_COMMON, _LEFT, _RIGHT = (
    f"list_sum(list_transform({words}, lambda x: x & 255))"
    for words in ("list_intersect(company_w_l, company_w_r)", "company_w_l", "company_w_r")
)
_LEAST_BITS, _MOST_BITS = f"least({_LEFT}, {_RIGHT})", f"greatest({_LEFT}, {_RIGHT})"
_LEAST_LENGTH = "least(length(company_l), length(company_r))"
# three letters against a long name are neither it nor another: *pc*, *pacific services*
_TOO_SHORT = (
    f"{_LEAST_LENGTH} <= 3 AND greatest(length(company_l), length(company_r)) >= 8"
    " AND company_l IS DISTINCT FROM company_a_r AND company_r IS DISTINCT FROM company_a_l"
    " AND NOT list_has_any(company_t_l, company_t_r)"
)
_NEAR_LENGTH = f"{_LEAST_LENGTH} >= 0.75 * greatest(length(company_l), length(company_r))"

COMPANY = Comparison(
    "company",
    ("company",),
    ("company",),
    (
        *exact("company"),
        Level("one edit", edits("company_l", "company_r", 1, 4), 2),
        # by length too: "Brand" and "Brand Copenhagen" begin alike and are two branches
        Level(
            "near",
            f"({alike('company_l', 'company_r', 0.93)} AND {_NEAR_LENGTH})"
            f" OR ({edits('company_l', 'company_r', 2, 7)})"
            f" OR ({edits('company_l', 'company_r', 3, 14)})",
            2,
        ),
        # one common word out of many, as in "West" and "Fadel and West", is no name
        Level(
            "words within",
            f"{_COMMON} >= 0.85 * {_LEAST_BITS} AND {_COMMON} >= 0.5 * {_MOST_BITS}",
            2,
        ),
        Level(
            "acronym",
            "(length(company_l) > 1 AND company_l = company_a_r)"
            " OR (length(company_r) > 1 AND company_r = company_a_l)",
            1,
        ),
        Level("few words within", f"{_COMMON} >= 0.85 * {_LEAST_BITS}", 1),
        Level("most words", f"{_COMMON} >= 0.5 * {_LEAST_BITS}", 1),
        Level(
            "beginning",
            f"{_LEAST_LENGTH} > 1"
            " AND (starts_with(company_l, company_r) OR starts_with(company_r, company_l))",
            1,
        ),
        Level("far", alike("company_l", "company_r", 0.82), 1),
        Level("some words", f"{_COMMON} > 0", 0),
        ELSE,
    ),
    untold=_TOO_SHORT,
    weakening=(
        "one edit",
        "near",
        "words within",
        "few words within",
        "most words",
        "some words",
        "different",
    ),
)

LEGAL_FORM = Comparison(
    "legal_form",
    ("legal_form",),
    ("legal_form",),
    (Level("same", "legal_form_l = legal_form_r", 1), ELSE),
)

DOMAIN = Comparison(
    "domain",
    ("domain",),
    ("domain",),
    (
        Level("same", "domain_l = domain_r", 2),
        Level(
            "same name, other ending",
            "regexp_extract(domain_l, '^[^.]+') = regexp_extract(domain_r, '^[^.]+')",
            1,
        ),
        ELSE,
    ),
)

IDENTIFIER = Comparison(
    "identifier",
    ("identifier",),
    ("identifier",),
    (
        Level("same", "list_has_any(identifiers_l, identifiers_r)", 2),
        Level("near", edits("identifier_l", "identifier_r", 1, 5), 2),
        Level("two edits", edits("identifier_l", "identifier_r", 2, 7), 1),
        ELSE,
    ),
)
