"""The shape of a format, and what its loading may trust."""

from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from cellops.errors import PackageError, TrustError
from cellops.packaging.predictor import Predictor
from cellops.records.contract import Schema
from cellops.settings import FEATURE_TYPE


@dataclass(frozen=True)
class Trust:
    """What the operator allows. It comes from the settings of whoever loads, never from the package."""

    types: frozenset[str] = frozenset()
    """Full names of the types that a model may be made of, beyond those that its format trusts of itself."""
    pickle: bool = False
    """Whether formats may be loaded that can run any code."""

    def require(self, untrusted: Collection[str]) -> None:
        """Refuse types that are not on the list.

        Raises
        ------
        TrustError
            Naming them.
        """
        foreign = sorted(set(untrusted) - self.types)
        if foreign == [FEATURE_TYPE]:
            fact = "The model computes features by code that comes with it"
            remedy = "Read the code in features/; if you trust its origin, set CELLOPS_ALLOW_CODE=true"
            raise TrustError(fact, remedy=remedy, types=foreign)
        if foreign:
            fact = f"The model is made of types that are not on the allow-list: {', '.join(foreign)}"
            remedy = "If you know them to be harmless, add them to the setting CELLOPS_TRUSTED_TYPES"
            raise TrustError(fact, remedy=remedy, types=foreign)


class Format(Protocol):
    """How a model is kept in one file."""

    name: str
    file: str
    """Name of the model's file in the package, as MLflow calls it."""
    platform: str
    """What the Open Inference Protocol calls it."""

    def untrusted(self, content: bytes) -> list[str]:
        """The types in the file that the format does not trust of itself, found without loading any of them.

        Raises
        ------
        PackageError
            When the file is not of this format.
        """

    def load(self, content: bytes, trust: Trust) -> Any:
        """The model as its library has it.

        Raises
        ------
        PackageError
            When the file is not of this format or cannot be loaded.
        TrustError
            When it needs more trust than is given; nothing of it was run.
        IntegrityError
            When a part of it could lead compiled code outside of its arrays.
        """

    def predictor(self, model: Any, schema: Schema) -> Predictor:
        """What answers for a loaded model.

        Raises
        ------
        IntegrityError
            When the model is not of this schema.
        """


def library(name: str) -> Any:
    """The library that a format needs; only those who serve it have it installed.

    Raises
    ------
    PackageError
        When it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        fact = f"The model needs {name}, which is not installed here"
        raise PackageError(fact, remedy="Install the distributions of the package's lock") from error


def extra(module: str, name: str) -> Any:
    """A module that an extra of cellops brings.

    Raises
    ------
    PackageError
        Naming the extra.
    """
    try:
        return import_module(module)
    except ImportError as error:
        fact = f"This needs {module.partition('.')[0]}, which is not installed here"
        raise PackageError(fact, remedy=f"Run: pip install 'cellops[{name}]'") from error
