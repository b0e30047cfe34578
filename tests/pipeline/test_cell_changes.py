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


def trail(cells: list[tuple[str, str | None]], session: str = "s") -> list[CellRecord]:
    return [
        cell(place).replace(session=session, started=float(place), source=source, cell_id=name, execution_count=place)
        for place, (source, name) in enumerate(cells, start=1)
    ]


@given(CELLS, CELLS, st.sampled_from(["s", "other"]))
def test_every_cell_has_one_place_in_the_comparison(
    before: list[tuple[str, str | None]], after: list[tuple[str, str | None]], other: str
) -> None:
    found = cell_changes(trail(before), trail(after, other))
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
    assert cell_changes(trail(cells), trail(cells, "other")) == []


@given(CELLS, st.data())
def test_of_two_runs_of_one_session_only_what_one_of_them_has_is_named(
    cells: list[tuple[str, str | None]], data: st.DataObject
) -> None:
    whole = trail(cells)
    part = [record for record in whole if data.draw(st.booleans())]
    left = [f"In [{record.order}]" for record in whole if record not in part]
    assert [(change.change, change.before, change.after) for change in cell_changes(part, whole)] == [
        (Change.ADDED, None, place) for place in left
    ]
    assert [(change.change, change.before) for change in cell_changes(whole, part)] == [
        (Change.REMOVED, place) for place in left
    ]
