from __future__ import annotations

import pytest

from crm_quality.errors import UsageError


def by(lines, attribute, value):
    return next(line for line in lines if getattr(line, attribute) == value)


def test_a_target_is_met_or_missed(shop):
    card = shop.card(targets={"contact.uniqueness": 70, "contact.email.filled": 95})
    assert [(g.figure, g.actual, g.met) for g in card.gates] == [
        ("contact.uniqueness", 75.0, True),
        ("contact.email.filled", pytest.approx(60.0), False),
    ]
    assert not card.passed


@pytest.mark.capability(109)
def test_a_target_that_is_just_reached_is_met(shop):
    assert shop.card(targets={"contact.uniqueness": 75}).passed


def test_what_cannot_be_measured_is_not_met(shop):
    card = shop.card(targets={"company.completeness": 50, "contact.gender.valid": 1})
    assert [(gate.actual, gate.met) for gate in card.gates] == [(None, False)] * 2


def test_names_of_figures_that_do_not_exist_are_refused_with_the_nearest(shop):
    with pytest.raises(UsageError) as refused:
        shop.card(
            targets={"contact.validty": 70}, unit_costs={"contact.double_sent": 1, "deal.split": 2}
        )
    assert "targets: there is no figure 'contact.validty'; did you mean 'contact.validity'?" in str(
        refused.value
    )
    assert "did you mean 'contact.double_sends'?" in str(refused.value)
    assert "'deal.split'" in str(refused.value)


def test_the_least_overall_score_is_asked_of_every_entity_that_has_records(shop):
    assert [g.figure for g in shop.card(fail_under=1).gates] == ["contact.score"]
    shop.put("k", entity="company", name="Acme")
    card = shop.derive("company").card(fail_under=100)
    assert [(g.figure, g.met) for g in card.gates] == [
        ("contact.score", False),
        ("company.score", True),
    ]


def test_an_empty_store_reaches_no_score(stock):
    card = stock.card(fail_under=0)
    assert [(g.figure, g.met) for g in card.gates] == [("score", False)]


def test_costs_become_money_where_somebody_has_said_what_one_costs(shop):
    shop.put("g", customer="a", email="ann@work.example")
    card = shop.derive().card(
        unit_costs={"contact.double_sends": 0.25, "contact.split": 12}, currency="EUR"
    )
    costs = card.entity("contact").costs
    assert card.currency == "EUR"
    assert by(costs, "cost", "double_sends").amount == 0.25
    assert (by(costs, "cost", "split").unit_cost, by(costs, "cost", "split").amount) == (12, 12)
    assert by(costs, "cost", "unreachable").amount is None


@pytest.fixture
def kept(shop):
    """The shop with two colleagues looking after three of its records."""
    old = "2019-01-01"
    shop.put("g", last_name="X", owner="Ann Lee", issues=[("contact.reachable", "info", None)])
    shop.put("h", last_name="Y", owner=" ann lee", customer="g", updated_at=old)
    shop.put(
        "i", last_name="Z", owner="Bo", email="bo@example.com", updated_at="2024-05-01",
        issues=[("contact.phone.country", "warning", "x")],
    )  # fmt: skip
    return shop.derive()


def test_each_colleague_has_the_scores_of_the_records_they_look_after(kept):
    keepers = {line.keeper: line for line in kept.contacts().keepers}
    assert {name: line.records for name, line in keepers.items()} == {
        None: 5, "Ann Lee": 1, "ann lee": 1, "Bo": 1,
    }  # fmt: skip
    bo = keepers["Bo"]
    assert (bo.with_issues, bo.issues, bo.team) == (1, 1, None)
    assert bo.dimensions["consistency"] == 0
    assert bo.dimensions["timeliness"] == bo.dimensions["uniqueness"] == 100
    assert keepers["Ann Lee"].dimensions["consistency"] == 100
    assert "timeliness" not in keepers["Ann Lee"].dimensions
    assert keepers["ann lee"].dimensions["timeliness"] == 0


def test_a_team_has_the_records_of_its_people_however_their_names_are_written(kept):
    card = kept.contacts(
        teams={"North": ["ANN LEE"], "South": ["Bo", "marketing-ops"], "East": ["Cy"]}
    )
    north, south, east = card.teams
    assert (north.team, north.records, north.with_issues) == ("North", 2, 1)
    assert north.dimensions["uniqueness"] == 50
    assert (south.records, south.issues) == (1, 1)
    assert south.score == pytest.approx(sum(south.dimensions.values()) / len(south.dimensions))
    assert (east.records, east.score, east.dimensions) == (0, None, {})
    assert {line.keeper: line.team for line in card.keepers}["ann lee"] == "North"


def test_a_team_mends_what_its_people_answer_for_whoevers_records_have_it(kept):
    card = kept.contacts(teams={"South": ["Bo", "Marketing-Ops"]})
    owned = by(card.owners, "owner", "marketing-ops")
    (south,) = card.teams
    assert south.to_mend == owned.errors + owned.warnings + owned.infos == 2


def test_scores_of_sources_add_up_to_those_of_the_store(kept):
    card = kept.contacts()
    assert {line.source: line.dimensions["consistency"] for line in card.sources} == {
        "crm": 80.0,
        "shop": 100.0,
    }
    assert all(line.score is not None for line in card.sources)


def test_where_nobody_is_known_to_look_after_anything_there_are_no_keepers(shop):
    card = shop.contacts(teams={"Marketing": ["marketing-ops"]})
    assert card.keepers == ()
    assert [(team.records, team.to_mend) for team in card.teams] == [(0, 1)]


def test_a_column_of_keys_taken_for_owners_does_not_make_the_report_as_long(stock):
    for number in range(60):
        stock.put(str(number), last_name="x", owner=f"key-{number:03}")
    assert len(stock.derive().contacts().keepers) == 50
