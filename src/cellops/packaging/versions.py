"""What a package was made with, beside what is installed where it is loaded."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import msgspec

from cellops.errors import CellopsError, IntegrityError, PackageError, TrustError
from cellops.packaging.layout import LOCK
from cellops.records.run import Environment

DECISIVE = ("scikit-learn", "skops", "numpy", "scipy", "pandas", "cloudpickle")
"""Distributions of which another version may not be able to load a model, or loads another one."""


class Difference(NamedTuple):
    name: str
    then: str
    here: str | None
    """None where it is not installed."""


def differences(environment: Environment | None) -> list[Difference]:
    """The decisive distributions that are of another version here than where the model was fitted; Python first."""
    if environment is None:
        return []
    then, here = _minor(environment.python), _minor(sys.version)
    found = [Difference("Python", then, here)] if then != here else []
    made_with = {name: environment.distributions[name] for name in DECISIVE if name in environment.distributions}
    return found + [Difference(name, v, _installed(name)) for name, v in made_with.items() if v != _installed(name)]


def read_environment(content: bytes | None) -> Environment | None:
    """What a package says that it was made with; None where it says nothing that can be read."""
    try:
        return None if content is None else Environment.from_json(content)
    except (msgspec.DecodeError, RecursionError):
        return None


def require_same_python(environment: Environment | None) -> None:
    """Refuse a pickle of another Python: it can hold compiled code, which another one does not read or crashes on.

    Raises
    ------
    PackageError
        Naming both versions.
    """
    for name, then, here in differences(environment):
        if name == "Python":
            fact = f"The model is kept as a pickle of Python {then}, which Python {here} may not read"
            remedy = f"Use Python {then}, or train a model that skops can keep: that goes from one Python to another"
            raise PackageError(fact, remedy=remedy)


@contextmanager
def explained(environment: Environment | None) -> Iterator[None]:
    """Let an error of a model that is loaded or asked say that it was made with other versions, if it was."""
    try:
        yield
    except (PackageError, TrustError, IntegrityError) as error:
        different = differences(environment)
        if not different:
            raise
        raise _with_versions(error, different) from error


def _with_versions(error: CellopsError, different: list[Difference]) -> CellopsError:
    then = ", ".join(f"{name} {then}" for name, then, _ in different)
    here = ", ".join(f"{name} {here}" if here else f"no {name}" for name, _, here in different)
    remedy = f"The model was fitted with {then}, and here is {here}: install the versions in {LOCK}"
    remedy = f"{remedy}. Otherwise: {error.remedy}"
    return type(error)(error.fact, received=error.received, remedy=remedy, shown=error.shown, **error.data)


def _minor(python: str) -> str:
    return ".".join(python.split(maxsplit=1)[0].split(".")[:2])


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
