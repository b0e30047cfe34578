"""Recorded cells as plain ones, and states of generators as plain code puts them back."""

# ruff: noqa: NPY002 - the shared generator of numpy is what is put back

import json
import random
from pathlib import Path

import numpy as np
import pytest
from xxhash import xxh3_128_hexdigest

from cellops.capture.randomness import rng
from cellops.pipeline.restore.plain import plain, seed
from cellops.pipeline.restore.standalone import restored_check_data, restored_put_back, restored_seed
from cellops.records.cell import CellRecord, Outcome
from support.journals import cell


def recorded(source: str, verb: str | None = None, outcome: Outcome = Outcome.OK) -> CellRecord:
    return cell().replace(source=source, verb=verb, outcome=outcome)


@pytest.mark.parametrize(
    ("verb", "source", "expected"),
    [
        (None, "limit = 3", "limit = 3"),
        ("run", "%%mlops run --seed 7\nx = 1", "# %%mlops run --seed 7\nx = 1"),
        ("parameters", "\n%%mlops parameters\nx: int = 1", "\n# %%mlops parameters\nx: int = 1"),
        ("run", "%%mlops run\n\n# why\n%%time\nx = 1", "%%time\nx = 1"),
        ("run", "  %%mlops run\n  x = 1\n", "# %%mlops run\nx = 1\n"),
        ("run", "%%time\n%%mlops run\nx = 1", "%%time\n# %%mlops run\nx = 1"),
        (
            "features",
            "%%mlops features f\ndef a(row): return 1",
            "# %%mlops features f\ndef a(row): return 1\nfrom cellops import features as f; f = f(a, name='f')\n",
        ),
        ("expect", "%%mlops expect rows\nfoo(1)\nbar(2)", "# %%mlops expect rows\n# foo(1)\n# bar(2)"),
        (None, "%%mlops run --sed 7\nx = 1", "# %%mlops run --sed 7\n# x = 1"),
        (None, "%mlops runs\nx = 1", "# %mlops runs\nx = 1"),
        (
            None,
            "x = 1\n%mlops execute a.ipynb \\\n  -p seed 7\ny = 2",
            "x = 1\n# %mlops execute a.ipynb \\\n# -p seed 7\ny = 2",
        ),
        (None, "for i in x:\n    %mlops runs", "for i in x:\n    pass  # %mlops runs"),
        (None, "a, b = %mlops runs", "a, b = None  # %mlops runs"),
        (None, "%load_ext cellops\n%reload_ext cellops", "# %load_ext cellops\n# %reload_ext cellops"),
        (None, "%load_ext autoreload", "%load_ext autoreload"),
        (None, "x = '''\n%mlops runs\n'''\n%mlops runs", "x = '''\n%mlops runs\n'''\n# %mlops runs"),
        (None, "x = f'''{1}\n%mlops runs\n'''", "x = f'''{1}\n%mlops runs\n'''"),
        (None, "!ls\nx = '''\n%mlops runs'''", "!ls\nx = '''\n%mlops runs'''"),
        (None, "%%bash\n%mlops runs", "%%bash\n%mlops runs"),
        (None, "x = 7 %mlops", "x = 7 %mlops"),
    ],
)
def test_what_only_cellops_understands_becomes_comments(verb: str | None, source: str, expected: str) -> None:
    assert plain(recorded(source, verb)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("%%mlops run --name 'a --seed 3' --seed 7", 7),
        ("%%mlops run --seed=7 --seed=8", 8),
        ("%%time\n%%mlops run --seed 7  # the first", 7),
        ("%%mlops run --name seed", None),
    ],
)
def test_the_seed_of_a_header_is_read_as_the_magic_reads_it(source: str, expected: int | None) -> None:
    assert seed(recorded(source, "run")) == expected
    assert seed(recorded(source)) is None


def test_states_are_put_back_by_plain_code() -> None:
    with rng.preserved():
        random.gauss(0, 1)
        np.random.normal()
        shared = rng.shared()
        states = {name: json.loads(rng.capture_state(shared[name]) or "") for name in ("python", "numpy")}
        drawn = [random.gauss(0, 1), random.random(), *np.random.normal(size=3)]
        restored_put_back(json.loads(json.dumps(states)))
        assert drawn == [random.gauss(0, 1), random.random(), *np.random.normal(size=3)]
        with pytest.raises(ValueError, match="the state of python cannot be read"):
            restored_put_back({"python": {"unknown": 1}})


def test_plain_code_seeds_as_the_header_does() -> None:
    with rng.preserved():
        rng.seed_all(2**40 + 7)
        drawn = [random.random(), np.random.normal()]
        restored_seed(2**40 + 7, with_torch=False)
        assert drawn == [random.random(), np.random.normal()]


def test_each_file_is_said_to_be_what_it_was_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    content = b"size\n" * 500_000
    (tmp_path / "rows.csv").write_bytes(content)
    (tmp_path / "parts").mkdir()
    size, digest = len(content), xxh3_128_hexdigest(content)
    given = [
        ("rows.csv", size, digest),
        ("~/rows.csv", size, digest[::-1]),
        ("rows.csv", size + 1, digest),
        ("rows.csv", size, ""),
        ("parts", None, ""),
        ("gone.csv", 3, ""),
    ]
    restored_check_data(given)
    assert capsys.readouterr().out.splitlines() == [
        "rows.csv: its content is what it was",
        "~/rows.csv: its content has changed",
        f"rows.csv: it has changed, it had {size + 1} bytes",
        "rows.csv: only its size was checked",
        "parts: a folder, whose files were not checked",
        "gone.csv: not there",
    ]
