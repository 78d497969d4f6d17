"""The quick way of writing a body gives the very bytes of RFC 8785."""

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from troth.ledger.bodies import canonical_body
from troth.ledger.guard import plain

words = st.from_regex(r"@?[a-z]{1,8}(?:[_./-][a-z]{1,8}){0,2}", fullmatch=True)
numbers = st.integers(-999_999_999, 999_999_999) | st.floats(-1e8, 1e8, allow_nan=False)
single = st.none() | st.booleans() | numbers | words
bodies = st.dictionaries(
    words, st.recursive(single, lambda inner: st.lists(inner) | st.dictionaries(words, inner), max_leaves=8)
)


@given(bodies)
def test_a_body_is_written_as_rfc_8785_says(body: dict[str, object]) -> None:
    checked = plain(body)
    assert canonical_body(checked) == rfc8785.dumps(checked).decode()
