"""Headers that cannot be read are refused before a kernel starts, all at once, each with its cell."""

import nbformat
import pytest

from cellops.errors import UnfitError
from cellops.pipeline.header_check import check_headers


def notebook(*sources: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("%%mlops rnu\nx = 1", "Cell 2: %%mlops rnu: no cell has this verb. Write %%mlops run"),
        ("%%mlops\nx = 1", "Cell 2: %%mlops names no verb: it would show its help, and nothing of the cell would run"),
        ("%%mlops frobnicate", "The verbs are run, parameters, step, features, expect"),
        ("%%mlops run --sed 5", "Cell 2: No such option '--sed'. Did you mean '--seed'? See: %%mlops run --help"),
        ("%%mlops run --seed", "Cell 2: Option '--seed' requires an argument. See: %%mlops run --help"),
        ("%%mlops run --seed {seed}", "Cell 2: Invalid value for '--seed': '{seed}' is not a valid integer"),
        ("%%mlops run a --name b", "The run has two names, b and a"),
        ("%%mlops run --train X", "does not name two tables"),
        ('%%mlops run --name "open', "Cell 2: The line cannot be read: no closing quotation"),
        ('%%mlops run --gate "aux >"', "Cell 2: The gate 'aux >' is wrong at character 6"),
        ("%%mlops step", "Missing argument 'NAME'. See: %%mlops step --help"),
        ("%%mlops step fit --timeout soon", "Invalid value for '--timeout'"),
        ("%%mlops step fit\n%%mlops run --sed 1", "No such option '--sed'"),
        ("%%mlops parameters --all", "No such option '--all'. See: %%mlops parameters --help"),
        ("%%mlops expect", "Missing argument 'TABLE'"),
        ("%%time\n%%mlops run --sed 5", "No such option '--sed'"),
    ],
)
def test_a_wrong_header_is_named_with_its_cell(source: str, said: str) -> None:
    with pytest.raises(UnfitError) as caught:
        check_headers(notebook("x = 1", source))
    assert said in str(caught.value)
    assert caught.value.data["cell_index"] == 1


@pytest.mark.parametrize(
    "source",
    [
        "%%mlops run NAME --seed 5 --train X,y --no-model # as usual\nx = 1",
        "%%mlops run --name {name}",
        "%%mlops run --help",
        "%%mlops",
        "%%mlops expect {table} more",
        "%%mlops expect $table more",
        "x = '%%mlops rnu'",
        "%%writefile other.py\n%%mlops rnu",
    ],
)
def test_what_can_be_read_or_is_none_passes(source: str) -> None:
    check_headers(notebook(source))


def test_all_are_told_at_once() -> None:
    with pytest.raises(UnfitError) as caught:
        check_headers(notebook("%%mlops run --sed 5", "%%mlops step a b", "%%mlops rnu", "%%mlops run"))
    assert [error.data["cell_index"] for error in caught.value.data["errors"]] == [0, 1, 2]
    assert [line[:9] for line in caught.value.lines()[1:-1]] == ["- Cell 1:", "- Cell 2:", "- Cell 3:"]
