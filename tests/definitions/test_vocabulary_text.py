"""Words are written into a vocabulary's YAML, and nothing else of it changes."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.definitions import Vocabulary, default_rules_dir, with_spellings
from crm_quality.definitions.text import parse
from crm_quality.errors import DefinitionError

PAGE = """\
# Where guests come from.
vocabulary: channel   # one word
meaning: The channel.

values:
  # paid for
  paid_search:
    label: Paid search
    # asked of marketing in May
    synonyms: [PPC,   'SEM', "Google Ads"]   # as they say
  referral: [Friend]
  event:
    - Messe   # German

    - Fair
  website:
  phone: {label: Phone}
  walk_in:
    meaning: >
      Came in
      by the door.
  other: {}

catch_all: other
"""


def _values(text: str) -> dict[str, list[str]]:
    read = Vocabulary.model_validate(parse(text).tree)
    return {value: list(details.synonyms) for value, details in read.values.items()}


def _new_lines(old: str, new: str) -> list[str]:
    """Lines that are not in the old text as they are; fails where one was taken away."""
    kinds = [line for line in difflib.ndiff(old.splitlines(), new.splitlines()) if line[0] in "+-"]
    return [line[2:] for line in kinds if line[0] == "+"]


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("paid_search", "    synonyms: [PPC,   'SEM', \"Google Ads\", new word]   # as they say"),
        ("referral", "  referral: [Friend, new word]"),
        ("event", "    - new word"),
        ("website", "  website: [new word]"),
        ("phone", "  phone: {label: Phone, synonyms: [new word]}"),
        ("walk_in", "    synonyms: [new word]"),
        ("other", "  other: {synonyms: [new word]}"),
    ],
)
def test_a_synonym_is_written_in_the_form_that_its_value_has(value, line):
    written = with_spellings(PAGE, {value: ["new word"]})

    assert _new_lines(PAGE, written) == [line]
    assert _values(written)[value][-1] == "new word"


def test_a_new_value_comes_last_among_the_values():
    written = with_spellings(PAGE, {"podcast": ["Pod"]}, {"podcast": "Podcast", "fax": ""})

    assert _new_lines(PAGE, written) == [
        "  podcast: {label: Podcast, synonyms: [Pod]}",
        "  fax: {}",
    ]


def test_every_value_at_once_leaves_every_comment_where_it_was():
    words = {value: ["new word for", value] for value in _values(PAGE)}

    written = with_spellings(PAGE, words, {"podcast": ""})

    comments = [line.partition("#")[2] for line in PAGE.splitlines() if "#" in line]
    assert [line.partition("#")[2] for line in written.splitlines() if "#" in line] == comments
    assert all(_values(written)[value][-2:] == words[value] for value in words)


def test_line_ends_of_windows_stay():
    written = with_spellings(PAGE.replace("\n", "\r\n"), {"event": ["Expo"]}, {"fax": ""})

    assert written.replace("\r\n", "\n") == with_spellings(PAGE, {"event": ["Expo"]}, {"fax": ""})
    assert "\n" not in written.replace("\r\n", "")


def test_a_text_without_a_last_line_end_gets_one_where_it_needs_it():
    written = with_spellings("vocabulary: v\nvalues:\n  web: {}", {}, {"fax": ""})

    assert written == "vocabulary: v\nvalues:\n  web: {}\n  fax: {}\n"


def test_a_list_that_grows_too_long_goes_on_below_its_first_word():
    words = [f"spelling number {number}" for number in range(9)]
    text = "vocabulary: v\nvalues:\n  web: {synonyms: [first]}\n"

    lines = with_spellings(text, {"web": words}).splitlines()

    assert max(map(len, lines)) <= 120
    assert lines[-1].startswith(" " * 19 + "spelling")


def test_a_list_that_two_values_share_is_parted():
    text = (
        "vocabulary: v\nvalues:\n"
        "  a: &words [x]\n  b: {label: B}  # kept\n  c: {synonyms: *words}\n"
    )

    written = with_spellings(text, {"c": ["y"]})

    assert _values(written) == {"a": ["x"], "b": [], "c": ["x", "y"]}
    assert "# kept" in written


def test_what_is_no_yaml_is_told_with_its_place():
    with pytest.raises(DefinitionError, match=":2:"):
        with_spellings("vocabulary: [\nvalues: {", {"a": ["b"]})


SHIPPED = [
    file
    for file in sorted((default_rules_dir() / "vocabularies").iterdir())
    if file.name != "country.yml"  # much of the same form, which takes long to read
]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_each_shipped_vocabulary_takes_a_word_for_each_value_and_loses_no_line(file):
    text = file.read_text(encoding="utf-8")
    values = list(_values(text))

    written = with_spellings(text, {value: [f"zz {value}"] for value in values})

    assert all(_values(written)[value][-1] == f"zz {value}" for value in values)
    # a word is put in; nothing is taken out
    left = iter(written)
    assert all(char in left for char in text)


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda word: word.strip() == word
)


@given(st.lists(words, min_size=1, max_size=4), st.sampled_from(list(_values(PAGE))))
def test_any_word_is_read_back_as_it_was_written(texts, value):
    written = with_spellings(PAGE, {value: texts})

    assert _values(written) == {
        name: [*listed, *(texts if name == value else ())]
        for name, listed in _values(PAGE).items()
    }  # fmt: skip


@given(words.filter(lambda word: word not in _values(PAGE)), words)
def test_any_value_is_read_back_as_it_was_written(value, label):
    read = Vocabulary.model_validate(parse(with_spellings(PAGE, {}, {value: label})).tree)

    assert read.values[value].label == label
