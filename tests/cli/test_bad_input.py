"""Whatever is wrong ends in one clear message with exit 2, or in quarantine."""

import hashlib
import json
import signal
import subprocess
import sys
import time

import pytest

GOOD = b"source_key,first_name,last_name,email\n1,Ann,Lee,ann@lee.example\n"


def bad_files(folder):
    files = {
        "empty.csv": b"",
        "binary.csv": bytes(range(256)) * 64,
        "not.parquet": b"PAR1 but not really",
        "not.xlsx": b"PK\x03\x04 but not really",
        "broken.json": b'[{"email": "a@b.example"',
        "unknown.docx": b"hello",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return files


@pytest.mark.parametrize(
    "name",
    [
        "empty.csv",
        "binary.csv",
        "not.parquet",
        "not.xlsx",
        "broken.json",
        "unknown.docx",
        "gone.csv",
    ],
)
def test_a_file_that_cannot_be_read_ends_with_2_and_its_name(crmq, project, tmp_path, name):
    bad_files(tmp_path)
    ran = crmq("run", tmp_path / name, "--project", project.folder)
    assert ran.code == 2
    assert name in ran.err
    assert "Traceback" not in ran.err
    assert project.golden("contact").is_empty()


def test_a_header_without_rows_is_no_fault_of_a_nightly_job(crmq, project, tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_bytes(GOOD.splitlines(keepends=True)[0])
    ran = crmq("run", file, "--project", project.folder, "--format", "json")
    assert ran.code == 0
    assert json.loads(ran.out)["records"]["received"] == 0


def test_a_missing_key_column_stops_the_run(crmq, project, tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_bytes(GOOD)
    ran = crmq("run", file, "--key", "customer_no", "--project", project.folder)
    assert ran.code == 2
    assert "customer_no" in ran.err


def test_ragged_rows_wait_in_quarantine_and_the_others_go_on(crmq, project, tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_bytes(
        GOOD + b"2,Bob,Okafor,bob@okafor.example,surplus,more\n3,Eve,Moe,eve@moe.example\n"
    )
    ran = crmq("run", file, "--project", project.folder, "--format", "json")
    counts = json.loads(ran.out)["records"]
    assert (counts["received"], counts["accepted"], counts["quarantined"]) == (3, 2, 1)


def test_a_line_of_two_hundred_megabytes_is_survived(crmq, project, tmp_path):
    file = tmp_path / "contacts.csv"
    with file.open("wb") as out:
        out.write(GOOD + b"2,")
        for _ in range(200):
            out.write(b"x" * (1 << 20))
        out.write(b",Okafor,bob@okafor.example\n")
    ran = crmq("run", file, "--project", project.folder, "--format", "json")
    assert ran.code in (0, 2)
    assert "Traceback" not in ran.err
    if ran.code == 0:
        counts = json.loads(ran.out)["records"]
        assert counts["received"] == counts["accepted"] + counts["quarantined"] == 2
    else:
        assert "contacts.csv" in ran.err


def test_duplicate_keys_in_one_file_are_versions(crmq, project, tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_bytes(GOOD + b"1,Ann,Lee-Moe,ann@lee.example\n")
    ran = crmq("run", file, "--project", project.folder, "--format", "json")
    assert json.loads(ran.out)["records"]["accepted"] == 2
    assert project.golden("contact")["last_name"].to_list() == ["Lee-Moe"]


def test_a_store_in_use_is_told_with_its_holder(crmq, project, tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_bytes(GOOD)
    hold = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True);"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(project.store_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        holder.stdout.readline()
        ran = crmq("run", file, "--project", project.folder)
        holder.communicate("")
    assert ran.code == 2
    assert f"process {holder.pid}" in ran.err
    assert "--wait" in ran.err


def test_a_disk_that_takes_no_more_leaves_the_store_as_it_was(project, tmp_path):
    file = tmp_path / "contacts.csv"
    titles = [hashlib.shake_128(bytes([n])).hexdigest(20_000) for n in range(200)]
    lines = [f"{n},Ann,Lee,p{n}@mail.example,{title}" for n, title in enumerate(titles)]
    file.write_text("source_key,first_name,last_name,email,job_title\n" + "\n".join(lines))
    most = project.store_path.stat().st_size + 100_000
    limit = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}));"
        "from crm_quality.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", limit, "run", str(file), "--project", str(project.folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "store.duckdb" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert project.export("crosswalk").is_empty()


def test_a_store_that_is_no_file_is_told(crmq, project, tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_bytes(GOOD)
    project.store_path.unlink()
    project.store_path.mkdir()
    ran = crmq("run", file, "--project", project.folder)
    assert ran.code == 2
    assert "store.duckdb" in ran.err


def test_a_project_cannot_be_made_where_a_file_stands(crmq, tmp_path):
    file = tmp_path / "taken"
    file.write_text("mine")
    made = crmq("init", file)
    assert made.code == 2
    assert file.read_text() == "mine"


@pytest.mark.parametrize("after", [0.5, 1.5, 2.5])
def test_a_killed_run_leaves_the_store_as_before_or_after(project, tmp_path, after):
    file = tmp_path / "contacts.csv"
    lines = [f"{n},First{n},Family{n % 977},p{n}@mail{n % 89}.example" for n in range(20_000)]
    file.write_text(GOOD.decode() + "\n".join(lines) + "\n")
    with subprocess.Popen(
        [sys.executable, "-m", "crm_quality", "run", str(file), "--project", str(project.folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
    records = project.export("crosswalk").height
    runs = project.export("runs").height
    assert (records, runs) in {(0, 0), (20_001, 1)}
