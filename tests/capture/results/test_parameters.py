"""Literals as parameters: the same text in each process."""

import pytest

from cellops.capture.results.results import values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"num": {"beta", "alpha"}}, "{'num': {'alpha', 'beta'}}"),
        ({"a": [{2, 1}, (3,)], "b": set()}, "{'a': [{1, 2}, (3,)], 'b': set()}"),
        ([{"y", "x"}], "[{'x', 'y'}]"),
    ],
)
def test_sets_inside_of_literals_are_written_in_one_order(value: object, text: str) -> None:
    assert values(["held"], {"held": value}) == {"held": text}
