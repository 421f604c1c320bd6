"""A store of every earlier version opens, and is kept as it was."""

import logging
from datetime import datetime

import duckdb
import pytest

from crm_quality.errors import StoreError
from crm_quality.store import open_store
from crm_quality.store.invariants import violations
from crm_quality.store.migrate import migrations
from crm_quality.store.snapshots import backups_in

MOMENT = datetime(2026, 5, 1, 12, 30, 15)
NUMBERS = [number for number, _, _ in migrations()]


def old_store(path, number):
    """Rows that the first version wrote, in a store that was upgraded to ``number`` since."""
    with duckdb.connect(str(path)) as old:
        old.execute(
            "CREATE TABLE main.migration (number BIGINT, name VARCHAR, applied_at TIMESTAMP)"
        )
        for place, (this, name, script) in enumerate(migrations()):
            if this > number:
                break
            old.execute(script)
            old.execute("INSERT INTO main.migration VALUES (?, ?, ?)", [this, name, MOMENT])
            if place == 0:
                put_rows(old)
    return path


def put_rows(old):
    old.execute(
        "INSERT INTO audit.run VALUES (1, $t, $t, 'crmq run', 'ann', '2026-05-01', 'r', '0', true,"
        " '{}')",
        {"t": MOMENT},
    )
    old.execute(
        "INSERT INTO landing.batch (batch_id, run_id, entity, source, origin, rows_received,"
        " mapping, received_at) VALUES (1, 1, 'contact', 'crm', 'x.csv', 2, '{}', ?)",
        [MOMENT],
    )
    old.execute(
        "INSERT INTO landing.record VALUES (1, 'contact', 'crm', 'a', 1, 1, 1, NULL, NULL),"
        " (2, 'contact', 'crm', 'b', 1, NULL, NULL, NULL, NULL)"
    )
    for version, status, name in ((1, "accepted", "Ann"), (2, "quarantined", "Bob")):
        old.execute(
            "INSERT INTO landing.contact_version (version_id, record_id, run_id, batch_id, status,"
            " content_hash, rules_hash, raw, first_name) VALUES ($n, $n, 1, 1, $status, 'h', 'r',"
            " $raw, $name)",
            {"n": version, "status": status, "name": name, "raw": f'{{"first_name":"{name}"}}'},
        )
    old.execute(
        "INSERT INTO quality.quarantine VALUES ('contact', 2, 2, 1, 'open', ?, NULL, NULL, NULL)",
        [MOMENT],
    )
    old.execute("INSERT INTO matching.membership VALUES (1, 1, 1)")
    old.execute(
        "INSERT INTO crm.contact (entity_id, version, run_id, records, sources, first_name)"
        " VALUES (1, 1, 1, 1, ['crm'], 'Ann')"
    )


@pytest.mark.capability(5)
@pytest.mark.parametrize("number", NUMBERS[:-1])
def test_a_store_of_an_earlier_version_is_upgraded_and_kept(tmp_path, number, caplog):
    path = old_store(tmp_path / "store.duckdb", number)
    with caplog.at_level(logging.WARNING), open_store(path) as store:
        assert store.value("SELECT max(number) FROM main.migration") == NUMBERS[-1]
        raw = store.rows("SELECT version_id, raw FROM landing.contact_version ORDER BY 1")
        assert raw == [(1, '{"first_name":"Ann"}'), (2, '{"first_name":"Bob"}')]
        assert violations(store)["violations"].sum() == 0
    (kept,) = backups_in(tmp_path / "backups")
    assert (kept.run_id, kept.why) == (1, "before-upgrade")
    assert str(kept.file) in caplog.text
    with duckdb.connect(str(kept.file), read_only=True) as old:
        assert old.execute("SELECT max(number) FROM main.migration").fetchall() == [(number,)]


def test_a_store_of_this_version_is_not_backed_up(tmp_path):
    for _ in range(2):
        with open_store(tmp_path / "store.duckdb", create=True):
            pass
    assert not (tmp_path / "backups").exists()


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(tmp_path):
    before = max(number for number in NUMBERS if number < 12)  # which makes run_key
    path = old_store(tmp_path / "store.duckdb", before)
    with duckdb.connect(str(path)) as old:
        old.execute("CREATE TABLE audit.run_key (mine INTEGER)")
    for _ in range(2):
        with pytest.raises(StoreError, match=r"could not be upgraded and is as it was"):  # noqa: SIM117
            with open_store(path):
                pass
    assert backups_in(tmp_path / "backups") == []
    with duckdb.connect(str(path), read_only=True) as old:
        assert old.execute("SELECT max(number) FROM main.migration").fetchall() == [(before,)]
        assert old.execute("SELECT count(*) FROM landing.contact_version").fetchall() == [(2,)]
        assert old.execute("SELECT count(raw) FROM landing.contact_version").fetchall() == [(2,)]
