from __future__ import annotations

import json

from crm_quality.definitions import default_rules_dir, write_json_schemas
from crm_quality.definitions.loader import KINDS


def test_a_schema_is_written_for_each_kind_of_file(tmp_path):
    files = write_json_schemas(tmp_path / "schemas")

    assert {file.name for file in files} == {f"{kind}.schema.json" for kind in KINDS}


def test_the_schema_of_entities_names_the_keys_of_a_rule(tmp_path):
    write_json_schemas(tmp_path)
    schema = json.loads((tmp_path / "entities.schema.json").read_text())

    assert {"code", "expect", "sql", "severity", "limits"} <= set(
        schema["$defs"]["RecordRule"]["properties"]
    )
    assert {"in", "all", "not", "at_most"} <= set(schema["$defs"]["Condition"]["properties"])


def test_an_operand_may_be_a_bare_text_in_the_schema(tmp_path):
    write_json_schemas(tmp_path)
    schema = json.loads((tmp_path / "entities.schema.json").read_text())

    kinds = [part.get("type") for part in schema["$defs"]["Operand"]["anyOf"]]
    assert kinds == ["string", "object"]


def test_writing_twice_gives_the_same_files(tmp_path):
    first = [file.read_text() for file in write_json_schemas(tmp_path)]
    second = [file.read_text() for file in write_json_schemas(tmp_path)]

    assert first == second


def test_the_default_pack_is_where_it_says():
    assert (default_rules_dir() / "entities" / "contact.yml").is_file()
