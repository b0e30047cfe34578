"""The formats in which a model is kept: one file each, all of the shape that `base` states."""

from cellops.packaging.formats.base import Format, Trust
from cellops.packaging.formats.lightgbm import Lightgbm
from cellops.packaging.formats.onnx import Onnx
from cellops.packaging.formats.pickle import Pickle
from cellops.packaging.formats.skops import Skops
from cellops.packaging.formats.xgboost import Xgboost

FORMATS: dict[str, Format] = {known.name: known for known in (Onnx(), Skops(), Xgboost(), Lightgbm(), Pickle())}

__all__ = ["FORMATS", "Format", "Trust"]
