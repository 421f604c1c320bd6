"""Acting on whole customers: merge, unmerge, split, and what is told of it."""

import shutil

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.errors import NotFoundError, RefusedError, UsageError
from crm_quality.store import verify_trail
from crm_quality.store.point_use import note_point_use

PEOPLE = pl.DataFrame(
    {
        "source": ["crm"] * 5 + ["shop"] * 2,
        "source_key": ["1", "2", "3", "4", "5", "6", "7"],
        "first_name": ["Ann", "Ann", "Dora", "Bob", "Cleo", "Dora", "Dora"],
        "last_name": ["Leclerc", "Leclerc", "Silva", "Okafor", "Tan", "Silva", "Silva"],
        "date_of_birth": ["1980-02-03", None, "1991-05-06", None, None, None, "1991-05-06"],
        "email": ["ann@nordlicht.example"] * 2
        + ["dora@quay.example", "bob@quay.example", None, "dora@quay.example", "dora@quay.example"],
        "city": ["Oslo", "Oslo", "Oslo", "Lagos", "Oslo", "Bergen", None],
    }
)
ANN, BOB, CLEO, DORA = 1, 4, 5, 3


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    project = Project.create(tmp_path_factory.mktemp("people") / "p")
    project.run(PEOPLE)
    return project.folder


@pytest.fixture
def people(stock, tmp_path):
    return Project.open(shutil.copytree(stock, tmp_path / "p"))


def homes(project):
    return dict(project.crosswalk().select("record_id", "entity_id").iter_rows())


def state(project):
    """What others read, but for the numbers of runs and versions."""
    golden = project.golden().drop("version")
    return golden, project.crosswalk(), project.export("provenance").drop("run_id")


def same_state(project, before):
    return all(now.equals(then) for now, then in zip(state(project), before, strict=True))


def test_a_merge_joins_all_records_though_evidence_stands_against_it(people):
    assert homes(people) == {1: 1, 2: 1, 3: 3, 4: 4, 5: 5, 6: 3, 7: 3}
    done = people.entities.merge("crm:1", "shop:6", reason="her married name")
    assert homes(people) == {1: 1, 2: 1, 3: 1, 4: 4, 5: 5, 6: 1, 7: 1}
    assert (done.preview.stays, done.preview.goes) == ([1], [3])
    people.run(PEOPLE.with_columns(city=pl.lit("Bergen")))
    assert homes(people)[7] == 1


@pytest.mark.capability(65)
def test_unmerge_gives_back_what_was_and_keeps_what_was_edited_since(people, tmp_path):
    never = Project.open(shutil.copytree(people.folder, tmp_path / "never"))
    edited = PEOPLE.filter(pl.col("source_key") == "6").with_columns(city=pl.lit("Tromsø"))
    people.entities.merge(ANN, DORA, BOB, reason="one person")
    assert people.golden().height == 2
    for project in (people, never):
        project.run(edited)
    undone = people.entities.unmerge("shop:7", reason="three after all")
    assert undone.preview.comes == [3, 4]
    assert same_state(people, state(never))
    assert people.golden().filter(entity_id=3)["city"].item() == "Tromsø"
    with people.store() as store:
        assert verify_trail(store) == []


def test_an_ended_record_goes_back_to_the_customer_that_it_was_of(people):
    people.entities.merge(ANN, DORA, reason="one person")
    with people.store() as store, store.transaction():
        store.execute("UPDATE landing.record SET ended_at = now()::TIMESTAMP WHERE record_id = 3")
    people.entities.unmerge(ANN, reason="two")
    assert homes(people) == {1: 1, 2: 1, 3: 3, 4: 4, 5: 5, 6: 3, 7: 3}


def test_what_was_unmerged_is_not_joined_again(people):
    people.entities.merge(ANN, BOB, reason="a")
    people.entities.unmerge(ANN, reason="b")
    with pytest.raises(RefusedError, match=r"1 different 4 \(decision \d+\).*crmq undo 3 --reason"):
        people.entities.merge(BOB, ANN, reason="c")
    numbers = people.review.decisions()["decision_id"].to_list()
    people.review.withdraw(numbers, "made up")
    people.entities.merge(BOB, ANN, reason="c")
    assert homes(people)[BOB] == ANN


def test_a_split_parts_what_the_matcher_joined_and_holds_through_new_records(people):
    done = people.entities.split(DORA, 6, "shop:7", reason="mother and daughter")
    assert homes(people) == {1: 1, 2: 1, 3: 3, 4: 4, 5: 5, 6: 6, 7: 6}
    assert done.preview.comes == [6]
    again = PEOPLE.with_columns(source=pl.lit("mail"), city=pl.lit(None, pl.String))
    people.run(again, PEOPLE.with_columns(city=pl.lit("Lagos")))
    now = homes(people)
    assert now[6] == now[7] == 6
    assert now[3] != 6


def test_the_first_record_may_leave_and_takes_the_number_with_it(people):
    people.entities.split(DORA, DORA, reason="another Dora")
    assert homes(people) == {1: 1, 2: 1, 3: 3, 4: 4, 5: 5, 6: 6, 7: 6}


def test_a_dry_run_tells_and_writes_nothing(people):
    before = state(people)
    files = sorted(path.name for path in people.folder.rglob("*"))
    with people.store() as store:
        tables = store.rows("SELECT table_name, estimated_size FROM duckdb_tables() ORDER BY ALL")
    done = people.entities.merge(ANN, DORA, reason="", dry_run=True)
    assert (done.act_id, done.preview.goes) == (None, [3])
    figures = {
        one["figure"]: (one["before"], one["after"])
        for one in done.to_dict(people.rules)["figures"]
    }
    assert figures["customers"] == (2, 1)
    assert figures["mailings"] == (2, 1)
    assert figures["email_addresses"] == (2, 2)
    lost = {(one.entity_id, one.field) for one in done.preview.lost()}
    # an address that goes on among the others is not lost
    assert (ANN, "first_name") in lost
    assert not any(field == "email" for _, field in lost)
    assert same_state(people, before)
    assert sorted(path.name for path in people.folder.rglob("*")) == files
    with people.store() as store:
        assert (
            store.rows("SELECT table_name, estimated_size FROM duckdb_tables() ORDER BY ALL")
            == tables
        )


@pytest.mark.capability(106)
def test_a_stale_write_is_refused(people):
    seen = people.golden().filter(entity_id=ANN)["version"].item()
    people.entities.merge(ANN, BOB, reason="a", expected={ANN: seen})
    with pytest.raises(RefusedError, match="customer 1 is of version 2 now, not of version 1"):
        people.entities.merge(ANN, CLEO, reason="b", expected={ANN: seen})
    with pytest.raises(RefusedError, match="customer 4 is no more"):
        people.entities.merge(ANN, CLEO, reason="b", expected={BOB: 1})
    assert homes(people)[CLEO] == CLEO
    # who comes back is not taken for who was seen before
    people.entities.unmerge(ANN, reason="c")
    with pytest.raises(RefusedError, match="customer 4 is of version 2 now, not of version 1"):
        people.entities.merge(ANN, BOB, reason="d", expected={BOB: 1})


def test_merges_are_taken_back_one_by_one(people):
    before = state(people)
    first = people.entities.merge(ANN, BOB, reason="a")
    people.entities.merge(ANN, CLEO, reason="b")
    with pytest.raises(
        RefusedError, match=r"crmq unmerge act:2 --reason TEXT takes back the merge"
    ):
        people.entities.unmerge(f"act:{first.act_id}", reason="c")
    people.entities.unmerge(CLEO, reason="c")
    assert homes(people)[BOB] == ANN
    people.entities.unmerge(ANN, reason="d")
    assert same_state(people, before)
    with pytest.raises(RefusedError, match="taken back already, in run 5"):
        people.entities.unmerge("act:1", reason="e")
    acts = people.entities.acts()
    assert acts["kind"].to_list() == ["unmerge", "unmerge", "merge", "merge"]


def test_what_was_no_merge_says_what_it_was(people):
    with pytest.raises(RefusedError, match=r"joined by the matcher.*crmq split 1 RECORD"):
        people.entities.unmerge("crm:2", reason="x")
    with pytest.raises(RefusedError, match="one record"):
        people.entities.unmerge(BOB, reason="x")
    people.review.decide(BOB, CLEO, "same", "x")
    with pytest.raises(RefusedError, match="crmq review withdraw 1 --reason"):
        people.entities.unmerge(BOB, reason="x")
    with pytest.raises(RefusedError, match=r"4 same 5 \(decision 1\)"):
        people.entities.split(BOB, CLEO, reason="x")


def test_what_cannot_be_asked_for_is_told(people):
    entities = people.entities
    with pytest.raises(UsageError, match="reason"):
        entities.merge(ANN, BOB, reason=" ")
    with pytest.raises(UsageError, match="two different customers"):
        entities.merge("crm:1", "crm:2", reason="x")
    with pytest.raises(NotFoundError, match="crm:99"):
        entities.merge(ANN, "crm:99", reason="x")
    with pytest.raises(NotFoundError, match="no act '9'"):
        entities.unmerge("act:9", reason="x")
    with pytest.raises(UsageError, match=r"not of customer 3: 4; its records are 3, 6, 7"):
        entities.split(DORA, BOB, reason="x")
    with pytest.raises(UsageError, match="not all and not none"):
        entities.split(DORA, 3, 6, 7, reason="x")
    people.run(pl.DataFrame([{"source": "crm", "source_key": "9", "email": "mia at harbour"}]))
    with pytest.raises(RefusedError, match="waits in quarantine"):
        entities.merge(ANN, "crm:9", reason="x")


def test_history_tells_what_became_of_a_customer_under_all_its_numbers(people):
    people.entities.merge(ANN, BOB, reason="called them")
    told = people.entities.history(BOB)
    assert (told.asked, told.entity_id, told.version) == (BOB, ANN, 2)
    assert told.ids.select("entity_id", "became", "kind").rows() == [
        (1, 1, "this"),
        (4, 1, "merged"),
    ]
    merge = told.events.filter(event="merge by a steward").row(0, named=True)
    assert (merge["reason"], merge["detail"], merge["command"]) == (
        "called them",
        "act:1",
        "crmq merge",
    )
    arrived = told.events.filter(pl.col("event") == "version accepted")
    assert arrived["record_id"].to_list() == [1, 2, 4]
    people.entities.unmerge(ANN, reason="no")
    told = people.entities.history(BOB)
    assert told.entity_id == BOB
    kinds = people.export("changes").filter(pl.col("former_id").is_not_null())["kind"]
    assert kinds.to_list() == ["merged", "unmerged"]
    assert "act:1, taken back in run 3" in told.events["detail"].to_list()


def test_a_preview_tells_what_the_business_counts(people):
    deals = pl.DataFrame(
        {
            "source": ["crm"] * 4,
            "source_key": ["a", "b", "c", "d"],
            "contact_key": ["1", "4", "4", "1"],
            "stage": ["proposal", "negotiation", "won", "proposal"],
            "amount": ["100.10", "50", "7", "9"],
            "probability": ["50", "10", None, None],
            "currency": ["EUR", "EUR", "EUR", "USD"],
        }
    )
    tickets = pl.DataFrame(
        {
            "source": ["desk"] * 2,
            "source_key": ["t1", "t2"],
            "contact_email": ["bob@quay.example", "ann@nordlicht.example"],
            "ticket_status": ["open", "solved"],
        }
    )
    people.run(deals, entity="deal")
    people.run(tickets, entity="ticket")
    told = people.entities.merge(ANN, BOB, reason="", dry_run=True).to_dict(people.rules)
    figures = {
        (one["figure"], one["currency"]): (one["before"], one["after"]) for one in told["figures"]
    }
    assert figures["deals", None] == (4, 4)
    assert figures["pipeline", "EUR"] == (150.1, 150.1)
    assert figures["pipeline", "USD"] == (9, 9)
    # 40 % of 100.10 and 70 % of 50: what their stages are worth
    assert figures["forecast", "EUR"] == (75.04, 75.04)
    assert figures["won", "EUR"] == (7, 7)
    assert figures["open_tickets", None] == (1, 1)
    assert figures["customers", None] == (2, 1)


POINT_USE = ("crm.point_owner", "matching.shared_value")


@pytest.mark.slow
def test_acts_cluster_a_large_store_as_matching_all_of_it_again_would(own_stock):
    matching = own_stock.folder / "rules" / "matching" / "contact.yml"
    matching.write_text(f"{matching.read_text()}\nincremental_from: 0\n")
    own_stock = Project.open(own_stock.folder)
    own_stock.review.apply(again=["contact"])
    golden = own_stock.golden().filter(pl.col("records") > 1).sort("records", descending=True)
    large, other, third = golden["entity_id"].head(3).to_list()
    before = state(own_stock)
    tokens = sorted(path.name for path in (own_stock.folder / "cache").iterdir())
    merged = own_stock.entities.merge(large, other, reason="x")
    leaving = own_stock.crosswalk().filter(entity_id=third)["record_id"].to_list()[-1]
    own_stock.entities.split(third, leaving, reason="y")
    # what is known of the records is as it was
    assert sorted(path.name for path in (own_stock.folder / "cache").iterdir()) == tokens
    acted = homes(own_stock)
    households = own_stock.export("groups")
    with own_stock.store() as store, store.rehearsal():
        noted = [store.frame(f"FROM {table} ORDER BY ALL") for table in POINT_USE]
        note_point_use(store, "contact")
        for table, frame in zip(POINT_USE, noted, strict=True):
            assert store.frame(f"FROM {table} ORDER BY ALL").equals(frame)
    own_stock.review.apply(again=["contact"])
    assert homes(own_stock) == acted
    assert own_stock.export("groups").equals(households)
    own_stock.undo(4, reason="z")
    own_stock.entities.unmerge(f"act:{merged.act_id}", reason="z")
    assert same_state(own_stock, before)
