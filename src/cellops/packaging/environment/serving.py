"""What serving a model needs of the environment that it was trained in, without notebook, tracking and pipeline."""

from collections.abc import Iterable, Mapping

from cellops.capture.environment.distributions import installed, normalise, version_of
from cellops.errors import PackageError
from cellops.packaging.environment.closure import closure
from cellops.packaging.environment.pins import pinned
from cellops.records.environment import is_pin
from cellops.records.run import Environment

HEAD = "# What serving this model needs, all of it: pip install --no-deps -r environment/serving.txt"
OURS = "cellops"
SERVER = (
    "click",
    "cryptography",
    "filelock",
    "limits",
    "msgspec",
    "numpy",
    "orjson",
    "pandas",
    "prometheus-client",
    "pyarrow",
    "rich",
    "scipy",
    "uvicorn",
    "xxhash",
)
"""What the server may import, whatever the model; a test starts it with these and what they need."""
FASTER = ("httptools", "uvloop")
"""What the server takes where it is installed."""
NEEDED_BY_FORMAT = {
    "skops": ("scikit-learn", "skops"),
    "pickle": ("scikit-learn", "cloudpickle"),
    "onnx": ("onnx", "onnxruntime"),
}
"""Boosters name their library themselves: it is called otherwise where it comes without its GPU parts."""
NOT_TO_SERVE = frozenset({OURS, "mlflow", "cloudpickle"})
"""What MLflow's list of a model names, and our server does not need."""


def serving_requirements(
    environment: Environment,
    model_needs: Mapping[str, str | None],
    model_format: str,
    *,
    version: str,
    modules: Iterable[str] = (),
) -> str:
    """A requirements file with all that serving a model needs, complete: it is installed without resolving anything.

    Parameters
    ----------
    environment
        The run's; its versions are pinned. What it does not have, and this process does, is pinned to that.
    model_needs
        The distributions of the model's classes, with the version of each where the run has not recorded one.
    model_format
        The format in which the package keeps the model.
    version
        Of cellops.
    modules
        Of the model's types, those that no distribution brings.

    Raises
    ------
    PackageError
        When something of it can be had from no index, or has a name or version that is none.
    """
    given = {normalise(name): version for name, version in model_needs.items() if version is not None}
    recorded = {normalise(name): version for name, version in environment.distributions.items()}
    local = frozenset(map(normalise, environment.local)) - {OURS}
    own = {*map(normalise, model_needs)} - NOT_TO_SERVE | {*NEEDED_BY_FORMAT.get(model_format, ())}
    needed = closure(sorted({*SERVER, *own, *(name for name in FASTER if name in recorded)}), environment)
    if needed.names & local:
        raise _of_no_index(needed.names & local, closure(sorted(own), environment).names)
    versions = {name: version_of(folder) for name, folder in installed().items()} | given | recorded
    wanted, notes = set(needed.names), [HEAD]
    unread = sorted(needed.unknown & recorded.keys())
    if unread:
        wanted |= recorded.keys() - local
        notes.append(f"# What {', '.join(unread)} need is not known here: this is the whole environment of the run")
    notes += [f"# Left out, of no index and not needed: {name}" for name in sorted(local) if is_pin(name, "0")]
    notes += [f"# In no distribution, so it has to be on PYTHONPATH: the module {name}" for name in modules]
    pins = {name: versions[name] for name in wanted & versions.keys()} | {OURS: version}
    return "\n".join([*notes, *(pinned(name, found) for name, found in sorted(pins.items()))]) + "\n"


def _of_no_index(local: frozenset[str], of_model: frozenset[str]) -> PackageError:
    name = min(local & of_model or local)
    who = "The model" if name in of_model else "The server"
    fact = f"{who} needs {name}, which no index has: it was installed from a folder, an archive or a repository"
    remedy = "Build a wheel of it, publish that to an index, install it from there, and run again"
    return PackageError(fact, remedy=remedy, names=sorted(local))
