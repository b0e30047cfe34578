"""Cells of two trails, whatever they are, are accounted for one by one."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cellops.pipeline.compare.cells import cell_changes
from cellops.records.cell import CellRecord
from cellops.records.run_comparison import Change
from support.journals import cell

CELLS = st.lists(
    st.tuples(
        st.sampled_from(["limit = 3", "limit = 4", "import numpy", "", "for i in range(9):\n    print(i)"]),
        st.sampled_from([None, "first", "second", "third"]),
    ),
    max_size=8,
)


def trail(cells: list[tuple[str, str | None]]) -> list[CellRecord]:
    return [
        cell(place).replace(source=source, cell_id=name, execution_count=place)
        for place, (source, name) in enumerate(cells, start=1)
    ]


@given(CELLS, CELLS)
def test_every_cell_has_one_place_in_the_comparison(
    before: list[tuple[str, str | None]], after: list[tuple[str, str | None]]
) -> None:
    found = cell_changes(trail(before), trail(after))
    counts = Counter(change.change for change in found)
    assert len(after) - len(before) == counts[Change.ADDED] - counts[Change.REMOVED]
    for places in ([change.before for change in found], [change.after for change in found]):
        held = [place for place in places if place is not None]
        assert len(held) == len(set(held))
    unchanged = len(before) - sum(change.before is not None for change in found)
    assert unchanged <= (Counter(source for source, _ in before) & Counter(source for source, _ in after)).total()
    assert all(change.lines for change in found if change.change is Change.EDITED)


@given(CELLS)
def test_a_trail_does_not_differ_from_itself(cells: list[tuple[str, str | None]]) -> None:
    assert cell_changes(trail(cells), trail(cells)) == []
