"""Formats that name no types: numbers and operators, checked here before a library's compiled code reads them."""

from abc import ABC, abstractmethod
from typing import Any

from cellops.errors import IntegrityError, PackageError
from cellops.packaging.formats.base import Trust


class CheckedFormat(ABC):
    """What such formats have in common; their sisters say how a file is read, checked and loaded."""

    file: str
    language: str
    """What the file is written in."""
    astray: str
    """What is said of a file whose check fails without a word of its own."""
    author: str
    """Who writes such files."""

    def untrusted(self, content: bytes) -> list[str]:
        self._checked(content)
        return []

    def load(self, content: bytes, trust: Trust) -> Any:
        """The model as the library has it; it runs no code of the file, whatever the trust."""
        del trust
        model = self._checked(content)
        module = self._library()
        try:
            return self._opened(module, model)
        except Exception as error:  # each library has errors of its own
            said = (str(error).strip() or type(error).__name__).splitlines()[-1][:200]
            fact = f"{module.__name__} {module.__version__} cannot load {self.file}: {said}"
            raise PackageError(fact, remedy="Install the distributions of the package's lock") from error

    def _checked(self, content: bytes) -> Any:
        try:
            model = self._read(content)
        except (ValueError, RecursionError) as error:
            fact = f"{self.file} cannot be read as {self.language}: {error}"
            raise PackageError(fact, remedy="Package the run again, with the distributions of its lock") from error
        try:
            problem = self._problem(model)
        except (ValueError, KeyError, TypeError, IndexError, OverflowError):
            problem = self.astray
        if problem:
            fact = f"{self.file} {problem}"
            raise IntegrityError(fact, remedy=f"Do not use this model; the file was not written by {self.author}")
        return model

    @abstractmethod
    def _read(self, content: bytes) -> Any:
        """The file as a structure; `ValueError` where it is none."""

    @abstractmethod
    def _problem(self, model: Any) -> str | None:
        """What in the structure could lead compiled code astray, if there is something."""

    @abstractmethod
    def _library(self) -> Any:
        """The library that reads it; `PackageError` where it is not installed."""

    @abstractmethod
    def _opened(self, module: Any, model: Any) -> Any:
        """The structure as the library has it."""
