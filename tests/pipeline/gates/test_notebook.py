"""What a notebook's source says of its gates and metrics, before a kernel starts."""

import nbformat

from cellops.pipeline.gates.notebook import computed_by_runs, gates_of_runs


def notebook(*sources: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


def test_gates_stand_in_headers_of_runs() -> None:
    found = notebook(
        '%%mlops run --gate "auc >= 0.7" --name x --gate=loss<1\nauc = f()',
        '%%mlops run --gate "not closed\nx = 1',
        '%%mlops parameters --gate "no > 1"',
        '# %%mlops run --gate "comment > 1"',
    )
    assert gates_of_runs(found) == ((0, "auc >= 0.7"), (0, "loss<1"))


def test_run_cells_compute_the_names_that_can_be_metrics() -> None:
    found = notebook(
        "other = f()", "%%mlops run\nauc, loss = f()\nlimit = 3\n_hidden = f()", "%%mlops run\nscores = {'a': f()}"
    )
    assert computed_by_runs(found) == ("auc", "loss", "scores")


def test_where_names_are_bound_unseen_nothing_is_said() -> None:
    assert computed_by_runs(notebook("auc = f()")) is None
    assert computed_by_runs(notebook("%%mlops run\nexec(text)")) is None
    assert computed_by_runs(notebook("%%mlops run\nfrom module import *")) is None
    assert computed_by_runs(notebook("%%mlops run\n!ls\nauc = f()")) is None
