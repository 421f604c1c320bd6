"""Generated contacts, cleaned by a run, and the model that it learnt of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crm_quality import default_rules
from crm_quality.match import MatchModel
from crm_quality.store.landing import current_records
from crm_quality.store.matching import model_in_use

if TYPE_CHECKING:
    import polars as pl


@pytest.fixture(scope="session")
def contact():
    return default_rules().entity("contact")


@pytest.fixture(scope="session")
def contacts(stocked) -> pl.DataFrame:
    """Some 2,500 records of 1,750 people, standardised, with ``record_id``."""
    with stocked.store() as store:
        return current_records(store, "contact").sort("record_id")


@pytest.fixture(scope="session")
def model(stocked):
    with stocked.store() as store:
        return MatchModel.from_json(model_in_use(store, "contact"))
