"""Schedules: what all targets read alike is taken, all else is told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.errors import UsageError
from cellops.pipeline.export.schedule import FIELDS, check


@pytest.mark.parametrize(
    "text",
    ["0 6 * * 1", "*/15 0-6,22-23 1,15 */2 MON-FRI", "59 23 31 12 0", "0 0 29 2 *", "0 0 31 2 1", "0-30/10 * * * SUN"],
)
def test_five_fields_are_taken(text: str) -> None:
    assert check(text) == text
    assert check(f"  {text.lower()} ".replace(" ", "  ")) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 6 * *", "has five fields, and '0 6 * *' has 4"),
        ("@daily", "has 1"),
        ("60 6 * * 1", "The minute '60' of the schedule '60 6 * * 1' is not within 0 to 59"),
        ("0 24 * * *", "The hour '24'"),
        ("0 6 0 * *", "The day of the month '0'"),
        ("0 6 * 13 *", "is not within 1 to 12 or JAN to DEC"),
        ("0 6 * * 7", "is not within 0 to 6 or SUN to SAT"),
        ("0 6 * * L", "The day of the week 'L'"),
        ("0 6 ? * *", "The day of the month '?' of the schedule '0 6 ? * *' is no number, range or *"),
        ("*/0 6 * * *", "has a step of 0"),
        ("5/10 6 * * *", "has a step and no range"),
        ("30-10 6 * * *", "ends before it begins"),
        ("1,,2 6 * * *", "The minute ''"),
        ("0 0 30 2 *", "never comes: no month of it has a day 30"),
        ("0 6 * * MON; rm -rf /", "has 8"),
        ("٣ 6 * * *", "The minute"),
        ("", "has 0"),
    ],
)
def test_all_else_is_told_with_its_field(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        check(text)
    assert "Mondays at 6:00" in caught.value.remedy


@given(st.text(max_size=30) | st.text("0123456789*/,- MONSUNJAN?#L%\n", max_size=30))
def test_whatever_is_typed_is_taken_or_told(text: str) -> None:
    try:
        taken = check(text)
    except UsageError:
        return
    assert re.fullmatch(r"[0-9A-Z*/,-]+( [0-9A-Z*/,-]+){4}", taken)


@given(st.tuples(*(st.integers(field.lowest, field.highest) for field in FIELDS[:2])))
def test_every_time_of_the_day_can_be_asked_for(at: tuple[int, int]) -> None:
    assert check(f"{at[0]} {at[1]} * * *") == f"{at[0]} {at[1]} * * *"
