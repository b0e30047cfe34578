"""How fast a suite is held against a table and against single rows, beside floors and Great Expectations.

Run it as `python bench/expectations.py`; `--rows 100000` is quicker. Minimum of the repetitions.
"""

import argparse
import os
from collections.abc import Callable

import numpy as np
import pandas as pd

from cellops.data.expectations import RowChecker, check, parse, to_great_expectations
from cellops.records.contract import Suite
from timing import fastest

NUMBERS, INTEGERS, TEXTS = 30, 10, 10
Work = Callable[[], object]


def table(rows: int) -> pd.DataFrame:
    """30 columns of floats, half of them with 2 % missing values, 10 of integers and 10 of texts."""
    random = np.random.default_rng(0)
    columns: dict[str, object] = {}
    for number in range(NUMBERS):
        values = random.normal(size=rows)
        if number % 2:
            values[random.random(rows) < 0.02] = np.nan
        columns[f"n{number}"] = values
    for number in range(INTEGERS):
        columns[f"i{number}"] = random.permutation(rows) if number == 0 else random.integers(0, 1000, rows)
    names = np.array([f"AB{number}" for number in range(20)], dtype=object)
    for number in range(TEXTS):
        columns[f"t{number}"] = random.choice(names, rows)
    return pd.DataFrame(columns)


def both(frame: pd.DataFrame) -> tuple[Suite, list[Work]]:
    """Fifty expectations, and the expression of pandas for each."""
    lines: list[str] = []
    bare: list[Work] = []

    def add(line: str, work: Work) -> None:
        lines.append(line)
        bare.append(work)

    for number in range(16):
        name = f"n{number}"
        add(
            f'expect_column_values_to_be_between("{name}", -6, 6)',
            lambda s=frame[name]: (((s < -6) | (s > 6)).sum(), s.notna().sum()),
        )
    for number in range(16, 22):
        add(
            f'expect_column_values_to_not_be_null("n{number}", mostly=0.9)',
            lambda s=frame[f"n{number}"]: s.isna().sum(),
        )
    for number in range(22, 24):
        add(f'expect_column_mean_to_be_between("n{number}", -1, 1)', lambda s=frame[f"n{number}"]: s.mean())
    add('expect_column_median_to_be_between("n24", -1, 1)', lambda s=frame["n24"]: s.median())
    add('expect_column_median_to_be_between("n25", -1, 1)', lambda s=frame["n25"]: s.median())
    add('expect_column_stdev_to_be_between("n27", 0, 2)', lambda s=frame["n27"]: s.std())
    add('expect_column_min_to_be_between("n28", -9, 0)', lambda s=frame["n28"]: s.min())
    add('expect_column_max_to_be_between("n29", 0, 9)', lambda s=frame["n29"]: s.max())
    add(
        'expect_column_pair_values_a_to_be_greater_than_b("i1", "n0", mostly=0.9)',
        lambda a=frame["i1"], b=frame["n0"]: ((a <= b).sum(), (a.notna() & b.notna()).sum()),
    )
    add('expect_column_values_to_be_unique("i0")', lambda s=frame["i0"]: s.duplicated(keep=False).sum())
    for number in range(1, 7):
        add(
            f'expect_column_values_to_be_between("i{number}", 0, 999)',
            lambda s=frame[f"i{number}"]: ((s < 0) | (s > 999)).sum(),
        )
    add('expect_column_sum_to_be_between("i7", 0)', lambda s=frame["i7"]: s.sum())
    add('expect_column_unique_value_count_to_be_between("i8", 1, 1000)', lambda s=frame["i8"]: s.nunique())
    add('expect_column_values_to_be_increasing("i9", mostly=0.1)', lambda s=frame["i9"]: (s.diff() < 0).sum())
    allowed = [f"AB{number}" for number in range(20)]
    for number in range(5):
        add(
            f'expect_column_values_to_be_in_set("t{number}", {allowed})',
            lambda s=frame[f"t{number}"]: ((~s.isin(allowed) & s.notna()).sum(), s.notna().sum()),
        )
    for number in range(5, 8):
        add(
            f'expect_column_values_to_match_regex("t{number}", "^AB[0-9]+$")',
            lambda s=frame[f"t{number}"]: ((~s.str.contains("^AB[0-9]+$")).sum(), s.notna().sum()),
        )
    add(
        'expect_column_value_lengths_to_be_between("t8", 3, 4)',
        lambda s=frame["t8"]: (~s.str.len().between(3, 4)).sum(),
    )
    add('expect_column_distinct_values_to_contain_set("t9", ["AB1"])', lambda s=frame["t9"]: s.unique())
    assert len(lines) == 50, len(lines)
    return parse("bench", "\n".join(lines), {}), bare


def theirs(frame: pd.DataFrame, suite: Suite) -> Work | None:
    """The same suite in Great Expectations, with rows counted and not listed; None where it is not installed."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    try:
        import great_expectations as gx
    except ImportError:
        return None
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    expectations = gx.ExpectationSuite(**to_great_expectations(suite))
    return lambda: batch.validate(expectations, result_format="BASIC")


def rows() -> None:
    """Thirty fields and thirty expectations of six kinds, one row at a time."""
    kinds = (
        ('expect_column_values_to_be_between("{}", 0, 100)', 7),
        ('expect_column_values_to_be_between("{}", 0, 100)', 50.5),
        ('expect_column_values_to_be_in_set("{}", ["a", "b", "c"])', "b"),
        ('expect_column_values_to_not_be_null("{}")', "x"),
        ('expect_column_values_to_match_regex("{}", "^[A-Z]{{2}}$")', "UA"),
        ('expect_column_value_lengths_to_be_between("{}", 1, 5)', "abc"),
    )
    names = [f"c{number}" for number in range(30)]
    lines = [kinds[place % 6][0].format(name) for place, name in enumerate(names)]
    row = {name: kinds[place % 6][1] for place, name in enumerate(names)}
    suite = parse("rows", "\n".join(lines), {})
    checker = RowChecker(suite, names)
    columns = {name: np.array([value], dtype=object) for name, value in row.items()}
    times = 20_000
    as_dict = fastest(lambda: [checker.broken(row) for _ in range(times)], 7) / times
    listed = list(row.values())
    as_list = fastest(lambda: [checker.broken(listed) for _ in range(times)], 7) / times
    bare = fastest(lambda: [[value is None for value in listed] for _ in range(times)], 7) / times
    whole = fastest(lambda: [check(suite, columns) for _ in range(20)], 5) / 20
    print(f"thirty questions `is None` in a comprehension {bare * 1e6:.1f} us")
    print(f"a row of thirty fields that holds   dict {as_dict * 1e6:.1f} us, list {as_list * 1e6:.1f} us", end="")
    print(f"; the same through check {whole * 1e6:.0f} us, ratio {as_dict / whole:.4f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    rows()
    frame = table(given.rows)
    suite, bare = both(frame)
    assert check(suite, frame).passed
    ours = fastest(lambda: check(suite, frame), 5)
    floor = fastest(lambda: [work() for work in bare], 5)
    print(
        f"fifty expectations on {given.rows:,} x 50   ours {ours:.3f} s; bare pandas {floor:.3f} s, {ours / floor:.2f}"
    )
    work = theirs(frame, suite)
    if work is not None:
        peer = fastest(work, 1)
        print(f"the same in Great Expectations   {peer:.2f} s, {peer / ours:.0f} times ours")


if __name__ == "__main__":
    main()
