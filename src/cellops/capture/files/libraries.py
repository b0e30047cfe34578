"""Which library a cell's call belongs to, and the libraries that open files in another language."""

import ast
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

LIBRARIES = frozenset(
    {
        "_duckdb",
        "cv2",
        "deltalake",
        "duckdb",
        "fiona",
        "geopandas",
        "h5netcdf",
        "h5py",
        "lance",
        "netCDF4",
        "polars",
        "pyarrow",
        "pyogrio",
        "pyreadstat",
        "rasterio",
        "safetensors",
        "soundfile",
        "tables",
        "xarray",
    }
)
"""Libraries whose readers open files in another language."""
MODELS = frozenset({"catboost", "lightgbm", "xgboost"})
"""Libraries of models that read a file wherever they are given its name instead of a table or a model."""


def library_of(call: ast.Call, namespace: Mapping[str, Any]) -> str:
    """The library that the called function, or the object whose method it is, comes from; empty if not known."""
    root: ast.expr = call
    while isinstance(root, ast.Call | ast.Attribute | ast.Subscript):
        root = root.func if isinstance(root, ast.Call) else root.value
    if not isinstance(root, ast.Name) or root.id not in namespace:
        return ""
    value = namespace[root.id]
    module = vars(value).get("__name__") if type(value) is ModuleType else module_of(value)
    return module.partition(".")[0] if type(module) is str else ""


def module_of(value: object) -> object:
    """The module in which a function or a class is defined, or the class of an object, without calling into it."""
    if type(value) in {FunctionType, BuiltinFunctionType}:
        return value.__module__
    return type.__getattribute__(value if type(value) is type else type(value), "__module__")
