from __future__ import annotations

from pathlib import Path

import pytest

from crm_quality.definitions import default_rules, load_rules
from crm_quality.errors import DefinitionError, NotFoundError


def test_the_default_pack_has_contacts_and_companies_bound_to_their_vocabularies():
    rules = default_rules()

    assert {"contact", "company"} <= set(rules.entities)
    assert "paid_search" in rules.entity("contact").vocabularies["lead_source"].values


def test_the_fingerprint_tells_rules_that_mean_something_else(rules):
    same = {"entities/person.yml": "{entity: person, fields: {name: {meaning: x}}}"}
    commented = {"entities/person.yml": "# hello\nentity: person\nfields: {name: {meaning: x}}"}
    other = {"entities/person.yml": "{entity: person, fields: {name: {meaning: y}}}"}

    first, second, third = (rules(files).fingerprint for files in (same, commented, other))

    assert first == second
    assert first != third


def test_every_mistake_of_every_file_is_told_at_once(faults):
    found = faults(
        {
            "entities/person.yml": """
                entity: person
                fields:
                  name: {meaning: Name., typ: surname}
                  mail: {meaning: Mail., type: e-mail}
                """,
            "vocabularies/colour.yml": "vocabulary: colour\nvalues: {}\n",
            "sources/shop.yml": "source: shop\nentity: peron\n",
        }
    )

    assert [(Path(str(fault.file)).name, fault.line) for fault in found] == [
        ("person.yml", 3),
        ("person.yml", 4),
        ("shop.yml", 2),
        ("colour.yml", 2),
    ]


def test_a_fault_has_file_line_column_and_the_nearest_word(faults):
    (fault,) = faults(
        {
            "entities/person.yml": """
                entity: person
                fields:
                  name:
                    meaning: Name.
                    sevrity: warning
                    survivorship: {strategy: most_recent}
                """
        }
    )

    assert Path(str(fault.file)).name == "person.yml"
    assert (fault.line, fault.column) == (5, 5)
    assert "sevrity" in fault.message


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("requierd: warning", "required"),
        ("survivorship: {strategy: most_recnt}", "most_recent"),
        ("type: emial", "email"),
        ("required: warn", "warning"),
    ],
)
def test_a_misspelt_word_gets_the_nearest_one_as_hint(faults, line, hint):
    (fault,) = faults(
        {
            "entities/person.yml": (
                f"entity: person\nfields:\n  name:\n    meaning: Name.\n    {line}\n"
            )
        }
    )

    assert f"did you mean {hint!r}?" in fault.hint
    assert fault.line == 5


def test_an_error_message_reads_as_place_fault_and_hint(rules):
    with pytest.raises(DefinitionError, match=r"(?s)1 mistake.*person\.yml:4:5.*did you mean"):
        rules(
            {
                "entities/person.yml": (
                    "entity: person\nfields:\n  name:\n    meanin: Name.\n    meaning: Name.\n"
                )
            }
        )


def test_a_repeated_key_is_a_fault_at_its_second_place(faults):
    (fault,) = faults(
        {"entities/person.yml": "entity: person\nfields:\n  a: {meaning: x}\n  a: {meaning: y}\n"}
    )

    assert (fault.line, fault.column) == (4, 3)
    assert "repeated" in fault.message
    assert "line 3" in fault.hint


def test_text_that_is_no_yaml_is_a_fault_with_its_line(faults):
    (fault,) = faults({"entities/person.yml": "entity: person\nfields: [a\n"})

    assert "not valid YAML" in fault.message
    assert fault.line >= 2


def test_an_empty_file_is_a_fault(faults):
    (fault,) = faults({"vocabularies/empty.yml": ""})

    assert "empty" in fault.message


def test_a_file_that_is_not_utf_8_is_a_fault_that_says_how_to_mend_it(rules, tmp_path):
    rules({})
    (tmp_path / "entities" / "latin.yml").write_bytes("entity: straße\n".encode("latin-1"))

    with pytest.raises(DefinitionError, match="UTF-8"):
        load_rules(tmp_path)


def test_words_that_yaml_takes_for_truth_or_numbers_stay_text(rules):
    vocabularies = rules(
        {
            "vocabularies/country.yml": """
                vocabulary: country
                values:
                  NO: {label: Norway, synonyms: [no, 47, 1e3]}
                  "YES": [on, off, y]
                  007: {}
                  2024-01-31: {}
                """
        }
    ).vocabularies

    assert list(vocabularies["country"].values) == ["NO", "YES", "007", "2024-01-31"]
    assert vocabularies["country"].values["NO"].synonyms == ("no", "47", "1e3")
    assert vocabularies["country"].values["YES"].synonyms == ("on", "off", "y")


def test_a_folded_text_is_one_line(rules):
    entity = rules(
        {
            "entities/person.yml": """
                entity: person
                meaning: >-
                  One person
                  as one source knows them.
                fields: {name: {meaning: Name.}}
                """
        }
    ).entity("person")

    assert entity.meaning == "One person as one source knows them."


def test_a_word_that_means_two_values_is_a_fault(faults):
    (fault,) = faults(
        {
            "vocabularies/colour.yml": """
                vocabulary: colour
                values:
                  red: [Scarlet]
                  crimson: [SCARLET]
                """
        }
    )

    assert "both" in fault.message
    assert fault.line == 4


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"sources/shop.yml": "{source: shop, entity: persn}"}, "no entity 'persn'"),
        (
            {"sources/shop.yml": "{source: shop, entity: person, columns: {nam: [Name]}}"},
            "no field 'nam'",
        ),
        (
            {
                "entities/person.yml": "{entity: person, fields: {c: {meaning: x, "
                "type: vocabulary, vocabulary: colours}}}",
                "vocabularies/colour.yml": "{vocabulary: colour, values: {red: {}}}",
            },
            "no vocabulary 'colours'",
        ),
        (
            {"vocabularies/colour.yml": "{vocabulary: colour, values: {red: {replaced_by: rd}}}"},
            "no value 'rd'",
        ),
    ],
)
def test_a_name_that_does_not_exist_is_a_fault_with_the_nearest_one(faults, files, message):
    (fault,) = faults(files)

    assert message in fault.message
    assert fault.hint.startswith("did you mean")


def test_a_missing_entity_is_one_fault_however_many_files_need_it(faults):
    (fault,) = faults(
        {
            f"sources/{name}.yml": f"source: {name}\nentity: company\ncolumns: {{}}\n"
            for name in ("one", "two", "three")
        }
    )

    assert "sources/one, sources/three, sources/two" in fault.message
    assert "entities/company.yml" in fault.hint


def test_one_name_for_two_definitions_is_a_fault(faults):
    (fault,) = faults(
        {
            "vocabularies/a.yml": "{vocabulary: colour, values: {red: {}}}",
            "vocabularies/b.yml": "{vocabulary: colour, values: {blue: {}}}",
        }
    )

    assert "defined already" in fault.message
    assert Path(str(fault.file)).name == "b.yml"


def test_a_folder_without_entities_says_how_to_make_one(tmp_path):
    with pytest.raises(DefinitionError, match="crmq init"):
        load_rules(tmp_path)


def test_a_name_that_is_not_defined_lists_those_that_are():
    with pytest.raises(NotFoundError, match="contact"):
        default_rules().entity("contat")
