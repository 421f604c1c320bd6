from __future__ import annotations

import pytest

from crm_quality.definitions.predicate import predicate_fields

COLUMNS = {"amount": "BIGINT", "stage": "VARCHAR", "born": "DATE", "mails": "VARCHAR[]"}


@pytest.mark.parametrize(
    ("sql", "fields"),
    [
        ("amount > 0", {"amount"}),
        ("AMOUNT > 0 OR Stage <> 'won'", {"amount", "stage"}),
        ("born < as_of - INTERVAL 16 YEAR", {"born"}),
        ("len(mails) < 4 AND list_contains(mails, stage)", {"mails", "stage"}),
        ("regexp_matches(stage, '^[a-z]+$') -- a remark", {"stage"}),
        ("CASE stage WHEN 'won' THEN amount IS NOT NULL ELSE true END", {"amount", "stage"}),
        ("stage LIKE 'a;b%' AND amount BETWEEN 1 AND 2", {"amount", "stage"}),
    ],
)
def test_an_expression_over_fields_is_a_predicate(sql, fields):
    assert predicate_fields(sql, COLUMNS) == fields


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("amount >", "cannot be read"),
        ("amount > 1; DROP TABLE contact", "cannot be read"),
        ("true) FROM records; SELECT (true", "more than one expression"),
        ("true) FROM records WHERE (true", "more than one expression"),
        ("true), (false", "more than one expression"),
        ("amount IN (SELECT 1)", "subquery"),
        ("EXISTS (FROM read_text('x'))", "subquery"),
        ("row_number() OVER () = 1", "window"),
        ("sum(amount) > 1", "sum()"),
        ("COLUMNS(*) IS NULL", "star"),
        ("amount > $1", "parameter"),
        ("amont > 1", "'amont'"),
        ("records.amount > 1", "'records.amount'"),
        ("random() < amount", "random()"),
        ("born < now()", "now()"),
        ("born < current_date", "as_of"),
        ("age(born) > INTERVAL 1 YEAR", "age()"),
        ("getenv('HOME') = stage", "getenv()"),
        ("current_setting('threads') = stage", "current_setting()"),
        ("amount + 1", "BIGINT"),
        ("amount LIKE 1", "cannot be run"),
        ("no_such(amount)", "no_such()"),
    ],
)
def test_anything_else_is_refused_with_the_reason(sql, why):
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the reason is compared below
        predicate_fields(sql, COLUMNS)

    assert why in str(raised.value)
