import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.validate import ISSUES
from crm_quality.validate.waivers import WAIVERS, waive

DAY = pl.date(2026, 3, 31)


def issues(*rows):
    told = [("contact", "crm", key, 1, None, rule, severity, None, "no", None)
            for key, rule, severity in rows]  # fmt: skip
    return pl.DataFrame(told, schema=ISSUES, orient="row")


def waivers(*rows):
    frame = pl.DataFrame(
        rows, schema=dict.fromkeys(("source_key", "rule"), pl.String), orient="row"
    )
    return frame.select(pl.lit("crm").alias("source"), "source_key", "rule", expires_on=DAY)


def test_a_waived_error_becomes_a_warning_that_says_until_when():
    found, is_waived = waive(issues(("1", "r", "error"), ("2", "r", "error")), waivers(("1", "r")))
    assert found["severity"].to_list() == ["warning", "error"]
    assert found["message"].to_list() == ["no; an error, waived until 2026-03-31", "no"]
    assert is_waived.to_list() == [True, False]


def test_what_is_no_error_needs_no_waiver():
    before = issues(("1", "r", "warning"), ("1", "s", "info"))
    found, is_waived = waive(before, waivers(("1", "r"), ("1", "s")))
    assert found.equals(before)
    assert not is_waived.any()


@given(
    st.lists(st.tuples(st.sampled_from("123"), st.sampled_from("rst"), st.sampled_from(
        ["error", "warning", "info"])), max_size=8),
    st.sets(st.tuples(st.sampled_from("1234"), st.sampled_from("rst"))),
)  # fmt: skip
def test_waiving_loses_no_issue_and_touches_only_what_is_waived(rows, decided):
    before = issues(*rows)
    found, is_waived = waive(before, waivers(*sorted(decided)))
    assert found.drop("severity", "message").equals(before.drop("severity", "message"))
    expected = [severity == "error" and (key, rule) in decided for key, rule, severity in rows]
    assert is_waived.to_list() == expected
    assert found.filter(~is_waived).equals(before.filter(~is_waived))
    assert (found.filter(is_waived)["severity"] == "warning").all()


def test_without_issues_or_waivers_there_is_nothing_to_do():
    found, is_waived = waive(ISSUES.to_frame(), WAIVERS.to_frame())
    assert found.is_empty()
    assert is_waived.is_empty()
