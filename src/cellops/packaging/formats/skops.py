"""skops: a zip of arrays and a description of types, loaded only when each type is on an allow-list."""

from pathlib import Path

from cellops.errors import PackageError
from cellops.packaging.formats.base import Trust
from cellops.packaging.formats.trees import check_trees


class Skops:
    name = "skops"
    file = "model.skops"

    def untrusted(self, path: Path) -> list[str]:
        import skops.io

        try:
            return [str(name) for name in skops.io.get_untrusted_types(file=path)]
        except Exception as error:  # skops states no errors of its own for what is not a skops file
            raise _unreadable(path, error) from error

    def load(self, path: Path, trust: Trust) -> object:
        import skops.io

        untrusted = self.untrusted(path)
        trust.require(untrusted)
        try:
            model = skops.io.load(path, trusted=untrusted)
        except Exception as error:  # a file of trusted types can still be put together wrongly
            raise _unreadable(path, error) from error
        check_trees(model)
        return model


def _unreadable(path: Path, error: Exception) -> PackageError:
    fact = f"{path.name} cannot be read as a skops file: {type(error).__name__}: {error}"
    return PackageError(fact, remedy="Package the run again; skops and scikit-learn should be those of its lock")
