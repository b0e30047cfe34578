"""MLflow's description of a model, the file `MLmodel`, read and written without MLflow, whose import takes seconds."""

from typing import Any

import yaml

from cellops.errors import PackageError
from cellops.packaging.layout import MLMODEL

Description = dict[str, Any]


def read_mlmodel(content: bytes) -> Description:
    """What an `MLmodel` says.

    Raises
    ------
    PackageError
        When it is no such file.
    """
    try:
        held = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _unreadable(" ".join(str(error).split())[:200]) from error
    if not isinstance(held, dict) or not isinstance(held.get("flavors"), dict):
        reason = "it names no flavors"
        raise _unreadable(reason)
    return held


def write_mlmodel(held: Description) -> bytes:
    """The same bytes that MLflow would write."""
    return bytes(yaml.safe_dump(held, default_flow_style=False), "utf-8")


def normalised(content: bytes, created: str) -> bytes:
    """An `MLmodel` in which the same model of two runs differs by nothing but the run."""
    named = {"utc_time_created": created, "model_uuid": None}
    named["artifact_path"] = "model"  # MLflow writes a path of this machine here
    return write_mlmodel(read_mlmodel(content) | named)


def _unreadable(reason: str) -> PackageError:
    fact = f"{MLMODEL} cannot be read: {reason}"
    return PackageError(fact, remedy="Log the model again: run its cell", path=MLMODEL)
