"""One plain name has the features that it has in a frame."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from crm_quality import default_rules
from crm_quality.match.names import PARTICLES, given_name_features, surname_features
from crm_quality.match.one_name import GIVEN, SURNAME, given_name_cells, is_plain, surname_cells

NICKNAMES = default_rules().entity("contact").matching.nicknames
NAMES = st.text(alphabet="abcdefghiklmnoprstuvwxyzABCGHKMPTX '.-", max_size=14)
KNOWN = st.sampled_from(["Bob", "Basti", "MacGhee", "O'Neill", "Anna-Lena", "Schultz", "Wright"])
WITH_PARTICLES = st.tuples(st.sampled_from(PARTICLES), KNOWN).map(" ".join)


@given(st.lists(NAMES | KNOWN | WITH_PARTICLES, min_size=1, max_size=20))
def test_a_plain_name_has_the_same_features_alone_and_in_a_frame(names):
    plain = [name for name in names if is_plain(name)]
    column = pl.Series(plain, dtype=pl.String)
    given_names = [given_name_cells(name, NICKNAMES) for name in plain]
    surnames = [surname_cells(name) for name in plain]
    wanted = given_name_features(column, NICKNAMES).select(*GIVEN)
    assert pl.DataFrame(given_names, schema=GIVEN).equals(wanted)
    assert pl.DataFrame(surnames, schema=SURNAME).equals(surname_features(column).select(*SURNAME))


def test_names_of_other_letters_are_left_to_the_frame():
    assert not any(map(is_plain, ["Юлия", "Jürgen", "R2", "", " ann", "x" * 200]))
