from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from dashboard.scope import FILTERS, RANGES, Scope, query_of, scope_of, to_store

scopes = st.builds(
    Scope,
    environment=st.text(min_size=1, max_size=32),
    range=st.sampled_from(list(RANGES)),
    filters=st.dictionaries(st.sampled_from(FILTERS), st.text(min_size=1, max_size=256)),
)


@given(scopes)
def test_a_view_survives_its_own_address(scope: Scope) -> None:
    query = dict(parse_qsl(query_of(scope).lstrip("?"), keep_blank_values=True))
    assert scope_of(query) == scope


@given(scopes)
def test_a_view_survives_the_page_store(scope: Scope) -> None:
    assert scope_of(to_store(scope)) == scope


def test_the_plain_view_has_a_plain_address() -> None:
    assert query_of(Scope()) == ""


def test_what_an_address_says_wrongly_falls_back() -> None:
    scope = scope_of({"range": "3y", "environment": "", "unknown": "x", "source": "s" * 5000})
    assert scope == Scope(filters={"source": "s" * 256})


def test_clearing_a_filter_takes_it_out_of_the_address() -> None:
    assert query_of(Scope().with_filters(source="orum").with_filters(source=None)) == ""
