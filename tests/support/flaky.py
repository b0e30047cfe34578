"""A file system in memory that fsspec reaches as `flaky://`, and that is away when a test says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem


class FlakyFileSystem(MemoryFileSystem):
    protocol = ("flaky",)
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    away = False
    torn = False
    """Whether it keeps the first half of a file only, and says nothing."""
    asked = 0

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.replace("flaky://", "memory://"))

    def _ask(self) -> None:
        type(self).asked += 1
        if self.away:
            message = "no route to flaky://user:a-pass-word@host"
            raise ConnectionError(message)

    def info(self, path: str, **kwargs: Any) -> Any:
        self._ask()
        return super().info(path, **kwargs)

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> Any:
        self._ask()
        return super().ls(path, detail, **kwargs)

    def put_file(self, lpath: str, rpath: str, *args: Any, **kwargs: Any) -> None:
        self._ask()
        super().put_file(lpath, rpath, *args, **kwargs)
        if self.torn:
            content = self.cat_file(rpath)
            self.pipe_file(rpath, content[: len(content) // 2])


@contextmanager
def flaky() -> Iterator[type[FlakyFileSystem]]:
    """The file system, empty and there; it is forgotten at the end."""
    fsspec.register_implementation("flaky", FlakyFileSystem, clobber=True)
    FlakyFileSystem.store.clear()
    FlakyFileSystem.pseudo_dirs[:] = [""]
    FlakyFileSystem.away = FlakyFileSystem.torn = False
    FlakyFileSystem.asked = 0
    yield FlakyFileSystem
