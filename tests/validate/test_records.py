from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from validation_frames import found, records

from crm_quality.definitions import default_rules
from crm_quality.errors import InputError
from crm_quality.standardise import standardise
from crm_quality.validate import CHECKS, ISSUES, check_records, validate

AS_OF = date(2024, 6, 30)
CONTACT = default_rules().entity("contact")


def test_a_good_record_is_accepted_without_issues(person):
    accepted, issues = validate(records(name=["Ann"]), person())

    assert accepted["name"].to_list() == ["Ann"]
    assert issues.is_empty()


def test_an_error_quarantines_its_record_and_others_travel_with_it(person):
    definition = person(
        """
        - code: person.named
          title: T
          message: M
          severity: error
          expect: {field: name, present: true}
        - code: person.mailed
          title: T
          message: M
          severity: info
          expect: {field: mail, present: true}
        """
    )
    frame = records(name=[None, "Ann", "Bob"], mail=["a@x.org", None, "b@x.org"])

    checked = check_records(frame, definition)

    assert checked.accepted["source_key"].to_list() == ["2", "3"]
    assert checked.quarantined["source_key"].to_list() == ["1"]
    assert found(checked.issues) == {("1", "person.named"), ("2", "person.mailed")}


def test_an_issue_names_record_field_rule_value_and_message(person):
    definition = person(
        fields="age: {meaning: Age., type: integer, checks: [{check: range, max: '120'}]}"
    )
    frame = records(amount=[130], row_number=[17]).rename({"amount": "age"})
    frame = frame.with_columns(pl.lit("130 years").alias("age__raw"))

    _, issues = validate(frame, definition)

    assert issues.schema == ISSUES
    assert issues.row(0, named=True) == {
        "entity": "person",
        "source": "shop",
        "source_key": "1",
        "row_number": 17,
        "field": "age",
        "rule": "person.age.range",
        "severity": "warning",
        "value": "130 years",
        "message": "Age is not at most 120",
        "suggestion": None,
    }


@pytest.mark.parametrize(
    ("note", "severity"),
    [
        ("placeholder", "info"),
        ("invalid", "warning"),
        ("doubtful", "warning"),
        ("repaired", "info"),
        ("ambiguous", "warning"),
    ],
)
def test_a_note_becomes_one_issue(person, note, severity):
    frame = records(mail=[None, "a@x.org"], mail__raw=["odd", "a@x.org"], mail__note=[note, None])

    _, issues = validate(frame, person())

    assert issues.select("source_key", "rule", "severity", "value").rows() == [
        ("1", f"person.mail.{note}", severity, "odd")
    ]


@pytest.mark.parametrize("note", ["synonym", "derived"])
def test_a_note_that_asks_nothing_of_anyone_is_no_issue(person, note):
    frame = records(stage=["lead"], stage__raw=["Prospect"], stage__note=[note])

    assert validate(frame, person())[1].is_empty()


def test_the_severity_of_a_value_that_cannot_be_read_is_the_fields_own(person):
    definition = person(fields="tax: {meaning: Tax number., type: identifier, invalid: error}")
    frame = records(tax=[None], tax__raw=["??"], tax__note=["invalid"])

    checked = check_records(frame, definition)

    assert checked.issues["severity"].to_list() == ["error"]
    assert checked.quarantined.height == 1


@pytest.mark.capability(62)
def test_an_unknown_value_gets_the_nearest_accepted_one(person):
    frame = records(
        stage=[None, None, None],
        stage__raw=["prospekt", "xyzzy", "Prospekt"],
        stage__note=["unknown", "unknown", "unknown"],
    )

    _, issues = validate(frame, person())

    assert issues["suggestion"].to_list() == ["lead", None, "lead"]


def test_a_repaired_value_is_its_own_suggestion(person):
    frame = records(mail=["a@x.org"], mail__raw=["a at x.org"], mail__note=["repaired"])

    _, issues = validate(frame, person())

    assert issues.select("value", "suggestion").row(0) == ("a at x.org", "a@x.org")


def test_a_slip_in_a_mail_domain_gets_the_domain_that_was_meant(contact):
    frame = records(email=["ann@gmial.com"], email__raw=["Ann@gmial.com"], email__note=["doubtful"])

    _, issues = validate(frame, contact)

    doubtful = issues.filter(rule="contact.email.doubtful")
    assert doubtful["suggestion"].to_list() == ["ann@gmail.com"]


def test_a_row_that_could_not_be_read_has_that_one_issue_and_is_quarantined(contact):
    frame = records(
        email=[None], email__raw=["n/a"], email__note=["placeholder"], problem=["ragged_row"]
    )

    checked = check_records(frame, contact)

    assert found(checked.issues) == {("1", "contact.row.ragged_row")}
    assert checked.quarantined.height == 1


def test_a_problem_that_nobody_foresaw_is_reported_by_its_name(contact):
    checked = check_records(records(email=["a@x.org"], problem=["moth"]), contact)

    assert found(checked.issues) == {("1", "contact.row.moth")}
    assert "moth" in checked.issues["message"][0]
    assert checked.checks.filter(rule="contact.row.moth")["status"].to_list() == ["failed"]


class TestRequired:
    FIELD = "tax: {{meaning: Tax number., type: identifier, required: {severity}{more}}}"

    def test_a_missing_value_is_an_issue(self, person):
        definition = person(fields=self.FIELD.format(severity="warning", more=""))

        _, issues = validate(records(tax=["1", None]), definition)

        assert found(issues) == {("2", "person.tax.required")}

    def test_only_where_it_is_required(self, person):
        when = ", required_when: {field: stage, in: [won]}"
        definition = person(fields=self.FIELD.format(severity="warning", more=when))

        _, issues = validate(
            records(tax=[None, None, None], stage=["won", "lead", None]), definition
        )

        assert found(issues) == {("1", "person.tax.required")}

    @pytest.mark.capability(61)
    def test_a_placeholder_counts_as_missing(self, person):
        definition = person(fields=self.FIELD.format(severity="warning", more=""))
        frame = records(tax=[None], tax__raw=["n/a"], tax__note=["placeholder"])

        _, issues = validate(frame, definition)

        assert found(issues) == {("1", "person.tax.required"), ("1", "person.tax.placeholder")}

    def test_a_value_that_was_set_aside_is_told_once(self, person):
        definition = person(fields=self.FIELD.format(severity="warning", more=""))
        frame = records(tax=[None], tax__raw=["??"], tax__note=["invalid"])

        _, issues = validate(frame, definition)

        assert found(issues) == {("1", "person.tax.invalid")}

    def test_an_error_asks_for_a_value_that_can_be_used(self, person):
        definition = person(fields=self.FIELD.format(severity="error", more=""))
        frame = records(tax=[None], tax__raw=["??"], tax__note=["invalid"])

        checked = check_records(frame, definition)

        assert ("1", "person.tax.required") in found(checked.issues)
        assert checked.accepted.is_empty()

    def test_a_file_without_the_column_is_not_accused_record_by_record(self, person):
        definition = person(fields=self.FIELD.format(severity="warning", more=""))

        checked = check_records(records(name=["Ann"]), definition)

        assert checked.issues.is_empty()
        rule = checked.checks.filter(rule="person.tax.required").row(0, named=True)
        assert rule["status"] == "skipped"
        assert "no column tax" in rule["detail"]

    def test_unless_its_absence_is_an_error(self, person):
        definition = person(fields=self.FIELD.format(severity="error", more=""))

        assert check_records(records(name=["Ann", "Bob"]), definition).quarantined.height == 2


TIMED = {
    "vocabularies/stage.yml": """
        vocabulary: stage
        values:
          lead: {}
          won: {valid_from: 2020-01-01, valid_to: 2023-12-31}
          lost: {replaced_by: lead}
        """
}


class TestVocabulary:
    def test_a_value_must_have_been_valid_when_the_record_was_last_changed(self, person):
        definition = person(fields="updated_at: {meaning: Changed., type: datetime}", files=TIMED)
        days = [date(2019, 12, 31), date(2020, 1, 1), date(2023, 12, 31), date(2024, 1, 1), None]
        frame = records(stage=["won"] * 5, seen=days).rename({"seen": "updated_at"})

        _, issues = validate(frame, definition, as_of=AS_OF)

        assert issues["source_key"].to_list() == ["1", "4", "5"]
        assert set(issues["rule"]) == {"person.stage.expired"}

    def test_a_deprecated_value_names_what_replaces_it(self, person):
        _, issues = validate(records(stage=["lost", "lead"]), person(files=TIMED))

        assert issues.select("source_key", "rule", "severity", "suggestion").rows() == [
            ("1", "person.stage.deprecated", "info", "lead")
        ]

    def test_a_deprecated_value_is_told_though_standardising_has_replaced_it(self, person):
        definition = person(files=TIMED)
        written = records(stage=["LOST", "lead", None, "Lost!"])

        accepted, issues = validate(standardise(written, definition), definition)

        assert accepted["stage"].to_list() == ["lead", "lead", None, "lead"]
        assert issues.select("source_key", "rule", "value", "suggestion").rows() == [
            ("1", "person.stage.deprecated", "LOST", "lead"),
            ("4", "person.stage.deprecated", "Lost!", "lead"),
        ]


def test_a_message_can_name_values_that_are_not_personal(person):
    definition = person(
        """
        - code: person.far
          title: T
          message: not from {land}, worth {amount}
          expect: {field: land, equals: DE}
        """
    )

    _, issues = validate(records(land=["FR", "IT"], amount=[7, None]), definition)

    assert issues["message"].to_list() == ["not from FR, worth 7", "not from IT, worth nothing"]


def test_a_record_without_anything_to_identify_it_is_quarantined_even_without_columns(contact):
    checked = check_records(pl.DataFrame({"source": ["shop"], "source_key": ["1"]}), contact)

    assert found(checked.issues) == {("1", "contact.identifiable")}


def test_no_records_are_no_issues_and_every_check_is_skipped(contact):
    empty = records(name=["x"]).clear()

    checked = check_records(empty, contact)

    assert checked.accepted.is_empty()
    assert checked.issues.schema == ISSUES
    assert set(checked.checks["status"]) == {"skipped"}


def test_a_frame_that_is_not_standardised_is_refused_with_what_to_do(contact):
    frame = records(name=["Ann"]).with_columns(pl.lit("1990-01-01").alias("date_of_birth"))

    with pytest.raises(InputError, match=r"date_of_birth is String, not Date.*standardise"):
        validate(frame, contact)


def test_a_column_without_values_has_no_type_to_complain_of(contact):
    frame = records(name=["Ann"]).with_columns(pl.lit(None).alias("date_of_birth"))

    assert check_records(frame, contact).checks.height > 0


@pytest.mark.parametrize("column", ["source", "source_key"])
def test_records_need_a_key(contact, column):
    with pytest.raises(InputError, match=column):
        validate(records(name=["Ann"]).drop(column), contact)


def test_sql_speaks_for_what_the_language_cannot_say(person):
    definition = person(
        """
        - code: person.sum
          title: T
          message: M
          where: {field: stage, equals: won}
          sql: amount * 2 = price AND made::DATE <= as_of AND len(mails) < 3
        """
    )
    frame = records(
        stage=["won", "won", "won", "lead"],
        amount=[1, 1, None, 1],
        price=["2", "3", "3", "3"],
        made=[AS_OF] * 4,
        mails=[["a"], ["a"], ["a"], ["a"]],
    )

    checked = check_records(frame, definition, as_of=AS_OF)

    assert found(checked.issues) == {("2", "person.sum")}


def test_sql_that_stops_on_a_value_is_errored_and_the_others_go_on(person):
    definition = person(
        """
        - {code: person.cast, title: T, message: M, sql: name::INTEGER > 0}
        - {code: person.named, title: T, message: M, expect: {field: name, equals: Bob}}
        """
    )

    checked = check_records(records(name=["Ann"]), definition)

    status = dict(checked.checks.select("rule", "status").iter_rows())
    assert status["person.cast"] == "errored"
    assert status["person.named"] == "warned"
    detail = checked.checks.filter(rule="person.cast")["detail"][0]
    assert "Could not convert" in detail
    assert "Ann" not in detail


# Laws

_cell = st.one_of(
    st.none(),
    st.sampled_from(
        ["n/a", "-", "Ann", "O'Hara", "ann@x.org", "ann at x.org", "ann@gmial.com", "+49 30 123456",
         "0000000", "3.4.2001", "1850-01-01", "2090-01-01", "customer", "Kunde", "gogle", "DE",
         "Germany", "yes", "12345", "subscriber", "x" * 300]
    ),
    st.text(max_size=8),
)  # fmt: skip
_FIELDS = ("first_name", "last_name", "email", "phone", "date_of_birth", "lifecycle_stage",
           "lead_source", "country", "postcode", "city", "email_opt_out", "created_at",
           "updated_at", "website")  # fmt: skip


@st.composite
def _raw(draw) -> pl.DataFrame:
    height = draw(st.integers(1, 6))
    columns = {name: draw(st.lists(_cell, min_size=height, max_size=height)) for name in _FIELDS}
    problems = st.lists(
        st.sampled_from([None, None, None, "ragged_row"]), min_size=height, max_size=height
    )
    return pl.DataFrame(
        {
            "source": ["shop"] * height,
            "source_key": [str(key) for key in range(height)],
            "problem": draw(problems),
            **columns,
        },
        schema_overrides=dict.fromkeys((*_FIELDS, "problem"), pl.String),
    )


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(_raw())
def test_every_record_is_accepted_or_quarantined_and_the_counts_add_up(raw):
    frame = standardise(raw, CONTACT)

    checked = check_records(frame, CONTACT, as_of=AS_OF)

    assert checked.accepted.height + checked.quarantined.height == frame.height
    errors = set(checked.issues.filter(severity="error")["source_key"])
    assert set(checked.quarantined["source_key"]) == errors
    assert not errors & set(checked.accepted["source_key"])
    pairs = checked.issues.select("source_key", "rule")
    assert pairs.n_unique() == pairs.height if pairs.height else True
    assert checked.checks.schema == CHECKS
    assert checked.checks["rule"].n_unique() == checked.checks.height
    counts = dict(checked.issues.group_by("rule").len().iter_rows())
    failing = {rule: n for rule, n in checked.checks.select("rule", "failing").iter_rows() if n}
    assert failing == counts
    assert (checked.checks["failing"] <= checked.checks["records"]).all()
    assert "errored" not in set(checked.checks["status"])
    severities = dict(checked.checks.select("rule", "severity").iter_rows())
    told = dict(checked.issues.select("rule", "severity").iter_rows())
    assert all(severities[rule] == severity for rule, severity in told.items())


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(_raw(), st.integers(0, 6))
def test_any_partition_of_the_records_gives_the_same_issues(raw, cut):
    frame = standardise(raw, CONTACT)

    whole = validate(frame, CONTACT, as_of=AS_OF)
    parts = [validate(part, CONTACT, as_of=AS_OF) for part in (frame[:cut], frame[cut:])]

    assert_frame_equal(whole[0], pl.concat(accepted for accepted, _ in parts))
    assert_frame_equal(whole[1], pl.concat(issues for _, issues in parts))
