"""`cellops profile` at the terminal and `%mlops profile` in a notebook."""

from pathlib import Path

import pandas as pd
from click.testing import CliRunner

from cellops.cli.verbs import terminal
from cellops.errors import CellopsError
from support.kernel import Kernel


def run(*arguments: str) -> str:
    done = CliRunner().invoke(terminal, ["profile", *arguments])
    if done.exception is not None and not isinstance(done.exception, CellopsError | SystemExit):
        raise done.exception
    return done.output if done.exception is None else str(done.exception)


def test_a_terminal_gets_a_line_for_each_column(project: Path) -> None:
    table = pd.DataFrame({"hour": [5, 6, None, 6], "carrier": ["UA", "UA", "UA", "[red]"], "mixed": [1, "a", 2, 3]})
    table[["hour", "carrier"]].to_parquet("flights.parquet")
    lines = run("flights.parquet", "--correlations", "-o", "flights.profile").splitlines()

    assert lines[0] == "flights.parquet: 4 rows x 2 columns"
    hour, carrier = lines[2].split(), lines[3].split(None, 4)
    assert hour == ["hour", "number", "25", "%", "2", "5", "6", "6", "▄█"]
    assert carrier[:4] == ["carrier", "category", "0", "%"]
    assert carrier[4].split(None, 1)[1].strip() == "UA 75 %, [red] 25 %"
    assert lines[4] == "No two columns of numbers vary together."
    assert lines[-1] == "Saved: flights.profile"
    assert run("flights.profile", "flights.parquet").startswith("flights.profile, flights.parquet: 8 rows x 2 columns")


def test_findings_stand_below(project: Path) -> None:
    Path("late.csv").write_text("delay,gone\n" + "1,\n" * 3)

    assert "warning column gone: all its values are missing" in run("late.csv")


def test_a_file_that_is_not_there_is_named(project: Path) -> None:
    assert "There is no file nowhere.parquet" in run("nowhere.parquet")


def test_a_notebook_gets_a_picture_of_a_frame_by_its_name(project: Path, loaded: Kernel) -> None:
    loaded.run("import pandas as pd\nflights = pd.DataFrame({'hour': [5, 6, None]})")
    done = loaded.run("%mlops profile flights -o flights.profile")

    assert done.status == "ok", done.traceback
    assert "Saved: flights.profile" in done.streams
    assert (project / "flights.profile").exists()
    assert any('class="cellops-profile"' in str(shown) for shown in done.displays)
    assert "Did you mean flights?" in loaded.run("%mlops profile flight").traceback
