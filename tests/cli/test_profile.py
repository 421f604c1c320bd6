"""``crmq profile`` as people and programs call it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date

import polars as pl
import pytest

from crm_quality import load_rules, profile, read, standardise, take_in
from crm_quality.definitions import default_rules
from crm_quality.validate import check_records

HEADER = "Guest No.,E-Mail,First Name,Room,Nights,Arrival,Remark\n"


def guests(rows=60):
    rooms = ["single", "double", "Double"]
    return HEADER + "".join(
        f"G{n:03},guest{n}@mail.example.de,Ann,{rooms[n % 3]},{n % 7 + 1},2024-05-{n % 28 + 1:02},"
        f"{'call +49 30 1234567' if n == 7 else ''}\n"
        for n in range(rows)
    )


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "guests.csv"
    file.write_text(guests())
    return file


def test_a_profile_is_a_table_of_100_columns(crmq, file):
    shown = crmq("profile", file)

    assert shown.code == 0, shown.err
    assert max(len(line.rstrip()) for line in shown.out.splitlines()) <= 100
    lines = {line.split("  ")[0].strip(): line for line in shown.out.splitlines()}
    assert "60 rows, 7 columns" in shown.out
    assert " email " in lines["E-Mail"]
    assert " key " in lines["Guest No."]
    assert "1 " in lines["Nights"]
    assert "2024" in lines["Arrival"]
    assert "keys: Guest No., E-Mail" in shown.out
    assert "Room: Double | double" in shown.out


def test_a_profile_is_an_object_with_a_version(crmq, file):
    shown = json.loads(crmq("profile", file, "--format", "json").out)

    assert (shown["schema_version"], shown["records"], shown["masked"]) == (1, 60, True)
    columns = {column["column"]: column for column in shown["columns"]}
    assert columns["E-Mail"]["field"] == "email"
    assert columns["Room"]["values"][0] == {"value": "Double", "count": 20, "share": 1 / 3}
    assert columns["Nights"]["quantiles"][-1] == {"of": "value", "quantile": 1.0, "value": "7"}
    assert sum(found["count"] for found in columns["Arrival"]["bins"]) == 60
    assert shown["keys"][0]["columns"] == ["Guest No."]


def test_a_profile_is_a_line_per_column(crmq, file):
    lines = [
        json.loads(line) for line in crmq("profile", file, "--format", "jsonl").out.splitlines()
    ]

    assert [line["column"] for line in lines] == HEADER.strip().split(",")


def test_personal_values_are_masked_unless_asked_for(crmq, file, tmp_path):
    page = tmp_path / "page.html"
    for output in (["--format", "json"], ["--html", page], []):
        masked = crmq("profile", file, *output)
        assert "guest0@" not in masked.out
        assert "1234567" not in masked.out
    assert "guest0@" not in page.read_text()
    assert "1234567" not in page.read_text()
    assert "guest0@" in crmq("profile", file, "--format", "json", "--show-personal").out


@pytest.mark.parametrize("ending", ["parquet", "xlsx", "json", "jsonl"])
def test_any_kind_of_file_has_a_profile(crmq, file, tmp_path, ending):
    frame = pl.read_csv(file, infer_schema=False)
    other = tmp_path / f"guests.{ending}"
    writers = {
        "parquet": frame.write_parquet,
        "xlsx": frame.write_excel,
        "json": frame.write_json,
        "jsonl": frame.write_ndjson,
    }
    writers[ending](other)

    told = json.loads(crmq("profile", other, "--format", "json").out)

    assert told["records"] == 60
    assert [column["column"] for column in told["columns"]] == frame.columns


def test_standard_input_has_a_profile(file):
    with file.open("rb") as data:
        ran = subprocess.run(
            [sys.executable, "-m", "crm_quality", "profile", "-"],
            stdin=data, capture_output=True, check=False,
        )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    assert "standard input: 60 rows" in ran.stdout.decode()


def test_a_first_definition_is_written_that_the_file_passes(crmq, file, tmp_path):
    folder = tmp_path / "first"

    written = crmq("profile", file, "--suggest", folder, "--name", "guest", "--as-of", "2024-12-31")

    assert written.code == 0, written.err
    assert str(folder / "entities" / "guest.yml") in written.err
    rules = load_rules(folder)
    intake = take_in(read(file), rules)
    assert intake.recognised == "guests"
    guest = rules.entity("guest")
    clean = standardise(intake.records["guest"], guest, sources=rules.sources)
    checks = check_records(clean, guest, as_of=date(2024, 12, 31)).checks
    assert set(checks["status"]) <= {"passed", "skipped"}
    assert guest.fields["email"].personal


def test_a_definition_is_written_over_no_other(crmq, file, tmp_path):
    folder = tmp_path / "first"
    crmq("profile", file, "--suggest", folder)

    again = crmq("profile", file, "--suggest", folder)

    assert again.code == 2
    assert "is there already" in again.err


def test_wider_limits_can_be_asked_for(crmq, file, tmp_path):
    for name, more in (("a", []), ("b", ["--confidence", "0.999", "--next-rows", "10"])):
        crmq("profile", file, "--suggest", tmp_path / name, "--name", "guest", *more)
    limits = [
        load_rules(tmp_path / name).entity("guest").fields["room"].limits["required"].pass_up_to
        for name in ("a", "b")
    ]

    assert float(limits[0].rstrip("%")) < float(limits[1].rstrip("%"))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere.csv"], "no such file"),
        (["FILE", "--entity", "house"], "there is no entity"),
        (["FILE", "--suggest", "first", "--name", "Gäste 1"], "is no name"),
        (["FILE", "--html", "nowhere/page.html"], "cannot be written"),
        (["EMPTY", "--suggest", "first"], "has no rows"),
    ],
)
def test_what_cannot_be_done_is_told_with_2(crmq, file, tmp_path, arguments, complaint):
    empty = tmp_path / "empty.csv"
    empty.write_text(HEADER)
    named = {"FILE": file, "EMPTY": empty, "first": tmp_path / "first"}

    refused = crmq("profile", *(named.get(argument, argument) for argument in arguments))

    assert refused.code == 2
    assert complaint in refused.err


def test_a_header_without_rows_has_a_profile(crmq, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text(HEADER)

    shown = crmq("profile", empty)

    assert shown.code == 0
    assert "empty: Guest No., E-Mail" in shown.out


def test_the_library_gives_frames(project, file):
    found = project.profile(file)

    assert found.seen.columns["column"].to_list() == HEADER.strip().split(",")
    assert found.fields["E-Mail"] == "email"
    assert found.entity == "contact"
    frame = pl.DataFrame({"x": [1, 2]})
    assert profile(frame).seen.records == 2
    assert profile(frame, rules=default_rules()).entity is None
