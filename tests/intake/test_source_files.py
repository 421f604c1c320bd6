from __future__ import annotations

import re
from pathlib import Path

import pytest

from crm_quality.definitions import SourceDefinition, default_rules
from crm_quality.definitions.source import ColumnMapping
from crm_quality.errors import DefinitionError, InputError
from crm_quality.intake import load_source, read, take_in

RULES = default_rules()
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "sources.md"


@pytest.fixture
def source_file(tmp_path):
    def written(text):
        path = tmp_path / "shop.yml"
        path.write_text(text)
        return path

    return written


def test_a_mapping_file_is_a_source_of_its_own(source_file):
    path = source_file("source: shop\nkey: [No]\ncolumns: {email: Mail, phone: [Tel, Cell]}\n")
    source = load_source(path, RULES)
    records = take_in(
        read([{"No": "1", "Mail": "m", "Tel": "", "Cell": "2"}]), RULES, source=source
    )
    assert records.records["contact"].select("source", "source_key", "email", "phone").rows() == [
        ("shop", "1", "m", "2")
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source: shop\ncolumns: {emial: Mail}\n", r"shop\.yml:2:.*did you mean 'email'"),
        ("source: shop\nentity: contakt\n", r"shop\.yml:2:.*did you mean 'contact'"),
        ("source: shop\nconstants: {colour: red}\n", r"shop\.yml:2:.*'colour'"),
        ("source: shop\ncolums: {}\n", r"shop\.yml:2:1: unknown key 'colums'.*'columns'"),
        ("columns: {}\n", r"'source' is missing"),
        ("source: [\n", "not valid YAML"),
        ("source: a\nsource: b\n", "repeated"),
        ("source: a\ncolumns: {email: {join: [a], any_of: [b]}}\n", "not both"),
        ("source: a\nrecognised_by: [{none: [x]}]\n", "at least one column"),
        ("", "empty"),
    ],
)
def test_a_mistake_in_a_mapping_file_is_named_with_its_place(source_file, text, said):
    with pytest.raises(DefinitionError, match=said):
        load_source(source_file(text), RULES)


def test_a_mapping_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"shop\.yml"):
        load_source(tmp_path / "shop.yml", RULES)


def rows_of(page, title):
    part = page.split(title)[1]
    return set(re.findall(r"^\| `(\w+)` \|", part.split("\n## ")[0], flags=re.MULTILINE))


def test_the_page_on_sources_names_every_key_and_every_preset():
    page = PAGE.read_text(encoding="utf-8")
    keys = {*SourceDefinition.model_fields, *ColumnMapping.model_fields}
    assert rows_of(page, "\n## A definition") == keys
    assert rows_of(page, "\n## Presets") == set(RULES.sources)


def test_the_definition_on_the_page_is_one(source_file):
    example = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    assert load_source(source_file(example), RULES).source == "shop"
