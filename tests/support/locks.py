"""Locks of what serving needs, as installed here: an environment of them is built from uv's cache in a second."""

from importlib import metadata

from packaging.requirements import Requirement

from cellops.capture.environment.description import read_environment
from cellops.capture.environment.distributions import normalise
from cellops.records.run import Environment

SERVING = (
    "click", "filelock", "jinja2", "msgspec", "numpy", "orjson", "pandas", "prometheus-client", "pyarrow", "pyyaml",
    "rich", "scikit-learn", "scipy", "skops", "uvicorn", "xxhash",
)  # fmt: skip


def serving_environment() -> Environment:
    """This environment, with no other distributions than serving needs."""
    here = read_environment()
    return here.replace(distributions=_closure() | {"cellops": "0.1.0"}, local=("cellops",), origins={}, hashes={})


def _closure() -> dict[str, str]:
    found: dict[str, str] = {}
    waiting = list(SERVING)
    while waiting:
        name = normalise(waiting.pop())
        if name in found:
            continue
        distribution = metadata.distribution(name)
        found[name] = distribution.version
        needed = map(Requirement, distribution.requires or ())
        waiting += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found
