"""Writers of libraries that open files without python's hearing of it: each says first where."""

import functools
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib.abc import MetaPathFinder
from pathlib import PurePath
from types import FunctionType, ModuleType
from typing import Any

from cellops.capture.files.pointers import is_address

Writing = Callable[[list[str]], AbstractContextManager[None]]
"""What is done before and behind a call that writes to some places."""
WRITERS: dict[str, tuple[str, ...]] = {
    "lightgbm.basic": ("Booster.save_model", "Dataset.save_binary"),
    "pandas.core.frame": ("DataFrame.to_orc", "DataFrame.to_parquet"),
    "pandas.core.generic": ("NDFrame.to_hdf",),
    "polars.dataframe.frame": tuple(
        f"DataFrame.write_{form}"
        for form in ("avro", "csv", "delta", "excel", "ipc", "ipc_stream", "json", "ndjson", "parquet")
    ),
    "polars.lazyframe.frame": tuple(f"LazyFrame.sink_{form}" for form in ("csv", "delta", "ipc", "ndjson", "parquet")),
    "pyarrow.dataset": ("write_dataset",),
    "pyarrow.feather": ("write_feather",),
    "pyarrow.ipc": ("RecordBatchFileWriter.__init__", "RecordBatchStreamWriter.__init__"),
    "pyarrow.orc": ("write_table",),
    "pyarrow.parquet.core": ("ParquetWriter.__init__", "write_to_dataset"),
    "torch.serialization": ("save",),
    "xgboost.core": ("Booster.save_model", "DMatrix.save_binary"),
}
"""Functions and methods by their modules; the place is the first or second of what they are given, or has a name."""
PLACES = (
    *("base_dir", "dest", "f", "file", "filename", "fname", "name", "path", "path_or_buf"),
    *("root_path", "sink", "target", "where", "workbook"),
)
"""Names of the arguments that say where."""


def hear_writers(writing: Writing) -> None:
    """Let the writers of modules that are imported, now or later, say where they are about to write."""
    for name in WRITERS:
        if name in sys.modules:
            _wrap(sys.modules[name], writing)
    sys.meta_path.insert(0, _Finder(writing))


class _Finder(MetaPathFinder):
    """Finds modules as python does, and wraps their writers before anybody else gets hold of them."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target) if fullname in WRITERS else None
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def executed(module: ModuleType) -> None:
                execute(module)
                _wrap(module, self._writing)

            spec.loader.exec_module = executed  # type: ignore[method-assign]
        return spec


def _wrap(module: ModuleType, writing: Writing) -> None:
    for name in WRITERS[module.__name__]:
        *owners, last = name.split(".")
        owner = getattr(module, owners[0], None) if owners else module
        function = getattr(owner, last, None)
        if isinstance(function, FunctionType):  # another callable would not be recorded as the same value
            setattr(owner, last, _heard(function, writing))


def _heard(function: Callable[..., Any], writing: Writing) -> Callable[..., Any]:
    @functools.wraps(function)
    def heard(*given: Any, **named: Any) -> Any:
        places = [*given[:2], *(place for name, place in named.items() if name in PLACES)]
        texts = [str(place) for place in places if type(place) is str or isinstance(place, PurePath)]
        with writing([text for text in texts if text and not is_address(text)]):
            return function(*given, **named)

    return heard
