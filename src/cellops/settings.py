"""Typed settings: from the environment (`CELLOPS_…`), else from `[tool.cellops]` in the project's pyproject.toml."""

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from cellops.errors import SettingsError

PREFIX = "CELLOPS_"
INTERNAL = {"CELLOPS_EXECUTION", "CELLOPS_NOTEBOOK"}
"""Set by `cellops execute` for the kernel it starts; they tell what is going on and are nobody's setting."""
PROJECT_MARKS = (".cellops", "pyproject.toml", ".git")
BUILT_IN_TRUSTED_TYPES = (
    "numpy.dtype",
    "numpy.number",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.compose._column_transformer.make_column_selector",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
)
"""Types that skops does not trust of itself, that common estimators need, and whose loading runs no code of the file.

Trees are followed by compiled code that trusts the numbers in them, so `package.formats.trees` checks those on loading.
"""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting, with its default; the field `name` is set by `CELLOPS_NAME`."""

    project: Path
    """The project's folder: the nearest one upwards with .cellops, pyproject.toml or .git, else the current one."""
    folder: Path
    """Where cellops keeps journal, spool, local MLflow store, packages and logs. Default: PROJECT/.cellops."""
    tracking_uri: str
    """The MLflow tracking store. Default: MLFLOW_TRACKING_URI, else sqlite in the folder above."""
    experiment: str
    """The MLflow experiment of runs that name none. Default: the name of the project's folder."""
    capture: bool = True
    """Whether `%load_ext cellops` captures cells."""
    summary: bool = True
    """Whether a run cell ends with one line that names the run."""
    writer: bool = True
    """Whether a background process carries records to MLflow; without it, `cellops sync` does."""
    writer_patience: float = 30.0
    """Seconds for which the background writer tries an unreachable tracking server; the rest is left to sync."""
    patch_limit: int = 1_000_000
    """Largest uncommitted patch kept with a run, in bytes."""
    trusted_types: tuple[str, ...] = ()
    """Types beyond the built-in allow-list that a model may be made of (full names)."""
    allow_pickle: bool = False
    """Whether a package whose model is a pickle may be loaded. A pickle can run any code."""
    server_token: str | None = None
    """The token that clients of the server send; made anew at each start where none is set."""
    server_max_bytes: int = 16_000_000
    """Largest request body in bytes."""
    server_max_rows: int = 100_000
    """Most rows in one request."""
    log_flush_seconds: float = 0.5
    """How often logged predictions are written out; at most this much is missing after a crash of the server."""
    log_segment_rows: int = 100_000
    """Rows after which a segment of the prediction log is closed and compacted to Parquet."""

    @property
    def trusted(self) -> tuple[str, ...]:
        """The whole allow-list of types that a model may be made of."""
        return (*BUILT_IN_TRUSTED_TYPES, *self.trusted_types)


def prepare(folder: Path) -> Path:
    """Make the folder of cellops' own files, which git does not see."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return folder


def load(start: Path | None = None) -> Settings:
    """Read the settings that hold for `start` (default: the current folder).

    Raises
    ------
    SettingsError
        When a setting is unknown or has a value of the wrong type.
    """
    given = _from_environment()
    project = Path(given["project"]).resolve() if "project" in given else find_project(start or Path.cwd())
    merged: dict[str, Any] = {**_from_pyproject(project), **given, "project": str(project)}
    folder = project / merged.get("folder", ".cellops")
    merged["folder"] = str(folder)
    merged.setdefault("tracking_uri", os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder / 'mlflow.db'}")
    merged.setdefault("experiment", os.environ.get("MLFLOW_EXPERIMENT_NAME") or project.name or "cellops")
    if isinstance(merged.get("trusted_types"), str):
        merged["trusted_types"] = [name for name in merged["trusted_types"].split(",") if name]
    try:
        return msgspec.convert(merged, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        fact = f"A setting has the wrong type: {error}"
        raise SettingsError(
            fact, remedy="Correct it in the environment or in [tool.cellops] of pyproject.toml"
        ) from error


def find_project(start: Path) -> Path:
    """The nearest folder from `start` upwards that looks like a project, else `start` itself."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in PROJECT_MARKS):
            return folder
    return start


def _decode(kind: type, value: Any) -> object:
    return Path(value) if kind is Path else value


def _names() -> set[str]:
    return {field.name for field in msgspec.structs.fields(Settings)}


def _from_environment() -> dict[str, Any]:
    values = {k: v for k, v in os.environ.items() if k.startswith(PREFIX) and k not in INTERNAL}
    return {_known(name.removeprefix(PREFIX).lower(), name): value for name, value in values.items()}


def _from_pyproject(project: Path) -> dict[str, Any]:
    path = project / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("cellops", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        fact = f"{path} cannot be read: {error}"
        raise SettingsError(fact, remedy="Correct the file; settings stand in its table [tool.cellops]") from error
    return {_known(name.replace("-", "_"), name): value for name, value in table.items()}


def _known(name: str, shown: str) -> str:
    if name in _names():
        return name
    near = get_close_matches(name, _names(), n=1)
    hint = f"Did you mean {near[0]}?" if near else "See docs/reference.md for the list"
    fact = f"There is no setting {shown}"
    raise SettingsError(fact, remedy=hint)
