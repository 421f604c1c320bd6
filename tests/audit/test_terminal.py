from __future__ import annotations

import io

from rich.console import Console

from crm_quality.audit import render_terminal


def printed(card, width=100):
    console = Console(file=io.StringIO(), width=width)
    render_terminal(card, console)
    return console.file.getvalue()


def test_one_screen_says_what_matters(shop):
    said = printed(shop.card())
    assert "3 customers stand behind 4 records." in said
    assert "Completeness" in said
    assert "contact.email.invalid" in said
    assert "personal values masked" in said
    assert len(said.splitlines()) < 45


def test_no_line_is_wider_than_the_terminal(shop):
    assert max(map(len, printed(shop.card(), 80).splitlines())) <= 80


def test_targets_are_told(shop):
    said = printed(shop.card(targets={"contact.uniqueness": 90, "contact.integrity": 90}))
    assert "missed" in said
    assert "met" in said


def test_an_empty_store_says_what_to_do(stock):
    assert "crmq run" in printed(stock.card())
