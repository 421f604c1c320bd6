import sys

import polars as pl
import pytest

from benchmarks.peers.job import Job, components
from benchmarks.peers.labels import drawn
from benchmarks.peers.process import run
from benchmarks.peers.report import markdown

TRUTH = pl.DataFrame({"record_id": range(1, 101), "entity_id": [n // 2 for n in range(100)]})
RECORDS = TRUTH.select(
    "record_id",
    name=pl.format("name {}", pl.col("entity_id") % 7),
)


def test_labels_say_what_the_truth_says_and_half_are_the_same():
    labels = drawn(RECORDS, TRUTH, 60, seed=1)
    entity = dict(TRUTH.iter_rows())
    assert labels["same"].sum() == 30
    assert labels.height == 60
    assert all((entity[left] == entity[right]) == same for left, right, same in labels.iter_rows())


def test_labels_do_not_depend_on_the_order_of_rows():
    assert drawn(RECORDS, TRUTH, 60, seed=1).equals(
        drawn(RECORDS.reverse(), TRUTH.reverse(), 60, seed=1)
    )


def test_pairs_become_components():
    found = dict(components([(1, 2), (5, 4), (2, 3), (7, 8)]).iter_rows())
    assert found[1] == found[2] == found[3]
    assert found[4] == found[5]
    assert len({found[1], found[4], found[7]}) == 3


def test_a_record_that_a_tool_leaves_out_is_a_cluster_of_its_own(tmp_path):
    job = Job(tmp_path, "contact", RECORDS.head(3))
    job.save(pl.DataFrame({"record_id": [1, 2], "cluster_id": [9, 9]}))
    assert pl.read_parquet(tmp_path / "clusters.parquet")["cluster_id"].to_list() == [
        "9",
        "9",
        "alone 3",
    ]


@pytest.mark.parametrize(
    ("code", "seconds", "gigabytes", "words"),
    [
        ("pass", 60, 8, None),
        ("1 / 0", 60, 8, "failed: ZeroDivisionError: division by zero"),
        ("import os; os.kill(os.getpid(), 15)", 60, 8, "ended from outside: SIGTERM"),
        ("import time; time.sleep(60)", 1, 8, "did not finish in 1 s"),
        ("x = b'1' * 2**28; import time; time.sleep(60)", 50, 0.1, "needs more than 0.1 GiB"),
    ],
)
def test_a_process_ends_by_itself_or_at_a_limit(tmp_path, code, seconds, gigabytes, words):
    outcome = run(
        [sys.executable, "-c", code],
        folder=tmp_path,
        log=tmp_path / "log.txt",
        environment={},
        seconds=seconds,
        gigabytes=gigabytes,
    )
    assert outcome.failure == words


def test_the_report_tells_who_is_best_without_labels_and_who_failed():
    scores = {"precision": 0.9, "recall": 0.9, "bcubed_f1": 0.9, "largest_cluster": 3.0}
    common = {"set": "one", "records": 10, "entities": 5, "seconds": 1.0, "peak_mb": 2}
    rows = [
        {**common, "tool": "ours", "failure": None, "f1": 0.91, **scores},
        {**common, "tool": "splink", "failure": None, "f1": 0.93, **scores},
        {**common, "tool": "dedupe", "failure": None, "f1": 0.99, **scores},
        {**common, "tool": "custmatch", "failure": "did not finish in 60 s"},
    ]
    text = markdown(rows, "python benchmarks/matching.py", "limits")
    assert "| one | 0.9100 | **0.9300** | – | 0.9900 |" in text
    assert "| custmatch, 600 labels | did not finish in 60 s |" in text
