from __future__ import annotations

import json
from datetime import datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def by(lines, attribute, value):
    return next(line for line in lines if getattr(line, attribute) == value)


def test_every_record_is_counted_once(shop):
    counts = shop.contacts().counts
    assert (counts.received, counts.accepted, counts.quarantined, counts.ended) == (6, 4, 1, 1)
    assert (counts.golden, counts.duplicates, counts.merged, counts.largest) == (3, 1, 1, 2)
    assert counts.duplicate_share == 0.25
    assert (counts.errors, counts.warnings, counts.infos, counts.with_issues) == (1, 2, 0, 3)


def test_the_headline_says_it_in_words(shop):
    card = shop.contacts()
    assert card.headline == "3 customers stand behind 4 records."
    assert any(said.endswith("(1 record).") for said in card.remarks)
    assert card.remarks[:2] == (
        "25% of the records were duplicates (1).",
        "1 waits in quarantine for a steward.",
    )


def test_an_accepted_record_whose_change_waits_is_counted_as_waiting_and_keeps_its_values(shop):
    before = shop.contacts().counts
    shop.version(1, 99, accepted=False, issues=[("contact.identifiable", "error", None)])
    card = shop.contacts()
    assert card.counts.waiting == 1
    assert (card.counts.accepted, card.counts.quarantined) == (before.accepted, before.quarantined)
    assert by(card.issues, "rule", "contact.identifiable").issues == 2
    assert by(card.fields, "field", "first_name").filled == 3


def test_cluster_sizes_add_up_to_golden_records_and_accepted_records(shop):
    card = shop.contacts()
    assert [(s.label, s.entities, s.records) for s in card.cluster_sizes] == [
        ("1", 2, 2),
        ("2", 1, 2),
    ]


def test_a_source_knows_what_it_brought_and_what_it_shares(shop):
    crm, store = (by(shop.contacts().sources, "source", name) for name in ("crm", "shop"))
    assert (crm.received, crm.accepted, crm.quarantined, crm.ended) == (3, 2, 0, 1)
    assert (store.received, store.accepted, store.quarantined, store.ended) == (3, 2, 1, 0)
    assert (crm.shared, crm.first, crm.only_here) == (1, 2, 1)
    assert (store.shared, store.first, store.only_here) == (1, 1, 1)
    assert (crm.duplicates, store.duplicates) == (0, 0)
    assert (crm.issues, store.issues) == (1, 2)


@pytest.mark.capability(66)
def test_a_field_tells_what_records_lack_and_what_merging_gave(shop):
    fields = shop.contacts().fields
    email = by(fields, "field", "email")
    assert (email.filled, email.fill_rate) == (3, 0.6)
    assert (email.given, email.valid) == (4, 3)
    assert email.distinct == 2
    assert (email.golden_filled, email.golden_fill_rate) == (2, 2 / 3)
    assert email.by_source == {"crm": 1.0, "shop": 1 / 3}
    phone = by(fields, "field", "phone")
    assert (phone.fill_rate, phone.golden_fill_rate) == (0.2, 1 / 3)
    assert by(fields, "field", "gender").validity is None


def test_dimensions_are_good_over_total(shop):
    found = {d.dimension: (d.good, d.total) for d in shop.contacts().dimensions}
    assert found["uniqueness"] == (3, 4)
    assert found["timeliness"] == (2, 3)
    assert found["integrity"] == (4, 4)
    assert found["consistency"] == (5, 5)
    # written: first and last names, addresses, phone, opt-out, sources, stage, days
    good, total = found["validity"]
    assert total - good == 2


@pytest.mark.capability(66)
def test_completeness_asks_required_fields_of_every_record_and_sometimes_of_some(shop):
    card = shop.contacts()
    before = by(card.dimensions, "dimension", "completeness")
    shop.version(99, 99, accepted=True, issues=[])  # a version nobody points to changes nothing
    assert by(shop.contacts().dimensions, "dimension", "completeness") == before
    definition = shop.rules.entity("contact").fields
    always = [n for n, f in definition.items() if f.required and not f.required_when]
    missing = sum(5 - by(card.fields, "field", name).filled for name in always)
    # besides the fields, the rules about presence: record e breaks contact.identifiable
    assert before.total - before.good == missing + 1


def test_a_record_in_quarantine_counts_against_the_score(shop):
    before = by(shop.contacts().dimensions, "dimension", "completeness").score
    shop.put("g", accepted=False, issues=[("contact.identifiable", "error", None)])
    assert by(shop.contacts().dimensions, "dimension", "completeness").score < before


def test_the_score_is_the_mean_of_what_was_measured(stock):
    stock.put("a", last_name="Lee")
    card = stock.derive().contacts()
    known = [d.score for d in card.dimensions if d.score is not None]
    assert by(card.dimensions, "dimension", "timeliness").score is None
    assert card.score == pytest.approx(sum(known) / len(known))


def test_an_issue_has_its_words_its_owner_and_examples_that_can_be_found(shop):
    line = by(shop.contacts().issues, "rule", "contact.email.invalid")
    assert (line.severity, line.field, line.issues, line.records) == ("warning", "email", 1, 1)
    assert line.fault == "E-mail cannot be read as an e-mail address"
    assert line.dimension == "validity"
    assert line.by_source == {"shop": 1}
    (example,) = line.examples
    assert (example.source, example.source_key) == ("shop", "c")
    assert example.record_id == shop.record("c")
    assert example.value == "b••• a••• e•••.c•••"


def test_personal_values_are_shown_only_when_asked_for(shop):
    hidden = json.dumps(shop.card().to_dict())
    assert "berg at example.com" not in hidden
    shown = json.dumps(shop.card(show_personal=True).to_dict())
    assert "berg at example.com" in shown
    assert shop.card().masked
    assert not shop.card(show_personal=True).masked


def test_errors_come_first_then_the_most_frequent(shop):
    assert [line.severity for line in shop.contacts().issues] == ["error", "warning", "warning"]


def test_a_rule_that_the_definitions_have_lost_is_still_reported(shop):
    shop.put("g", last_name="X", issues=[("contact.email.legacy", "warning", "x")])
    line = by(shop.contacts().issues, "rule", "contact.email.legacy")
    assert line.fault == "Contact.email.legacy is broken"
    assert line.dimension == "validity"


def test_owners_see_what_is_theirs(shop):
    owners = {line.owner: line for line in shop.contacts().owners}
    assert owners["marketing-ops"].records == 1
    assert sum(line.warnings for line in owners.values()) == 2
    assert sum(line.errors for line in owners.values()) == 1


def test_unknown_values_are_counted_with_their_sources(shop):
    (value,) = shop.contacts().unknown_values
    assert (value.field, value.value, value.records) == ("lead_source", "TV", 1)
    assert value.sources == ("crm",)


def test_a_vocabulary_field_shows_texts_before_and_values_after(shop):
    table = by(shop.contacts().vocabularies, "field", "lead_source")
    lines = {line.value: line for line in table.lines}
    assert {t.text: t.records for t in lines["paid_search"].texts} == {"Google": 1, "google ads": 1}
    assert {t.text: t.records for t in lines[None].texts} == {"TV": 2, None: 1}
    assert (table.texts, table.values) == (3, 1)
    assert sum(line.records for line in table.lines) == table.records == 5


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6, deadline=None
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Google", "PPC", "odd/na~me", "", None]),
            st.sampled_from(["paid_search", "referral", None]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_no_record_is_lost_between_before_and_after(new_stock, cells):
    stock = new_stock()
    stock.batch({"lead_source": "Lead/Sour~ce"})
    for number, (text, value) in enumerate(cells):
        stock.put(str(number), raw={"Lead/Sour~ce": text}, lead_source=value, last_name="x")
    tables = stock.derive().contacts().vocabularies
    for table in tables:
        assert table.records == len(cells)
        for line in table.lines:
            assert sum(t.records for t in line.texts) == line.records
            assert line.records == sum(value == line.value for _, value in cells)
    assert bool(tables) == any(value for _, value in cells)


@pytest.mark.capability(100)
def test_costs_are_counts_of_the_store(shop):
    costs = {cost.cost: (cost.count, cost.total) for cost in shop.contacts().costs}
    assert costs["split"] == (1, 3)
    assert costs["double_sends"] == (0, 2)
    assert costs["contradicted_opt_outs"] == (1, 1)
    assert costs["unreachable"] == (1, 3)
    assert costs["unattributed"] == (2, 3)
    assert costs["unattended"] == (1, 1)


@pytest.mark.capability(100)
def test_double_sends_are_the_mails_beyond_the_first_of_each_customer(shop):
    shop.put("g", customer="a", email="ann@work.example")
    shop.put("h", customer="a", email="ann@home.example", source="shop")
    card = shop.derive().contacts()
    cost = by(card.costs, "cost", "double_sends")
    assert (cost.count, cost.total) == (2, 4)
    assert "Every mailing would send 2 e-mails too many." in card.remarks


def test_pipeline_is_inflated_by_records_of_one_customer_at_a_selling_stage(stock):
    for key in "abc":
        stock.put(key, last_name="x", customer="a" if key != "a" else None, lifecycle_stage="sql")
    stock.put("d", last_name="y", lifecycle_stage="opportunity")
    stock.put("e", last_name="z", lifecycle_stage="lead")
    cost = by(stock.derive().contacts().costs, "cost", "inflated_pipeline")
    assert (cost.count, cost.total) == (2, 4)


def test_a_parent_that_does_not_exist_is_a_broken_link(stock):
    stock.put("p", entity="company", name="Parent")
    stock.put("c", entity="company", name="Child", parent_source_key="p")
    stock.put("o", entity="company", name="Orphan", parent_source_key="nowhere")
    card = stock.derive("company").card().entity("company")
    integrity = by(card.dimensions, "dimension", "integrity")
    assert (integrity.good, integrity.total) == (4, 5)


def test_an_entity_without_records_has_no_card_and_an_empty_store_none(stock):
    assert stock.card().entities == ()
    assert stock.card().run_id is None


def test_entities_do_not_mix(shop):
    # version ids are counted per entity: these meet those of contacts
    before = shop.contacts()
    shop.put("k", entity="company", name="Acme", issues=[("company.name.odd", "info", "Acme")])
    shop.version(1, 7, "company", accepted=False)
    after = shop.derive("company").contacts()
    assert (after.counts, after.issues, after.fields) == (
        before.counts,
        before.issues,
        before.fields,
    )
    assert [card.entity for card in shop.card().entities] == ["contact", "company"]


def test_the_scorecard_is_json_with_a_version(shop):
    plain = json.loads(json.dumps(shop.card().to_dict()))
    assert plain["schema_version"] == 1
    assert plain["as_of"] == "2024-06-30"
    assert plain["entities"][0]["counts"]["received"] == 6


@pytest.mark.capability(70)
def test_nothing_is_written(shop):
    def tables():
        return shop.connection.execute(
            "SELECT schema_name, table_name, estimated_size FROM duckdb_tables() ORDER BY ALL"
        ).fetchall()

    before = tables()
    shop.card()
    assert tables() == before


def test_a_hostile_value_is_cut(shop):
    shop.put("g", last_name="x", issues=[("contact.lead_source.unknown", "warning", "z" * 100_000)])
    assert len(json.dumps(shop.card().to_dict())) < 90_000


def test_timeliness_looks_at_the_day_of_the_report(shop):
    later = shop.contacts(as_of=datetime(2030, 1, 1).date())
    assert by(later.dimensions, "dimension", "timeliness").score == 0


@pytest.mark.capability(97, 70)
def test_figures_of_a_run_are_the_figures_of_the_scorecard(shop):
    shop.finish_run()
    card = shop.contacts()
    metrics = shop.connection.sql(
        "SELECT * FROM quality.metric WHERE field IS NULL AND source IS NULL"
    ).pl()
    found = {row["metric"]: (row["value"], row["total"]) for row in metrics.iter_rows(named=True)}
    assert found["records"] == (6, None)
    assert found["golden"] == (3, None)
    assert found["duplicates"] == (1, 4)
    assert found["issues_warning"] == (2, None)
    for dimension in card.dimensions:
        assert found[dimension.dimension] == (dimension.good, dimension.total)
    assert found["score"][0] == pytest.approx(card.score)
    shares = shop.connection.sql("SELECT * FROM quality.metric WHERE total IS NOT NULL").pl()
    assert shares.filter(pl.col("value") > pl.col("total")).is_empty()
