from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_quality.definitions import RuleSet, SourceDefinition, default_rules
from crm_quality.errors import InputError, NotFoundError
from crm_quality.intake import BOOKKEEPING, Table, read, take_in

RULES = default_rules()
CONTACTS = RULES.entity("contact").fields


def taken(data, **options):
    table = data if isinstance(data, Table) else read(data)
    return take_in(table, options.pop("rules", RULES), **options)


def contacts(data, **options):
    return taken(data, **options).records["contact"]


def with_source(**definition):
    source = SourceDefinition.model_validate(definition)
    return replace(RULES, sources={**RULES.sources, source.source: source})


PEOPLE = [
    {"source_key": "1", "first_name": "Ann", "email": "ann@lee.example"},
    {"source_key": "2", "first_name": " Bob ", "email": ""},
]


def test_canonical_names_map_to_themselves_and_text_stays_as_it_came():
    frame = contacts(PEOPLE, source="shop")
    assert frame.columns == ["first_name", "email", *BOOKKEEPING]
    assert frame.select(BOOKKEEPING.names()).schema == BOOKKEEPING
    assert frame.select("first_name", "email", "source", "source_key", "row_number").rows() == [
        ("Ann", "ann@lee.example", "shop", "1", 1),
        (" Bob ", None, "shop", "2", 2),
    ]
    assert json.loads(frame["raw"][1]) == PEOPLE[1]


def test_an_unknown_file_is_guessed_and_the_guess_is_shown():
    intake = taken([{"Vorname": "Ann", "Nachname": "Lee", "E-Mail": "x", "Kundennummer": "7"}])
    assert intake.mapping_columns() == {
        "source_key": "Kundennummer", "first_name": "Vorname", "last_name": "Nachname",
        "email": "E-Mail",
    }  # fmt: skip
    assert {mapped.how for mapped in intake.mapping.values()} == {"guess"}
    assert any("Vorname → first_name (98%)" in note for note in intake.notes())


def test_what_is_given_goes_before_what_is_guessed():
    intake = taken([{"name": "Lee", "id": "1"}], mapping={"last_name": "name"})
    assert intake.mapping["last_name"].how == "given"
    assert "full_name" not in intake.mapping


def test_a_given_field_or_column_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="no field 'frist_name'; did you mean 'first_name'"):
        taken(PEOPLE, mapping={"frist_name": "x"})
    with pytest.raises(InputError, match="no column 'emial' for email; did you mean 'email'"):
        taken(PEOPLE, mapping={"email": "emial"})


def test_a_file_without_any_known_column_is_refused_with_its_columns():
    with pytest.raises(InputError, match=r"none of its columns \(qwrt, zxcv\)"):
        taken([{"qwrt": "1", "zxcv": "2"}])


def test_where_the_first_sheet_is_no_table_the_others_are_named(tmp_path):
    path = tmp_path / "two.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("About").write(0, 0, "exported by hand")
        book.add_worksheet("Contacts").write_row(0, 0, ["first_name", "email"])
    with pytest.raises(InputError, match="read the sheet 'About'; others: 'Contacts'"):
        take_in(read(path), RULES)


def test_columns_that_no_field_takes_are_named():
    notes = taken([{**PEOPLE[0], "qwrt": "1", "zxcv": "2"}]).notes()
    assert any("no field takes, kept as custom fields: qwrt, zxcv;" in note for note in notes)
    assert not any("no field takes" in note for note in taken(PEOPLE).notes())


def test_an_unknown_entity_is_refused():
    with pytest.raises(NotFoundError, match="contakt"):
        taken(PEOPLE, entity="contakt")


def test_the_name_of_an_unknown_source_is_the_files_without_its_date():
    frame = pl.DataFrame(PEOPLE)
    names = {
        name: taken(Table(frame, name)).source
        for name in ["crm_2024-03-01.csv", "crm (2).xlsx", "crm.csv", "crm-20240301T0930.csv"]
    }
    assert set(names.values()) == {"crm"}
    assert taken(Table(frame, "shop1.csv")).source == "shop1"
    assert taken(Table(frame, "2024-03-01.csv")).source == "file"


# --- sources named by row


def test_a_new_source_with_nearly_the_name_of_a_known_one_is_told():
    notes = taken(PEOPLE, source="hubspot_contact").notes()
    assert any("did you mean 'hubspot_contacts'" in note for note in notes)
    assert not any("did you mean" in note for note in taken(PEOPLE, source="till").notes())


def test_a_column_source_names_each_rows_source():
    rows = [{**PEOPLE[0], "source": "shop"}, {**PEOPLE[1], "source": " "}]
    intake = taken(rows, source="rest")
    assert intake.records["contact"]["source"].to_list() == ["shop", "rest"]
    assert intake.unmapped == ()


def test_a_file_in_our_own_words_is_taken_for_no_other():
    row = {**PEOPLE[0], "source": "shop", "message": "Hello", "form name": "Contact"}
    intake = taken([row])
    assert intake.recognised is None
    assert intake.records["contact"].select("source", "source_key").rows() == [("shop", "1")]


def test_elsewhere_a_column_source_tells_where_the_lead_came_from():
    intake = taken([{"Name": "Ann Lee", "Email": "a@b.example", "source": "Google"}])
    assert intake.mapping["lead_source"].columns == ("source",)


# --- keys


def test_a_declared_key_that_is_missing_stops_the_file():
    with pytest.raises(InputError, match=r"'customer_no'.*is missing; did you mean 'customer no"):
        taken([{"customer no.": "1", "email": "x"}], key=["customer_no"])
    with pytest.raises(InputError, match="'EUID' or 'LEID' of mailchimp is missing"):
        taken([{"Email Address": "a@b.example", "OPTIN_TIME": ""}])


def test_keys_of_several_columns_cannot_run_into_each_other():
    rows = [{"a": "x|", "b": "y", "email": "1"}, {"a": "x", "b": "|y", "email": "2"},
            {"a": "x", "b": "", "email": "3"}]  # fmt: skip
    keys = contacts(rows, key=["a", "b"])["source_key"]
    assert keys.n_unique() == 3
    assert keys[2] == "x|"


def test_duplicate_keys_stay_as_versions_in_their_order():
    rows = [{"source_key": "1", "email": "old"}, {"source_key": "1", "email": "new"}]
    assert contacts(rows).select("source_key", "email").rows() == [("1", "old"), ("1", "new")]


def test_without_a_key_a_row_is_known_by_what_it_says():
    rows = [{"email": "a", "city": "x"}, {"email": "b", "city": "x"}, {"email": "a", "city": "x"}]
    intake = taken(rows)
    keys = intake.records["contact"]["source_key"].to_list()
    assert len(set(keys)) == 3
    assert keys[2] == keys[0] + "-2"
    assert any("no key column" in warning for warning in intake.warnings)
    assert set(contacts(list(reversed(rows)))["source_key"]) == set(keys)


def test_a_row_without_its_key_is_known_by_what_it_says():
    intake = taken([{"source_key": "1", "email": "a"}, {"source_key": " ", "email": "b"}])
    keys = intake.records["contact"]["source_key"]
    assert keys[0] == "1"
    assert keys[1].startswith("row-")
    assert any("1 rows have no key" in warning for warning in intake.warnings)


def test_a_guessed_key_must_tell_the_rows_apart():
    intake = taken([{"user_id": "1", "email": "a"}, {"user_id": "1", "email": "b"}])
    assert "source_key" not in intake.mapping
    assert intake.unmapped == ("user_id",)
    assert any("does not tell the rows apart" in warning for warning in intake.warnings)


# --- custom fields, raw, hashes


@pytest.mark.capability(6)
def test_what_is_not_mapped_is_kept_as_custom_fields_without_blanks():
    rows = [{"source_key": "1", "email": "a", "Shoe": "42", "Hat": " "},
            {"source_key": "2", "email": "b", "Shoe": None, "Hat": ""}]  # fmt: skip
    intake = taken(rows)
    assert intake.unmapped == ("Shoe", "Hat")
    assert intake.records["contact"]["custom"].to_list() == ['{"Shoe":"42"}', None]


HASHED = [{"source_key": "1", "first_name": "Ann", "email": "a", "Shoe": "42", "Hat": "L"}]


def test_a_hash_is_the_same_everywhere_and_always():
    assert contacts(HASHED)["content_hash"].to_list() == ["d56ee26a77a9aca8dbee3e619895fbce"]


def test_a_hash_does_not_depend_on_how_many_rows_there_are():
    many = contacts(pl.DataFrame(HASHED * 6000))["content_hash"]
    assert many.unique().to_list() == contacts(HASHED)["content_hash"].to_list()


def test_order_of_columns_and_new_empty_columns_leave_the_hash():
    first = contacts(HASHED)["content_hash"]
    [row] = HASHED
    assert contacts([dict(reversed(row.items()))])["content_hash"].equals(first)
    assert contacts([{**row, "city": "", "Coat": " "}])["content_hash"].equals(first)
    assert contacts([{**row, "source_key": "2"}])["content_hash"].equals(first)


@pytest.mark.parametrize(
    "change",
    [{"email": "b"}, {"first_name": "a", "email": "Ann"}, {"Shoe": "43"}, {"Hat": ""},
     {"is_deleted": "true"}, {"merged_into": "9"}, {"last_name": "Lee"}],
)  # fmt: skip
def test_whatever_the_record_says_anew_changes_the_hash(change):
    [row] = HASHED
    assert contacts([{**row, **change}])["content_hash"][0] != contacts([row])["content_hash"][0]


cells = st.none() | st.text(
    st.characters(exclude_categories=("Cs",)) | st.sampled_from('":,{}\\null'), max_size=12
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.fixed_dictionaries({"source_key": st.just("1"), "email": cells, 'a":null,': cells,
                                    "b\\": cells}), min_size=1, max_size=5)
)  # fmt: skip
def test_raw_and_custom_say_what_the_row_said(rows):
    frame = contacts(rows)
    for row, raw, custom in zip(rows, frame["raw"], frame["custom"], strict=True):
        assert json.loads(raw) == row
        left = {k: row[k] for k in ('a":null,', "b\\") if (row[k] or "").strip(BLANKS)}
        assert json.loads(custom or "{}") == left


#: What Unicode calls white space, as Polars strips it.
BLANKS = "".join(map(chr, [*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028,
                           0x2029, 0x202F, 0x205F, 0x3000]))  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
def test_hashes_are_equal_where_and_only_where_the_contents_are(pairs):
    rows = [
        {"source_key": str(n), "first_name": a, "last_name": b} for n, (a, b) in enumerate(pairs)
    ]
    said = [tuple(v if (v or "").strip(BLANKS) else None for v in pair) for pair in pairs]
    hashes = contacts(rows, source="s")["content_hash"].to_list()
    assert len(set(zip(said, hashes, strict=True))) == len(set(said)) == len(set(hashes))


def test_lists_stay_lists_where_the_field_holds_a_list():
    frame = pl.DataFrame({"source_key": ["1", "2"], "other_emails": [["a", "b"], []],
                          "city": [["x", "y"], None]})  # fmt: skip
    records = contacts(frame)
    assert records["other_emails"].to_list() == [["a", "b"], None]
    assert records["city"].to_list() == ["x; y", None]
    assert records["content_hash"].n_unique() == 2


def test_a_frames_hash_is_of_what_it_says():
    assert taken(PEOPLE).file_hash == taken(pl.DataFrame(PEOPLE)).file_hash
    assert taken(PEOPLE).file_hash != taken(PEOPLE[:1]).file_hash


def test_a_header_alone_gives_no_records_of_the_right_shape():
    empty = pl.DataFrame(schema={"source_key": pl.String, "email": pl.String, "x": pl.String})
    frame = contacts(empty)
    assert frame.height == 0
    assert frame.columns == ["email", *BOOKKEEPING]
    assert frame.select(BOOKKEEPING.names()).schema == BOOKKEEPING


def test_blank_rows_of_a_spreadsheet_are_no_records(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("source_key,email\n,\n1,a\n,\n,\n2,b\n,\n")
    intake = taken(path)
    assert intake.records["contact"]["row_number"].to_list() == [2, 5]
    assert any("blank rows left out: 4" in note for note in intake.notes())


def test_problems_of_reading_stay_with_their_row(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text('source_key,email\n1,a\n2,b,"c"\n3,d\n')
    intake = taken(path)
    frame = intake.records["contact"]
    assert frame["problem"].to_list() == [None, "ragged_row", None]
    assert json.loads(frame["raw"][1]) == {"source_key": "2", "email": "b", "(row)": '2,b,"c"'}
    assert any("ragged_row: 1" in note for note in intake.notes())


# --- what a source declares


def test_deletion_and_merge_by_columns_of_that_name():
    rows = [{**PEOPLE[0], "is_deleted": "True", "merged_into": "2"},
            {**PEOPLE[1], "is_deleted": "", "merged_into": ""}]  # fmt: skip
    frame = contacts(rows)
    assert frame.select("is_deleted", "merged_into", "custom").rows() == [
        (True, "2", None), (False, None, None),
    ]  # fmt: skip


def test_a_record_is_not_merged_into_itself():
    assert contacts([{**PEOPLE[0], "merged_into": "1"}])["merged_into"].to_list() == [None]


SHOP = {
    "source": "shop",
    "key": ["No"],
    "columns": {
        "email": ["Mail"],
        "street": {"join": ["Street", "House"], "separator": " "},
        "phone": ["Mobile", "Office"],
        "other_phones": {"join": ["Fax", "Desk"]},
        "other_emails": {"any_of": ["Mails"], "split": " / "},
        "email_opt_out": {"any_of": ["News"], "values": {"Off": "true"}},
        "tax_id": {"any_of": ["Tax"], "strip_prefix": ["T:"], "blank": ["0"]},
    },
    "constants": {"lead_source": "purchase"},
    "expects": ["No", "Mail"],
    "known": ["Note *"],
    "ignore": ["Counter*"],
    "skip_when": {"Test": ["yes"]},
    "deleted_when": {"State": ["gone"]},
    "merged_into": "Into",
}
SHOP_ROW = {
    "NO": "7", " mail ": "a@b.example", "Street": "Elm", "House": "1", "Mobile": "", "Office": "5",
    "Fax": "1", "Desk": "2", "Mails": "x / y", "News": " off", "Tax": "T:9", "Test": "no",
    "State": "Gone", "Into": "8", "Note 1": "n", "Counter?": "99",
}  # fmt: skip


def test_a_text_that_a_source_does_not_translate_is_left_to_the_vocabulary():
    columns = {
        "lead_source": {"any_of": ["Came by"], "values": {"W": "website"}},
        "email_opt_out": {"any_of": ["News"], "values": {"Off": "true"}},
    }
    rows = [{"Came by": "w", "News": "off"}, {"Came by": "Carrier pigeon", "News": "perhaps"}]
    records = taken(rows, source="shop", rules=with_source(source="shop", columns=columns))
    found = records.records["contact"].select("lead_source", "email_opt_out").rows()
    # what a source does not say of consent stays unknown; what it says of a channel is not lost
    assert found == [("website", "true"), ("Carrier pigeon", None)]


def test_everything_a_source_can_say_of_its_columns():
    intake = taken([SHOP_ROW], source="shop", rules=with_source(**SHOP))
    [row] = intake.records["contact"].to_dicts()
    assert {name: row[name] for name in row if name in CONTACTS and row[name]} == {
        "source_key": "7", "email": "a@b.example", "street": "Elm 1", "phone": "5",
        "other_phones": "1; 2", "other_emails": "x;y", "email_opt_out": "true", "tax_id": "9",
        "lead_source": "purchase",
    }  # fmt: skip
    assert (row["is_deleted"], row["merged_into"], row["custom"]) == (True, "8", '{"Note 1":"n"}')
    assert not intake.drift


def test_what_a_source_does_not_say_stays_unknown():
    row = {**SHOP_ROW, "News": "on", "Tax": "0", "Fax": " ", "Desk": "", "State": "here"}
    [record] = contacts([row], source="shop", rules=with_source(**SHOP)).to_dicts()
    assert record["email_opt_out"] is record["tax_id"] is record["other_phones"] is None
    assert record["is_deleted"] is False


def test_rows_that_are_no_records_are_skipped_and_counted():
    rows = [SHOP_ROW, {**SHOP_ROW, "Test": "YES"}, {**SHOP_ROW, "NO": "9"}]
    intake = taken(rows, source="shop", rules=with_source(**SHOP))
    assert intake.records["contact"].select("source_key", "row_number").rows() == [
        ("7", 1), ("9", 3),
    ]  # fmt: skip
    assert intake.skipped == 1
    assert any("skipped: 1" in warning for warning in intake.warnings)


def test_ignored_columns_do_not_make_a_record_new():
    rules = with_source(**SHOP)
    [first] = contacts([SHOP_ROW], source="shop", rules=rules)["content_hash"]
    [again] = contacts([{**SHOP_ROW, "Counter?": "1"}], source="shop", rules=rules)["content_hash"]
    assert first == again


@pytest.mark.capability(6)
def test_drift_is_told_and_stops_a_source_that_says_so():
    row = {"No": "1", "Colour": "red"}
    intake = taken([row], source="shop", rules=with_source(**SHOP), mapping={"city": "No"})
    assert (intake.drift.missing, intake.drift.unknown) == (("Mail",), ("Colour",))
    assert len([note for note in intake.notes() if "Mail" in note or "Colour" in note]) == 2
    strict = with_source(**SHOP, on_drift="fail")
    with pytest.raises(InputError, match=r"missing: Mail; .*Colour.*on_drift: fail"):
        taken([row], source="shop", rules=strict)


def test_a_name_of_ones_own_takes_the_mapping_of_the_recognised_source():
    row = {"Record ID": "1", "First Name": "Ann", "Email": "a@b.example"}
    intake = taken([row], source="hubspot_emea")
    assert (intake.source, intake.recognised) == ("hubspot_emea", "hubspot_contacts")
    assert intake.records["contact"]["source"].to_list() == ["hubspot_emea"]


def test_the_recognised_source_says_what_a_row_is():
    row = {"Record ID": "1", "Company name": "Acme", "Company owner": "Lee"}
    assert list(taken([row]).records) == ["company"]


def test_what_is_asked_for_goes_before_what_is_recognised():
    row = {"Record ID": "1", "First Name": "Ann", "Email": "a@b.example", "Company": "Acme"}
    intake = taken([row], entity="company")
    assert list(intake.records) == ["company"]
    assert any("looks like hubspot_contacts" in note for note in intake.notes())


def test_a_definition_can_be_given_itself():
    intake = taken([SHOP_ROW], source=SourceDefinition.model_validate(SHOP))
    assert intake.source == "shop"


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(["1,a", "2,b,c", "3", '4,"x', "1,a", ",z"]), max_size=10))
def test_every_row_is_a_record(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("rows") / "people.csv"
    path.write_text("source_key,email\n" + "".join(f"{line}\n" for line in lines))
    frame = contacts(path)
    assert frame["row_number"].to_list() == list(range(1, len(lines) + 1))
    assert frame["source_key"].null_count() == 0
    bad = Counter(frame["problem"].drop_nulls())
    assert bad.total() == sum(line in ("2,b,c", "3", '4,"x') for line in lines)


def test_rules_need_no_sources():
    bare = RuleSet(RULES.entities, RULES.vocabularies, {}, {})
    assert contacts(PEOPLE, rules=bare).height == 2
