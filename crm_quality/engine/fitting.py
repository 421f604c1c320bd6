"""The store has what the rules speak of: tables of every entity, and the views of the CRM model."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from crm_quality.crm import declare_process, make_views
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
    if fitted_for(store) == rules.fingerprint:
        return
    usual = usual_rules().entities
    for name, definition in rules.entities.items():
        base = usual[name].columns if name in usual else {}
        fit_tables(store, definition, {**base, **definition.columns}, retype=None)
    declare_process(store, rules)
    make_views(store, rules.entities)
    make_value_views(store, [one.entity for one in rules.entities.values() if one.is_customer])
    mark_fitted(store, rules.fingerprint)
