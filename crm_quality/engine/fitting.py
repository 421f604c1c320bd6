"""The store has what the rules speak of: tables of every entity, and the views of the CRM model."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

from crm_quality.crm import declare_process, make_views, view_files
from crm_quality.definitions import default_rules
from crm_quality.store.fitted import fitted_for, mark_fitted
from crm_quality.store.tables import fit_tables
from crm_quality.store.value_views import make_value_views

if TYPE_CHECKING:
    from crm_quality.definitions import RuleSet
    from crm_quality.store import Store


@cache
def usual_rules() -> RuleSet:
    """The rules of the default pack, read once."""
    return default_rules()


def fit_store(store: Store, rules: RuleSet) -> None:
    """Make tables, columns and views that are missing; types are left as they are.

    An entity of the default pack keeps all its columns, whatever fields a project has taken out of
    its own rules, since the views of the CRM model read them. A store that was fitted to the same
    rules is left alone.

    Args:
        store: Inside a transaction.
        rules: The project's rules.
    """
    mark = f"{_views_digest()} {rules.fingerprint}"
    if fitted_for(store) == mark:
        return
    usual = usual_rules().entities
    for name, definition in rules.entities.items():
        base = usual[name].columns if name in usual else {}
        fit_tables(store, definition, {**base, **definition.columns}, retype=None)
    declare_process(store, rules)
    make_views(store, rules.entities)
    make_value_views(store, [one.entity for one in rules.entities.values() if one.is_customer])
    mark_fitted(store, mark)


def is_fitted(store: Store) -> bool:
    """Whether this version has fitted the store, to whatever rules."""
    return (fitted_for(store) or "").startswith(_views_digest())


@cache
def _views_digest() -> str:
    """SHA-256 of the views of this version, so that a view that reads otherwise is made again."""
    texts = "".join(f"{name}\n{text}" for name, _, text in view_files())
    return hashlib.sha256(texts.encode()).hexdigest()
