"""Ids, revisions and sequences that come as text."""

import pytest

from ownership.history.models import whole_number


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("41", 41), ("007", 7), ("9" * 18, 10**18 - 1)]
)
def test_digits_are_a_number(text, number):
    assert whole_number(text) == number


@pytest.mark.parametrize(
    "text", [None, "", " 1", "1\n", "-1", "1.0", "1_000", "\u00b2", "\u0661", "x", "9" * 19]
)
def test_text_that_is_not_an_id_gives_none(text):
    assert whole_number(text) is None
