"""A folder of packages that may be loaded while the server runs; each is called as its model, with or without .zip."""

from dataclasses import dataclass
from pathlib import Path

from cellops.errors import UsageError
from cellops.packaging.archive import SUFFIX
from cellops.packaging.layout import MANIFEST


@dataclass(frozen=True)
class ModelFolder:
    path: Path

    def check(self) -> None:
        """Refuse what is no folder, or cannot be read.

        Raises
        ------
        UsageError
            So.
        """
        try:
            next(self.path.iterdir(), None)
        except OSError as error:
            fact = f"The folder of models {self.path} cannot be read: {error.strerror}"
            raise UsageError(fact, remedy="Give a folder with packages in it") from error

    def names(self) -> tuple[str, ...]:
        """Of the models whose packages lie there."""
        return tuple(sorted(self._packages()))

    def find(self, name: str) -> Path | None:
        """The package of a model; no path is made of the name, it is only compared with what lies there."""
        return self._packages().get(name)

    def _packages(self) -> dict[str, Path]:
        try:
            entries = sorted(self.path.iterdir())
        except OSError:
            return {}
        inside = self.path.resolve()
        # Where links lead out of the folder, whoever may write a link chose the package, and not the operator.
        near = [path for path in entries if path.resolve().is_relative_to(inside)]
        archives = {path.stem: path for path in near if path.suffix == SUFFIX and path.is_file()}
        return archives | {path.name: path for path in near if (path / MANIFEST).is_file()}
