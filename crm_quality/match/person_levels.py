"""What is compared of two persons."""

from __future__ import annotations

from dataclasses import replace

from crm_quality.match.levels import ELSE, Comparison, Level, alike, edits, exact

_ONE_SWAPPED = (
    "({0} AND ({1} OR (least(length(surname_{l}), length(given_{r})) = 1"
    " AND surname_{l}[1] = given_{r}[1])))"
)
_SWAPPED = " OR ".join(
    _ONE_SWAPPED.format(
        alike(f"given_{one}", f"surname_{other}", 0.92),
        alike(f"surname_{one}", f"given_{other}", 0.8),
        l=one,
        r=other,
    )
    for one, other in ("lr", "rl")
)

GIVEN_NAME = Comparison(
    "given_name",
    ("given", "surname"),
    ("given",),
    (
        *exact("given_w"),
        Level("nickname", "list_has_any(given_n_l, given_n_r)", 2),
        Level(
            "one edit",
            f"least(length(given_l), length(given_r)) > 1 AND {edits('given_l', 'given_r', 1, 3)}",
            2,
        ),
        Level("two edits", edits("given_l", "given_r", 2, 7), 2),
        Level("swapped with surname", _SWAPPED, 2, "given*surname"),
        Level(
            "initial",
            "least(length(given_l), length(given_r)) = 1 AND given_l[1] = given_r[1]",
            1,
        ),
        Level(
            "part",
            "starts_with(given_l, given_r) OR starts_with(given_r, given_l)"
            " OR list_has_any(given_t_l, given_t_r)",
            1,
        ),
        Level("alike", alike("given_l", "given_r", 0.86), 1),
        Level("in the surname's place", "given_l = surname_r OR given_r = surname_l", 1),
        Level("far", alike("given_l", "given_r", 0.74), 1),
        ELSE,
    ),
    weakening=("same, 1 in 64", "initial", "different"),
)

#: Who spells a name wrong does not spell the mailbox wrong likewise: of jon.smith@acme.com and
#: jane.smith@acme.com each says that its record's name is meant as it stands.
EACH_BY_NAME = (
    "(given_l <> given_r AND contains(letters_l, given_l) AND contains(letters_r, given_r)"
    " AND least(length(given_l), length(given_r)) > 2)"
)
_SLIPS = {"two edits", "alike", "far"}
#: Of records with mailboxes; the same levels, so that one model knows both.
GIVEN_NAME_BY_MAIL = replace(
    GIVEN_NAME,
    levels=tuple(
        replace(level, condition=f"({level.condition}) AND NOT coalesce({EACH_BY_NAME}, FALSE)")
        if level.name in _SLIPS
        else level
        for level in GIVEN_NAME.levels
    ),
)

SURNAME = Comparison(
    "surname",
    ("surname", "given"),
    ("surname",),
    (
        *exact("surname"),
        Level("one edit", edits("surname_l", "surname_r", 1, 4), 2),
        Level("two edits", edits("surname_l", "surname_r", 2, 7), 2),
        Level(
            "given name in its place",
            "(given_l IS NULL AND surname_l = given_r)"
            " OR (given_r IS NULL AND surname_r = given_l)",
            1,
        ),
        Level("part", "list_has_any(surname_t_l, surname_t_r)", 1),
        Level("alike", alike("surname_l", "surname_r", 0.88), 1),
        Level(
            "within",
            "least(length(surname_l), length(surname_r)) > 3"
            " AND (contains(surname_l, surname_r) OR contains(surname_r, surname_l))",
            1,
        ),
        Level("far", alike("surname_l", "surname_r", 0.76), 1),
        Level("initial", "surname_l[1] = surname_r[1]", 0),
        ELSE,
    ),
    untold=_SWAPPED,  # the given name has told of it already
    weakening=("one edit", "alike", "far", "initial", "different"),
)

#: Of records without given names; the same levels, so that one model knows both.
SURNAME_ALONE = Comparison(
    "surname",
    ("surname",),
    ("surname",),
    tuple(
        replace(level, condition="FALSE") if "given" in level.condition else level
        for level in SURNAME.levels
    ),
    weakening=SURNAME.weakening,
)

MIDDLE_NAME = Comparison(
    "middle_name",
    ("middle",),
    ("middle",),
    (
        Level("same", "middle_l = middle_r AND length(middle_l) > 1", 2),
        Level("near", alike("middle_l", "middle_r", 0.85), 2),
        Level("initial", "middle_l[1] = middle_r[1]", 1),
        ELSE,
    ),
)

NAME_SUFFIX = Comparison(
    "name_suffix",
    ("suffix",),
    ("suffix",),
    (Level("same", "suffix_l = suffix_r", 2), ELSE),
)

REGION = Comparison(
    "region",
    ("region",),
    ("region",),
    (
        Level("same", "region_l = region_r AND region_told_l AND region_told_r", 1),
        Level("same, by the name", "region_l = region_r", 0),
        Level("different, by the name", "NOT (region_told_l AND region_told_r)", 0),
        ELSE,
    ),
)

GENDER = Comparison(
    "gender",
    ("gender",),
    ("gender",),
    (Level("same", "gender_l = gender_r", 1), ELSE),
)

DATE_OF_BIRTH = Comparison(
    "date_of_birth",
    ("dob",),
    ("dob",),
    (
        *exact("dob"),
        Level(
            "day and month swapped",
            "dob_l[1:4] = dob_r[1:4] AND dob_l[5:6] = dob_r[7:8] AND dob_l[7:8] = dob_r[5:6]",
            2,
        ),
        Level("one digit", edits("dob_l", "dob_r", 1), 2),
        Level("same day, another year", "dob_l[5:8] = dob_r[5:8]", 1),
        Level(
            "same year and day or month",
            "dob_l[1:4] = dob_r[1:4] AND (dob_l[5:6] = dob_r[5:6] OR dob_l[7:8] = dob_r[7:8])",
            1,
        ),
        Level("two digits", edits("dob_l", "dob_r", 2), 1),
        Level("same year", "dob_l[1:4] = dob_r[1:4]", 0),
        Level(
            "years near",
            "abs(try_cast(dob_l[1:4] AS INTEGER) - try_cast(dob_r[1:4] AS INTEGER)) <= 2",
            0,
        ),
        ELSE,
    ),
    weakening=("same year and day or month", "same year", "years near", "different"),
)

BIRTH_PLACE = Comparison(
    "birth_place",
    ("birth_place",),
    ("birth_place",),
    (
        *exact("birth_place"),
        Level("near", alike("birth_place_l", "birth_place_r", 0.9), 2),
        ELSE,
    ),
)

JOB_TITLE = Comparison(
    "job_title",
    ("job_title",),
    ("job_title",),
    (
        Level("same", "job_title_l = job_title_r", 2),
        Level("near", alike("job_title_l", "job_title_r", 0.9), 1),
        ELSE,
    ),
)
