import subprocess
import sys
from datetime import UTC, datetime

import duckdb
import polars as pl
import pytest

from crm_quality.errors import StoreError, StoreInUseError
from crm_quality.store import open_store, verify_trail
from crm_quality.store.migrate import migrations
from crm_quality.store.trail import record_event

MOMENT = datetime(2026, 5, 1, 12, 30, 15, 250_000)


@pytest.fixture
def path(tmp_path):
    with open_store(tmp_path / "store.duckdb", create=True):
        return tmp_path / "store.duckdb"


@pytest.mark.capability(1)
def test_a_new_store_has_every_table_and_keeps_rows(path):
    with open_store(path) as store:
        schemas = {row[0] for row in store.rows("SELECT schema_name FROM duckdb_tables()")}
        assert {"landing", "quality", "matching", "crm", "audit"} <= schemas
        store.append(
            "matching.membership", pl.DataFrame({"record_id": [1], "entity_id": [1], "run_id": [1]})
        )
    with open_store(path) as store:
        assert store.rows("SELECT record_id FROM matching.membership") == [(1,)]


def test_a_missing_store_is_told(tmp_path):
    with (
        pytest.raises(StoreError, match="does not exist; run `crmq init`"),
        open_store(tmp_path / "store.duckdb"),
    ):
        pass


def test_a_store_in_use_names_its_holder(path):
    hold = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True);"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(StoreInUseError, match=f"process {holder.pid}") as caught,
            open_store(path),
        ):
            pass
        holder.communicate("")
    assert caught.value.pid == holder.pid
    with open_store(path) as store:
        assert store.value("SELECT count(*) FROM landing.record") == 0


def test_a_file_that_is_no_store_is_left_alone(tmp_path):
    file = tmp_path / "store.duckdb"
    file.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError, match="cannot be opened"), open_store(file):
        pass
    assert file.read_bytes().startswith(b"not a database")


def test_another_duckdb_file_is_not_taken_for_a_store(tmp_path):
    file = tmp_path / "other.duckdb"
    with duckdb.connect(str(file)) as other:
        other.execute("CREATE TABLE mine (x INTEGER)").fetchall()
    with pytest.raises(StoreError, match="not a crm-quality store"), open_store(file):
        pass


def test_a_store_of_a_later_version_is_not_touched(path):
    with open_store(path) as store:
        store.execute("INSERT INTO main.migration VALUES (9999, 'later', now()::TIMESTAMP)")
    with pytest.raises(StoreError, match="later version"), open_store(path):
        pass


def test_a_failed_transaction_leaves_nothing(path):
    with open_store(path) as store:
        with pytest.raises(StoreError, match="as before"), store.transaction():
            store.execute("INSERT INTO matching.membership VALUES (1, 1, 1)")
            store.execute("INSERT INTO no_such_table VALUES (1)")
        assert store.value("SELECT count(*) FROM matching.membership") == 0


def test_times_with_a_zone_are_stored_as_utc(path):
    summer = datetime(2026, 7, 1, 10, tzinfo=UTC)
    frame = pl.DataFrame({"kind": ["x"], "entity": ["contact"], "value": ["v"], "people": [2]})
    with open_store(path) as store:
        store.append("matching.shared_value", frame)
        with store.staged(
            pl.DataFrame({"t": [summer]}).with_columns(
                pl.col("t").dt.convert_time_zone("Europe/Berlin")
            )
        ) as name:
            assert store.value(f"SELECT t FROM {name}") == datetime(2026, 7, 1, 10)


def events(store, count):
    with store.transaction():
        for number in range(count):
            record_event(store, "test", {"n": number}, actor="ann", occurred_at=MOMENT)


def test_an_untouched_trail_is_whole(path):
    with open_store(path) as store:
        events(store, 3)
        assert verify_trail(store) == []


@pytest.mark.capability(102)
@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit.event SET payload = '{\"n\": 7}' WHERE event_id = 2",
        "UPDATE audit.event SET actor = 'bob' WHERE event_id = 2",
        "UPDATE audit.event SET occurred_at = occurred_at + INTERVAL 1 DAY WHERE event_id = 2",
        "DELETE FROM audit.event WHERE event_id = 2",
    ],
)
def test_tampering_is_seen(path, tampering):
    with open_store(path) as store:
        events(store, 3)
        store.execute(tampering)
        assert verify_trail(store)


def test_a_payload_can_be_erased_without_breaking_the_trail(path):
    with open_store(path) as store:
        events(store, 3)
        store.execute("UPDATE audit.event SET payload = NULL, salt = '' WHERE event_id = 2")
        assert verify_trail(store) == []


def test_a_store_of_the_first_version_tells_what_was_set_aside_in_it(tmp_path):
    number, name, script = migrations()[0]
    with duckdb.connect(str(tmp_path / "store.duckdb")) as old:
        old.execute(script)
        old.execute(
            "CREATE TABLE main.migration (number BIGINT, name VARCHAR, applied_at TIMESTAMP)"
        )
        old.execute("INSERT INTO main.migration VALUES (?, ?, ?)", [number, name, MOMENT])
        for run in (1, 2):
            old.execute(
                "INSERT INTO audit.run VALUES (?, ?, ?, 'run', 'ann', ?, 'r', '0', true, '{}')",
                [run, MOMENT, MOMENT, MOMENT.date()],
            )
        for record, key in ((1, "a"), (2, "b")):
            old.execute(
                "INSERT INTO landing.record VALUES (?, 'contact', 'crm', ?, 1, NULL, NULL, NULL,"
                " NULL)",
                [record, key],
            )
        old.execute(
            "INSERT INTO quality.quarantine VALUES"
            " ('contact', 1, 1, 1, 'superseded', $now, $now, 2, NULL),"
            " ('contact', 1, 3, 2, 'open', $now, NULL, NULL, NULL),"
            " ('contact', 2, 2, 1, 'open', $now, NULL, NULL, NULL)",
            {"now": MOMENT},
        )
    with open_store(tmp_path / "store.duckdb") as store:
        waiting = store.rows("SELECT source_key, version_id, in_force FROM quality.waiting")
        assert sorted(waiting) == [("a", 3, False), ("b", 2, False)]
        steps = store.rows(
            "SELECT record_id, version_id, status, actor, run_id FROM quality.quarantine_step"
            " ORDER BY ALL"
        )
        assert steps == [
            (1, 1, "open", "ann", 1),
            (1, 1, "superseded", "ann", 2),
            (1, 3, "open", "ann", 2),
            (2, 2, "open", "ann", 1),
        ]
