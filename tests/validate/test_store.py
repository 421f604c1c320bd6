from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from ruamel.yaml import YAML
from validation_frames import found, records

from crm_quality.definitions import EntityDefinition
from crm_quality.validate import check_store

AS_OF = date(2024, 6, 30)


def _golden(**columns) -> pl.DataFrame:
    frame = records(**columns)
    return frame.with_columns(pl.int_range(1, frame.height + 1).alias("entity_id"))


def _status(checked, code: str) -> tuple[str, int, int]:
    rule = checked.checks.filter(rule=code).row(0, named=True)
    return rule["status"], rule["records"], rule["failing"]


def test_a_value_that_occurs_twice_is_an_issue_of_each_holder(person):
    definition = person(
        fields="tax: {meaning: Tax., type: identifier, checks: [{check: unique, severity: info}]}"
    )

    checked = check_store({"person": _golden(tax=["1", "2", "1", None, None])}, definition)

    assert found(checked.issues) == {("1", "person.tax.unique"), ("3", "person.tax.unique")}
    assert checked.issues["entity_id"].to_list() == [1, 3]
    assert checked.issues["value"].to_list() == ["1", "1"]
    assert _status(checked, "person.tax.unique") == ("warned", 3, 2)


def test_fields_can_be_unique_together(person):
    definition = person(
        """
        - {code: person.twin, title: T, message: M, unique: [name, born], where: {field: stage, equals: won}}
        """  # noqa: E501
    )
    day = date(1990, 1, 1)
    frame = _golden(
        name=["Ann", "Ann", "Ann", "Bob", "Ann"],
        born=[day, day, None, day, day],
        stage=["won", "won", "won", "won", "lead"],
    )

    checked = check_store({"person": frame}, definition)

    assert found(checked.issues) == {("1", "person.twin"), ("2", "person.twin")}


REFERENCE = """
    - code: person.orphan
      title: T
      message: M
      field: parent
      references: {field: parent, entity: person, key: source_key}
"""


@pytest.mark.capability(76)
def test_a_key_that_points_nowhere_is_an_orphan(person):
    frame = _golden(parent=["2", None, "9"])

    checked = check_store({"person": frame}, person(REFERENCE))

    assert found(checked.issues) == {("3", "person.orphan")}
    assert _status(checked, "person.orphan") == ("warned", 2, 1)


def test_a_key_is_its_sources_own(person):
    frame = _golden(parent=["2", None], source=["web", "shop"])

    checked = check_store({"person": frame}, person(REFERENCE))

    assert found(checked.issues) == {("1", "person.orphan")}


DEAL = "{entity: deal, fields: {person: {meaning: P., type: key}, source_key: {meaning: K.}}}"


@pytest.mark.parametrize(
    ("bounds", "keys"),
    [("min: 1", {"2"}), ("max: 1", {"1"}), ("min: 1, max: 1", {"1", "2"})],
)
def test_the_number_of_records_that_point_here_is_counted(person, bounds, keys):
    definition = person(
        f"""
        - code: person.deals
          title: T
          message: M
          where: {{field: stage, equals: won}}
          children: {{entity: deal, field: person, {bounds}}}
        """,
        files={"entities/deal.yml": DEAL},
    )
    people = _golden(stage=["won", "won", "won", "lead"])
    deals = records(person=["1", "1", "3", None])

    checked = check_store({"person": people, "deal": deals}, definition)

    assert set(checked.issues["source_key"]) == keys
    assert checked.checks["records"].to_list() == [3]


def test_a_rule_about_records_that_are_not_there_is_skipped_and_says_so(person):
    definition = person(
        """
        - {code: person.deals, title: T, message: M,
           children: {entity: deal, field: person, min: 1}}
        - {code: person.twin, title: T, message: M, unique: [name]}
        """,
        files={"entities/deal.yml": DEAL},
    )

    checked = check_store({"person": _golden(stage=["won"])}, definition)

    assert dict(checked.checks.select("rule", "status").iter_rows()) == {
        "person.deals": "skipped",
        "person.twin": "skipped",
    }
    assert checked.checks["detail"].to_list() == [
        "there are no records of deal to compare with",
        "the records of this entity have no column name",
    ]


def test_a_source_that_brings_nothing_new_is_one_issue(person):
    definition = person(
        "- {code: person.fresh, title: T, message: M, fresh: {field: seen, within: 2d, by: source}}"
    )
    frame = _golden(
        seen=[date(2024, 6, 28), date(2024, 1, 1), date(2024, 6, 27), None],
        source=["web", "web", "shop", "till"],
    )

    checked = check_store({"person": frame}, definition, as_of=AS_OF)

    assert checked.issues.select("source", "source_key", "field", "value").rows() == [
        ("shop", None, "seen", "2024-06-27"),
        ("till", None, "seen", None),
    ]
    assert _status(checked, "person.fresh") == ("warned", 3, 2)


def test_staleness_is_counted_from_the_day_of_the_run(person):
    definition = person(
        """
        - code: person.stale
          title: T
          message: M
          scope: store
          expect: {field: seen, at_least: today-1y}
        """
    )
    frame = _golden(seen=[date(2023, 6, 30), date(2023, 6, 29), None])

    on_the_day = check_store({"person": frame}, definition, as_of=AS_OF)
    a_day_later = check_store({"person": frame}, definition, as_of=date(2024, 7, 1))

    assert set(on_the_day.issues["source_key"]) == {"2"}
    assert set(a_day_later.issues["source_key"]) == {"1", "2"}


def test_sql_can_be_a_store_rule(person):
    definition = person(
        "- {code: person.rich, title: T, message: M, scope: store, sql: amount < 100}"
    )

    checked = check_store({"person": _golden(amount=[7, 700, None])}, definition)

    assert set(checked.issues["source_key"]) == {"2"}


def test_limits_of_a_store_rule_count_by_segment(person):
    definition = person(
        """
        - code: person.stale
          title: T
          message: M
          scope: store
          expect: {field: amount, above: '0'}
          limits: {fail_above: 50%, by: stage}
        """
    )
    frame = _golden(amount=[0, 1, 1, 1], stage=["won", "lead", "lead", "lead"])

    assert _status(check_store({"person": frame}, definition), "person.stale")[0] == "failed"


def test_golden_records_need_no_source_and_key(person):
    definition = person("- {code: person.twin, title: T, message: M, unique: [name]}")
    frame = pl.DataFrame({"entity_id": [7, 9], "name": ["Ann", "Ann"]})

    checked = check_store({"person": frame}, definition)

    assert checked.issues["entity_id"].to_list() == [7, 9]


def test_the_default_pack_runs_over_an_empty_store(contact, company):
    for definition in (contact, company):
        checked = check_store({}, definition, as_of=AS_OF)

        assert checked.issues.is_empty()
        assert set(checked.checks["status"]) == {"skipped"}
        assert checked.checks.height > 0


FIRM = """
entity: firm
fields:
  title: {meaning: T., type: company_name}
  home: {meaning: H., type: domain}
  land: {meaning: L., type: country}
"""
WORKS_AT = """
    - code: person.firm
      title: T
      message: M
      field: employer
      references: {field: employer, entity: firm, key: title}
    - code: person.elsewhere
      title: T
      message: M
      field: mail
      references: {field: employer, entity: firm, key: title, agrees: {mail: home, land: land}}
"""
EMPLOYER = "employer: {meaning: E., type: company_name}"
FIRMS = pl.DataFrame(
    {
        "title": ["Acme Widgets Ltd", "Acme Widgets Inc", "Lumen Optics BV", "Silent GmbH"],
        "home": ["acme.example", "acme.example.org", "lumen.example", None],
        "land": ["GB", "US", "NL", None],
    }
)


def _at_work(person, **columns):
    definition = person(WORKS_AT, fields=EMPLOYER, files={"entities/firm.yml": FIRM})
    firm = EntityDefinition.model_validate(YAML(typ="safe").load(FIRM))
    frame = _golden(**columns)
    return check_store({"person": frame, "firm": FIRMS}, definition, entities={"firm": firm})


def test_names_of_companies_lead_to_them_without_their_legal_form(person):
    checked = _at_work(person, employer=["ACME WIDGETS", "Lumen Optics", "Nowhere Ltd", None])

    assert found(checked.issues) == {("3", "person.firm")}
    assert _status(checked, "person.firm") == ("warned", 3, 1)


def test_a_record_that_is_found_must_say_the_same(person):
    checked = _at_work(
        person,
        employer=["Acme Widgets", "Acme Widgets", "Lumen Optics", "Silent GmbH", "Nowhere", None],
        mail=["a@acme.example", "a@lumen.example", "a@x.lumen.example", "a@b.no", "c@d.no", None],
        land=[None, None, "DE", "DE", "DE", None],
    )  # fmt: skip

    accused = {key for key, code in found(checked.issues) if code == "person.elsewhere"}
    assert accused == {"2", "3"}
    # where nothing is said on one side, or nobody is found, there is nothing to compare
    assert _status(checked, "person.elsewhere") == ("warned", 3, 2)
