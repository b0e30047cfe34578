"""The folder of a batch under way: nobody else's files are touched for it, and nothing in it stops a batch for good."""

from pathlib import Path

import pytest

from cellops.errors import OutputError, UsageError
from support.batches import batch, stopping_after, table


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    table(300).to_csv(tmp_path / "in.csv", index=False)
    return tmp_path / "in.csv"


def stopped(rows: Path, output: Path) -> Path:
    """The folder of a batch that was killed."""
    with pytest.raises(KeyboardInterrupt):
        batch(rows, output, perform=stopping_after(2, KeyboardInterrupt()))
    return output.with_name(f"{output.name}.parts")


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_somebody_else_is_left_alone(force: bool, rows: Path, tmp_path: Path) -> None:
    own = tmp_path / "out.csv.parts"
    own.mkdir()
    (own / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"is no folder of a batch, and holds notes\.txt"):
        batch(rows, tmp_path / "out.csv", force=force)
    elsewhere, linked = tmp_path / "elsewhere", tmp_path / "linked.csv.parts"
    own.rename(elsewhere)
    linked.symlink_to(elsewhere)
    with pytest.raises(UsageError, match="is no folder of a batch"):
        batch(rows, tmp_path / "linked.csv", force=force)
    assert (elsewhere / "notes.txt").read_text() == "mine"


def test_a_file_where_the_folder_would_be_is_refused(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "out.csv.parts").touch()
    with pytest.raises(UsageError, match="is no folder of a batch"):
        batch(rows, tmp_path / "out.csv")


def test_a_plan_that_is_damaged_can_be_begun_anew(rows: Path, tmp_path: Path) -> None:
    (stopped(rows, tmp_path / "out.csv") / "batch.json").write_bytes(b'{"version"')
    with pytest.raises(UsageError, match=r"batch\.json is damaged"):
        batch(rows, tmp_path / "out.csv", resume=True)
    assert batch(rows, tmp_path / "out.csv", force=True).resumed == 0


def test_what_is_left_of_a_batch_killed_while_it_cleaned_up_is_no_hindrance(rows: Path, tmp_path: Path) -> None:
    (stopped(rows, tmp_path / "out.csv") / "batch.json").unlink()
    assert batch(rows, tmp_path / "out.csv").resumed == 0


def test_a_batch_that_came_to_its_end_meanwhile_is_not_gone_on_with(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stopped(rows, tmp_path / "out.csv")
    begin = Path.mkdir

    def end_first(path: Path, *args: object, **more: object) -> None:
        if path == folder:
            monkeypatch.undo()
            batch(rows, tmp_path / "out.csv", resume=True)
        begin(path, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", end_first)
    with pytest.raises(OutputError, match="Another process scores"):
        batch(rows, tmp_path / "out.csv", resume=True)
