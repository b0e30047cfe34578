"""pickle: any code can run on loading, so the operator must have said that it may."""

import pickle
import pickletools
from typing import Any

from cellops.errors import PackageError, TrustError
from cellops.packaging.formats.base import Trust
from cellops.packaging.predictor import Predictor, SklearnPredictor
from cellops.records.contract import Schema


class Pickle:
    name = "pickle"
    file = "model.pkl"
    platform = "sklearn_pickle"

    def untrusted(self, content: bytes) -> list[str]:
        """Every global that the pickle names, read from its opcodes: what it does with them cannot be foreseen."""
        names: set[str] = set()
        texts: list[str] = []
        memo: list[str] = []
        try:
            for opcode, argument, _ in pickletools.genops(content):
                match opcode.name, argument:
                    case "GLOBAL", str():
                        names.add(argument.replace(" ", ".", 1))
                    case "STACK_GLOBAL", _:
                        names.add(".".join(texts[-2:]))
                    case "MEMOIZE", _:
                        memo.append(texts[-1] if texts else "")
                    case (("BINGET" | "LONG_BINGET"), int()) if argument < len(memo):
                        texts.append(memo[argument])
                    case _, str():
                        texts.append(argument)
        except Exception as error:
            fact = f"{self.file} cannot be read as a pickle: {error}"
            raise PackageError(fact, remedy="Package the run again") from error
        return sorted(names)

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
