from __future__ import annotations

import random

import polars as pl
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm_quality.standardise.email import standardise_emails, suggested_emails, valid_emails


def read(*texts: str | None) -> list[tuple[str | None, str | None, list[str] | None]]:
    return standardise_emails(pl.Series(texts, dtype=pl.String)).rows()


def by_library(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


def lower(texts: list[str]) -> list[str]:
    return pl.Series(texts, dtype=pl.String).str.to_lowercase().to_list()


@pytest.mark.parametrize(
    ("text", "address", "note"),
    [
        ("Ann@X.com", "ann@x.com", None),
        ("info@müller.de", "info@müller.de", None),
        ("info@xn--mller-kva.de", "info@müller.de", None),
        ("o'neil+news@x.co.uk", "o'neil+news@x.co.uk", None),
        ("mailto:a@acme.com", "a@acme.com", "repaired"),
        ("mailto:a@acme.com?subject=hi", "a@acme.com", "repaired"),
        ("Ann <ann@acme.com>", "ann@acme.com", "repaired"),
        ("<ann@acme.com>", "ann@acme.com", "repaired"),
        ("ann@acme.com.", "ann@acme.com", "repaired"),
        ("ann@acme.com (work)", "ann@acme.com", "repaired"),
        ("john@gmail,com", "john@gmail.com", "repaired"),
        ("john @ gmail.com", "john@gmail.com", "repaired"),
        ("john@gmail .com", "john@gmail.com", "repaired"),
        ("john@@gmail.com", "john@gmail.com", "repaired"),
        ("john@gmail..com", "john@gmail.com", "repaired"),
        ("john (at) acme.com", "john@acme.com", "repaired"),
        ("john at x.com", None, "invalid"),
        ("john smith@gmail.com", None, "invalid"),
        ("acme.com", None, "invalid"),
        ("a@localhost", None, "invalid"),
        ("test@test.com", None, "placeholder"),
        ("noemail@acme.com", None, "placeholder"),
        ("none@none.com", None, "placeholder"),
        ("example@example.com", None, "placeholder"),
        ("a@a.com", None, "placeholder"),
        ("no-reply@acme.com", None, "placeholder"),
        ("john.doe@example.com", "john.doe@example.com", None),
        ("a@gmial.com", "a@gmial.com", "doubtful"),
        ("a@acme.con", "a@acme.con", "doubtful"),
        ("a@mail.com", "a@mail.com", None),
        (None, None, None),
    ],
)
def test_one_address(text: str | None, address: str | None, note: str | None) -> None:
    assert read(text) == [(address, note, None)]


@pytest.mark.parametrize(
    "text",
    [
        "a@acme.com; b@acme.com",
        "a@acme.com,b@acme.com",
        "a@acme.com b@acme.com",
        "a@acme.com/b@acme.com",
        "a@acme.com or b@acme.com",
        "Ann <a@acme.com>, Bob <b@acme.com>",
        "a@acme.com; b@acme.com; a@acme.com; rubbish",
    ],
)
def test_further_addresses_of_a_cell_are_kept_apart(text: str) -> None:
    assert read(text) == [("a@acme.com", "repaired", ["b@acme.com"])]


def test_a_dummy_gives_way_to_the_real_address_beside_it() -> None:
    assert read("test@test.com; ann@acme.com") == [("ann@acme.com", "repaired", None)]


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("john at x.com", "john@x.com"),
        ("john at acme dot com", "john@acme.com"),
        ("a@gmial.com", "a@gmail.com"),
        ("a@acme.con", "a@acme.com"),
        ("anna..b@acme.com", "anna.b@acme.com"),
        ("leslieyahoo.com", "leslie@yahoo.com"),
        ("ann@gmailcom", "ann@gmail.com"),
        ("ann@acme.com", None),
        ("rubbish", None),
    ],
)
def test_suggestion(text: str, suggestion: str | None) -> None:
    assert suggested_emails(pl.Series([text])).to_list() == [suggestion]


PIECES = [
    *"aZ0.-_+@'\" ,;:<>()[]\\!#$%&*/=?^`{|}~é中\u0301\u200d\u00ad.@..--",
    "xn--",
    "xn--mller-kva",
    "ab--c",
    "com",
    "de",
    "test",
    "local",
    "localhost",
    "invalid",
    "müller",
    "straße",
    "İ",
    "K",
    "gmail.com",
    "x" * 30,
    "y" * 70,
    "1",
    "..",
]
addresses = st.builds(
    "{}@{}".format,
    st.lists(st.sampled_from(PIECES), max_size=4).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=5).map("".join),
)
LABELS = st.from_regex(r"[a-z0-9-]{1,6}", fullmatch=True)
likely = st.builds(
    "{}@{}.{}".format,
    st.from_regex(r"[a-zA-Z0-9._%+'-]{1,12}", fullmatch=True),
    st.lists(LABELS, min_size=1, max_size=3).map(".".join),
    st.sampled_from(["com", "de", "co.uk", "test", "c0m", "x", "local", "1", "a-", "com1"]),
)


@settings(max_examples=60)
@given(st.lists(addresses | likely | st.text(max_size=20), min_size=1, max_size=60))
@example(["a@b.test", "a@arpa", "a@b.arpa", "@", "a@", "@b.com", "a@b.c", "a@-b.com", "a@b-.com"])
def test_valid_addresses_are_those_of_email_validator(texts: list[str]) -> None:
    assert valid_emails(pl.Series(texts)).to_list() == [by_library(text) for text in lower(texts)]


def corpus() -> list[str]:
    """Addresses of every shape, each character in each place, and typical damage."""
    characters = [chr(code) for code in [*range(1, 0x250), 0xFF0E, 0x3002, 0x1F600, 0x5D0]]
    texts = [
        text
        for char in characters
        for text in (
            f"{char}nn@acme.com",
            f"an{char}n@acme.com",
            f"ann{char}@acme.com",
            f"ann@{char}acme.com",
            f"ann@ac{char}me.com",
            f"ann@acme{char}.com",
            f"ann@acme.co{char}",
        )
    ]
    texts += [f"{'a' * size}@acme.com" for size in range(50, 80)]
    texts += [f"ann@{'a' * size}.com" for size in range(50, 80)]
    texts += [f"ann@{'ab.' * size}com" for size in range(70, 90)]
    generator = random.Random(20240315)  # noqa: S311 - a seed, no secret
    parts = ["ann", "o'neil", "J.R", "x_y", "a+b", "info", "müller", "4711", "a..b", ".a", "a."]
    hosts = [
        "gmail",
        "acme-corp",
        "mail.acme",
        "xn--mller-kva",
        "a--b",
        "ab--cd",
        "müller",
        "1",
        "-a",
    ]
    ends = ["com", "de", "co.uk", "museum", "xn--p1ai", "test", "local", "c", "123", "com.", "COM"]
    for _ in range(30_000):
        text = f"{generator.choice(parts)}{generator.randint(0, 99)}@"
        text += f"{generator.choice(hosts)}.{generator.choice(ends)}"
        if generator.random() < 0.5:
            place = generator.randrange(len(text))
            damage = generator.choice([*characters[:96], ""])
            text = text[:place] + damage + text[place + generator.randint(0, 1) :]
        texts.append(text)
    return texts


def test_a_large_mixed_corpus_reads_as_with_email_validator() -> None:
    texts = sorted(set(corpus()))
    differing = [
        (text, ours, theirs)
        for text, ours in zip(lower(texts), valid_emails(pl.Series(texts)), strict=True)
        if ours != (theirs := by_library(text))
    ]
    assert len(texts) > 20_000
    assert differing == []


@given(st.lists(addresses | likely, min_size=1, max_size=30))
def test_a_canonical_address_stays_as_it_is(texts: list[str]) -> None:
    once = standardise_emails(pl.Series(texts))["value"]
    twice = standardise_emails(once)
    assert twice["value"].to_list() == once.to_list()
