from __future__ import annotations

import codecs
import csv
import io
import json
import os
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_quality.errors import InputError
from crm_quality.intake import read, read_batches

GOOD = "id,name,city\n1,Ann,Bonn\n2,Bob,Köln\n"


@pytest.fixture
def write(tmp_path):
    def written(content: bytes | str, name: str = "file.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


def rows(table):
    return table.frame.with_columns(pl.all().fill_null("")).rows()


def problems(table):
    return table.problems.rows()


@pytest.mark.capability(85)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encoding_delimiter_and_line_ends_are_told_from_the_file(write, encoding, delimiter, end):
    text = GOOD.replace(",", delimiter).replace("\n", end)
    table = read(write(text.encode(encoding)))
    assert table.headers == ["id", "name", "city"]
    assert rows(table) == [("1", "Ann", "Bonn"), ("2", "Bob", "Köln")]
    assert table.warnings == ()


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "1,François d’Été,5 €\n2,Ødegård,Ærø"),
        ("latin-1", "1,Müller,São Paulo"),
        ("cp1250", "1,Wałęsa,Łódź\n2,Żółć,Gęślą"),
        ("cp1251", "1,Сергей Иванов,Москва"),
    ],
)
def test_a_file_in_an_older_encoding_is_read_and_said_to_be_a_guess(write, encoding, text):
    table = read(write(("id,name,city\n" + text).encode(encoding)))
    assert rows(table) == [tuple(line.split(",")) for line in text.split("\n")]
    assert "a guess" in table.warnings[0]


def test_a_named_encoding_is_not_guessed(write):
    table = read(write("id,name\n1,Γιώργος\n".encode("cp1253")), encoding="cp1253")
    assert (rows(table), table.warnings) == ([("1", "Γιώργος")], ())


def test_an_unknown_encoding_or_delimiter_is_refused(write):
    with pytest.raises(InputError, match="no encoding 'utf-9'"):
        read(write(GOOD), encoding="utf-9")
    with pytest.raises(InputError, match="not one character"):
        read(write(GOOD), delimiter=";;")


def test_excels_separator_line_is_no_header(write):
    assert read(write("sep=;\nid;name\n1;a,b\n")).headers == ["id", "name"]


@pytest.mark.capability(85)
def test_titles_above_the_table_are_left_out_and_said(write):
    table = read(write("Contacts of March\n\nid,name,city\n1,Ann,Bonn\n"))
    assert rows(table) == [("1", "Ann", "Bonn")]
    assert "above the column names" in table.warnings[0]


def test_blank_lines_are_no_rows(write):
    assert rows(read(write("\nid,name\n\n1,Ann\n\n\n2,Bob\n\n"))) == [("1", "Ann"), ("2", "Bob")]
    assert rows(read(write("email\na@b.example\n\nc@d.example\n"))) == [
        ("a@b.example",),
        ("c@d.example",),
    ]


def test_repeated_and_blank_names_are_numbered_and_said(write):
    table = read(write('Email,email,,"*"\na,b,c,d\n'))
    assert table.headers == ["Email", "email (2)", "column 3", "column 4"]
    assert rows(table) == [("a", "b", "c", "d")]
    assert len(table.warnings) == 2


def test_a_loose_delimiter_at_the_end_of_the_header_is_no_column(write):
    assert read(write("id,name,\n1,Ann\n2,Bob\n")).headers == ["id", "name"]


def test_delimiters_at_the_end_of_rows_are_no_problem(write):
    table = read(write("id,name\n1,Ann\n2,Bob,,\n"))
    assert rows(table) == [("1", "Ann"), ("2", "Bob")]
    assert problems(table) == []


def test_ragged_rows_are_kept_with_their_text(write):
    table = read(write("id,name,city\n1,Ann,Bonn\n2,Bob\n3,Cy,Rome,x,y\n4,Dee,Oslo\n"))
    assert rows(table) == [
        ("1", "Ann", "Bonn"), ("2", "Bob", ""), ("3", "Cy", "Rome"), ("4", "Dee", "Oslo"),
    ]  # fmt: skip
    assert problems(table) == [(1, "ragged_row", "2,Bob"), (2, "ragged_row", "3,Cy,Rome,x,y")]


@pytest.mark.parametrize("following", ["3,Cy,Rome\n", '3,"Cy",Rome\n', "3,Cy,Rome\n" * 3000])
def test_a_quote_never_closed_costs_one_row(write, following):
    table = read(write('id,name,city\n1,Ann,Bonn\n2,"Bob,Oslo\n' + following))
    assert problems(table) == [(1, "unclosed_quote", '2,"Bob,Oslo')]
    assert table.frame.height == 2 + following.count("\n")
    assert rows(table)[2] == ("3", "Cy", "Rome")


def test_quotes_within_cells_are_text(write):
    table = read(write('id,name,city\n1,5" pipe,"The ""Hague"""\n2,"Bob" Lee,x\n'))
    assert rows(table) == [("1", '5" pipe', 'The "Hague"'), ("2", "Bob Lee", "x")]
    assert problems(table) == []


def test_lines_of_another_encoding_are_kept_and_marked(write):
    content = "id,name\n1,Zoë\n".encode() + "2,Müller\n".encode("cp1252") + b"3,Ann\n"
    table = read(write(content))
    assert rows(table) == [("1", "Zoë"), ("2", "Müller"), ("3", "Ann")]
    assert problems(table) == [(1, "encoding", "2,Müller")]


def test_bytes_that_are_no_characters_are_marked_in_any_encoding(write):
    content = "id,name\n1,Ann\n2,Bob\n".encode("utf-16-le").replace(b"B\0", b"\0\xdc")
    table = read(write(b"\xff\xfe" + content))
    assert problems(table) == [(1, "encoding", "2,\ufffdob")]
    [part] = read_batches(write(b"\xff\xfe" + content))
    assert problems(part) == problems(table)
    assert problems(read(write("id,name\n1,Zoë\n"), encoding="ascii"))[0][:2] == (0, "encoding")


def test_nul_bytes_do_no_harm(write):
    assert rows(read(write(b"id,na\0me\n1,a\0b\n"))) == [("1", "a\0b")]


def test_a_name_that_looks_like_a_pattern_is_a_name(write):
    write("id\n9\n", "file1.csv")
    assert rows(read(write("id\n1\n", "file[1].csv"))) == [("1",)]


def test_a_header_alone_is_a_table_without_rows(write):
    table = read(write("id,name\n"))
    assert (table.headers, table.frame.height) == (["id", "name"], 0)
    assert table.warnings == ("there is a header but no row",)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "is empty"),
        ("mark.csv", codecs.BOM_UTF8, "is empty"),
        ("blank.csv", b"\n  \n", "is empty"),
        ("binary.csv", bytes(range(256)) * 64, "binary"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0\x08\6\0\0\0", "binary"),
        ("pipe.parquet", b"PAR1 but not really", "damaged Parquet"),
        ("book.xlsx", b"PK\x03\x04 but not really", "damaged"),
        ("locked.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "password"),
        ("export.csv.gz", b"\x1f\x8b\x08\0", "unpack"),
        ("broken.json", b'[{"email": "a@b.example"', "line 1, column"),
        ("broken.jsonl", b'{"a": 1}\n{"a": \n', "line 2, column"),
        ("numbers.json", b'[{"a": 1}, 2]', "array of objects"),
        ("data.csv", b"Ann,ann@lee.example\nBob,bob@lee.example\n", "holds data"),
        ("commas.csv", b",,,\n,,,\n", "no column names"),
    ],
)
def test_what_is_no_table_ends_in_one_message(write, name, content, said):
    with pytest.raises(InputError, match=said) as error:
        read(write(content, name))
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_message_shows_no_ones_address(write):
    with pytest.raises(InputError) as error:
        read(write("Ann,ann@lee.example\n"))
    assert "ann@lee" not in str(error.value)


def test_missing_files_folders_and_odd_things_end_in_one_message(tmp_path):
    (tmp_path / "contacts.csv").write_text(GOOD)
    with pytest.raises(InputError, match=r"did you mean 'contacts\.csv'"):
        read(tmp_path / "contact.csv")
    with pytest.raises(InputError, match="no folder"):
        read(tmp_path / "nowhere" / "contact.csv")
    with pytest.raises(InputError, match="folder"):
        read(tmp_path)
    with pytest.raises(InputError, match="cannot read a int"):
        read(5)


@contextmanager
def nobody():
    """Not root, who may read everything."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no such rights")
def test_a_file_without_rights_ends_in_one_message():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_text(GOOD)
        assert read(path).frame.height == 2
        path.chmod(0)
        Path(folder).chmod(0o755)
        with nobody(), pytest.raises(InputError, match="permission"):
            read(path)


def test_a_line_beyond_all_measure_is_refused_at_once(tmp_path):
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(b"id,name\n1,")
        for _ in range(40):
            file.write(b"x" * (1 << 20))
        file.write(b"\n2,Ann\n")
    with pytest.raises(InputError, match="line 2 has more than 16 MB"):
        read(path)


def test_json_may_stand_on_one_line_however_long(write):
    text = json.dumps([{"id": str(number), "note": "x" * 1000} for number in range(20_000)])
    assert read(write(text, "file.json")).frame.height == 20_000


def test_a_long_line_is_still_a_row(write):
    table = read(write("id,name\n1," + "x" * 3_000_000 + "\n2,Ann\n"))
    assert [len(name) for name in table.frame["name"]] == [3_000_000, 3]


text_cells = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc"), include_characters='\n\t",;|', max_codepoint=0xFEFE
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(2, 4).flatmap(
        lambda width: st.lists(
            st.lists(text_cells, min_size=width, max_size=width).filter(any),
            min_size=1,
            max_size=6,
        )
    ),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_a_csv_writer_writes_is_read_back(tmp_path_factory, cells, delimiter, end):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    writer.writerow([f"h{number}" for number in range(len(cells[0]))])
    writer.writerows(cells)
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    path.write_bytes(out.getvalue().encode())
    table = read(path, delimiter=delimiter)
    assert rows(table) == [tuple(row) for row in cells]
    assert problems(table) == []


@settings(deadline=None, max_examples=40)
@given(st.binary(min_size=1, max_size=400))
def test_any_bytes_end_in_a_table_or_one_message(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "file.csv"
    path.write_bytes(b"id,name\n" + content)
    try:
        table = read(path)
    except InputError as error:
        assert "file.csv" in str(error)  # noqa: PT017 - either outcome is fine
    else:
        assert table.frame.height <= content.count(b"\n") + content.count(b"\r") + 1


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from(["1,Ann,Bonn", '2,"a\nb",c', "3,short", "4,a,b,c,d", '5,"open,x']),
             min_size=1, max_size=12),
    st.integers(1, 5),
)  # fmt: skip
def test_parts_are_the_whole(tmp_path_factory, lines, size):
    path = tmp_path_factory.mktemp("parts") / "file.csv"
    path.write_text("id,name,city\n" + "\n".join(lines) + "\n")
    whole, parts = read(path), list(read_batches(path, rows=size))
    assert [row for part in parts for row in rows(part)] == rows(whole)
    found = [(p.first_row - 1 + row, *rest) for p in parts for row, *rest in problems(p)]
    assert found == problems(whole)
    assert {part.file_hash for part in parts} == {whole.file_hash}


def test_parquet_comes_in_parts_too(tmp_path):
    path = tmp_path / "file.parquet"
    pl.DataFrame({"id": range(10)}).write_parquet(path)
    parts = list(read_batches(path, rows=4))
    assert [part.frame.height for part in parts] == [4, 4, 2]
    assert [part.first_row for part in parts] == [1, 5, 9]


def test_standard_input_is_a_file_like_any(monkeypatch):
    class Stdin:
        buffer = io.BytesIO(GOOD.encode("utf-16"))

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert rows(read("-")) == [("1", "Ann", "Bonn"), ("2", "Bob", "Köln")]
    Stdin.buffer = io.BytesIO(b"")
    with pytest.raises(InputError, match=r"^standard input: the file is empty"):
        read("-")


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="open files have no path on this system")
def test_a_pipe_is_read_once():
    reading, writing = os.pipe()
    os.write(writing, GOOD.encode())
    os.close(writing)
    assert read(f"/dev/fd/{reading}").frame.height == 2
    os.close(reading)


def workbook(path, sheets):
    with xlsxwriter.Workbook(path) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, cells in sheets.items():
            sheet = book.add_worksheet(name)
            for row, values in enumerate(cells):
                for column, value in enumerate(values):
                    if isinstance(value, datetime):
                        sheet.write_datetime(row, column, value, day)
                    elif value is not None:
                        sheet.write(row, column, value)
    return path


@pytest.mark.capability(85)
def test_a_workbook_gives_text_as_it_is_meant(tmp_path):
    cells = [
        ["Contacts of March"],
        ["Id", "Name", "Born", "Phone", "Zip", "Active", None],
        [1, "Ann", datetime(1980, 3, 5), 493012345678, "01234", True],
        [None],
        [2.5, "Bob"],
    ]
    table = read(workbook(tmp_path / "book.xlsx", {"Notes": [], "People": cells, "Old": [["x"]]}))
    assert table.headers == ["Id", "Name", "Born", "Phone", "Zip", "Active"]
    assert rows(table) == [
        ("1", "Ann", "1980-03-05", "493012345678", "01234", "true"),
        ("2.5", "Bob", "", "", "", ""),
    ]
    assert any("'People'" in warning and "'Old'" in warning for warning in table.warnings)


def test_a_sheet_can_be_named(tmp_path):
    path = workbook(tmp_path / "book.xlsx", {"A": [["a"], [1]], "B": [["b"], [2]]})
    assert read(path, sheet="B").headers == ["b"]
    with pytest.raises(InputError, match="no sheet 'C'; there are: A, B"):
        read(path, sheet="C")


def test_a_workbook_without_cells_is_empty(tmp_path):
    with pytest.raises(InputError, match="empty"):
        read(workbook(tmp_path / "book.xlsx", {"A": []}))


@pytest.mark.parametrize(
    "text",
    [
        '[{"id": 1.10, "owner": {"name": "Lee"}, "tags": ["a", "b"], "x": null}, {"id": "2"}]',
        '{"id": 1.10, "owner": {"name": "Lee"}, "tags": ["a", "b"], "x": null}\n\n{"id": "2"}\n',
        """{"results": [{"id": 1.10, "owner": {"name": "Lee"}, "tags": ["a", "b"], "x": null},
            {"id": "2"}], "next": null}""",
    ],
)
def test_json_in_its_shapes(write, text):
    table = read(write(text, "file.json"))
    assert table.headers == ["id", "owner.name", "tags", "x"]
    assert rows(table) == [("1.10", "Lee", "a;b", ""), ("2", "", "", "")]


def test_one_json_object_is_one_row(write):
    assert rows(read(write('{"id": 1, "on": true, "list": [{"a": 1}]}', "file.json"))) == [
        ("1", "true", '[{"a": "1"}]')
    ]


TYPED = pl.DataFrame(
    {
        "day": [date(2024, 3, 5), None],
        "at": [datetime(2024, 3, 5, 14, 30), None],
        "utc": [datetime(2024, 3, 5, 14, 30, tzinfo=UTC), None],
        "yes": [True, None],
        "number": [1, None],
        "share": [0.5, None],
        "whole": [1.0, float("nan")],
        "money": [Decimal("1.10"), None],
        "mails": [["a@b.example", "c@d.example"], None],
        "nested": [{"a": 1}, None],
        "word": pl.Series(["x", None], dtype=pl.Categorical),
        "nothing": [None, None],
        "bytes": [b"abc", None],
    }
)


def test_a_typed_frame_gives_text():
    table = read(TYPED)
    assert table.frame.row(0, named=True) == {
        "day": "2024-03-05", "at": "2024-03-05T14:30:00", "utc": "2024-03-05T14:30:00Z",
        "yes": "true", "number": "1", "share": "0.5", "whole": "1", "money": "1.10",
        "mails": ["a@b.example", "c@d.example"], "nested": '{"a":1}', "word": "x",
        "nothing": None, "bytes": "abc",
    }  # fmt: skip
    assert set(table.frame.row(1)) == {None}
    assert table.frame.schema["mails"] == pl.List(pl.String)


def test_parquet_is_read_as_the_frame_it_holds(tmp_path):
    frame = TYPED.drop("word")
    frame.write_parquet(tmp_path / "file.parquet")
    assert read(tmp_path / "file.parquet").frame.equals(read(frame).frame)


def in_duckdb(frame):
    connection = duckdb.connect()
    connection.register("rows", frame.to_arrow())
    return connection.sql("SELECT * FROM rows")


@pytest.mark.parametrize(
    "other",
    [
        lambda frame: frame.lazy(),
        lambda frame: frame.to_arrow(),
        lambda frame: frame.to_arrow().to_reader(),
        lambda frame: frame.to_arrow().to_batches()[0],
        lambda frame: frame.to_pandas(),
        lambda frame: frame.to_dicts(),
        in_duckdb,
    ],
    ids=["lazy", "arrow", "reader", "batch", "pandas", "dicts", "duckdb"],
)
def test_frames_of_other_libraries_say_the_same(other):
    frame = pl.DataFrame({"id": ["1", "2"], "Name": ["Ann", None], "day": [date(2024, 3, 5)] * 2})
    assert read(other(frame)).frame.equals(read(frame).frame)


def test_pandas_columns_of_all_sorts_become_text():
    frame = pd.DataFrame({"a": [1, "x", None], "b": [1.0, 2.0, None]})
    frame = pd.concat([frame, frame[["a"]]], axis=1)
    table = read(frame)
    assert table.headers == ["a", "b", "a (2)"]
    assert rows(table) == [("1", "1", "1"), ("x", "2", "x"), ("", "", "")]


def test_arrow_columns_of_one_name_are_numbered():
    assert read(pa.table([["1"], ["2"]], names=["a", "a"])).headers == ["a", "a (2)"]


def test_the_hash_of_a_file_is_of_its_bytes(write):
    first, same, other = (
        read(write(text, name)).file_hash
        for name, text in {"a.csv": GOOD, "b.csv": GOOD, "c.csv": GOOD + "3,C,D\n"}.items()
    )
    assert first == same != other
    assert json.dumps(first).strip('"').isalnum()
