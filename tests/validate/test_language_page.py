"""The examples of docs/reference/rule-language.md are rules that load."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from crm_quality.definitions import load_rules

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "rule-language.md"
BLOCKS = re.findall(r"```yaml ?(\w*)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
FIELDS = {
    "source_key": "key", "first_name": "given_name", "last_name": "surname", "email": "email",
    "phone": "phone", "country": "country", "job_title": "text", "date_of_birth": "date",
    "created_at": "datetime", "updated_at": "datetime", "closed_at": "datetime",
    "referred_by": "key", "company_name": "company_name",
}  # fmt: skip


def _load(folder: Path, rules: str, fields: str = "") -> None:
    more = "".join(f"  {name}: {{meaning: M., type: {kind}}}\n" for name, kind in FIELDS.items())
    fields = fields or (
        "fields:\n  tax_id: {meaning: M., type: identifier}\n"
        "  lifecycle_stage: {meaning: M., type: vocabulary, vocabulary: lifecycle_stage}\n"
    )
    files = {
        "entities/contact.yml": f"entity: contact\n{fields}{more}{rules}",
        "entities/company.yml": (
            "{entity: company, fields: {name: {meaning: M., type: company_name},"
            " domain: {meaning: M., type: domain}}}"
        ),
        "vocabularies/lead_source.yml": "{vocabulary: lead_source, values: {web: {}}}",
        "vocabularies/lifecycle_stage.yml": (
            "{vocabulary: lifecycle_stage, values: {customer: {}, churned: {}}}"
        ),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    assert load_rules(folder).entity("contact")


@pytest.mark.parametrize(("kind", "text"), BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_can_be_loaded(tmp_path, kind, text):
    if kind == "condition":
        text = "code: contact.x\ntitle: T\nmessage: M\nexpect:\n" + textwrap.indent(text, "  ")
        kind = "rule"
    if kind == "rule":
        text = "rules:\n" + textwrap.indent(text, "    ").replace("    ", "  - ", 1)
    if text.startswith("fields:"):
        stage = "  lifecycle_stage: {meaning: M., type: vocabulary, vocabulary: lifecycle_stage}\n"
        _load(tmp_path, "", text + stage)
    else:
        _load(tmp_path, text)


def test_there_are_examples():
    assert {kind for kind, _ in BLOCKS} == {"", "condition", "rule"}
