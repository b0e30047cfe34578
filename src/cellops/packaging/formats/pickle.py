"""pickle: any code can run on loading, so the operator must have said that it may."""

import pickle
import pickletools
from collections.abc import Iterator
from typing import Any

from cellops.errors import PackageError, TrustError
from cellops.packaging.formats.base import Trust
from cellops.packaging.predictor import Predictor, SklearnPredictor
from cellops.records.contract import Schema

HIDDEN = "a name that is hidden"
PARTS = ("module", "name")


class Pickle:
    name = "pickle"
    file = "model.pkl"
    platform = "sklearn_pickle"

    def untrusted(self, content: bytes) -> list[str]:
        """Every global that the pickle names, read from its opcodes: what it does with them cannot be foreseen."""
        try:
            return sorted(set(_globals(content)))
        except Exception as error:
            fact = f"{self.file} cannot be read as a pickle: {error}"
            raise PackageError(fact, remedy="Package the run again") from error

    def load(self, content: bytes, trust: Trust) -> Any:
        if not trust.pickle:
            raise refusal(content)
        try:
            return pickle.loads(content)  # noqa: S301 - allowed by the operator
        except Exception as error:
            fact = f"{self.file} cannot be loaded as a pickle: {type(error).__name__}: {error}"
            raise PackageError(fact, remedy="Install the distributions of the package's lock") from error

    def predictor(self, model: Any, schema: Schema) -> Predictor:
        return SklearnPredictor(model, schema)


def refusal(content: bytes) -> TrustError:
    """The error of a pickle that nobody has allowed, with what it names."""
    fact = f"The model is kept as a pickle ({Pickle.file}), and loading one can run any code"
    remedy = "Train one that skops can keep; or, if you trust its origin, set CELLOPS_ALLOW_PICKLE=true"
    return TrustError(fact, remedy=remedy, types=Pickle().untrusted(content))


def _globals(content: bytes) -> Iterator[str]:
    """The names by which a pickle finds classes and functions.

    A name can be put together in many ways; of one that is not simply written down it is said that it is hidden.
    """
    pushed: list[object] = []
    """What the last opcodes have put on the stack, as far as it is known."""
    memo: dict[int, object] = {}
    for opcode, argument, _ in pickletools.genops(content):
        match opcode.name:
            case "GLOBAL" | "INST":
                yield str(argument).replace(" ", ".", 1)
                pushed = []
            case "STACK_GLOBAL":
                names = [text for text in pushed[-2:] if isinstance(text, str)]
                yield ".".join(names) if len(names) == len(PARTS) else HIDDEN
                pushed = []
            case "EXT1" | "EXT2" | "EXT4" | "PERSID" | "BINPERSID":
                yield HIDDEN
                pushed = []
            case "MEMOIZE" | "PUT" | "BINPUT" | "LONG_BINPUT":
                memo[argument if isinstance(argument, int) else len(memo)] = pushed[-1] if pushed else None
            case "GET" | "BINGET" | "LONG_BINGET":
                pushed.append(memo.get(argument) if isinstance(argument, int) else None)
            case "PROTO" | "FRAME":
                pass
            case _:
                # Only a text leaves the ones before it where they are; after anything else nothing is known.
                pushed = [*pushed, argument] if isinstance(argument, str) and not opcode.stack_before else []
