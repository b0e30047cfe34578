"""lightgbm's own text: trees as lists of numbers, checked before lightgbm sees them."""

from typing import Any

from cellops.packaging.boosters import BoosterPredictor
from cellops.packaging.formats import lightgbm_text as layout
from cellops.packaging.formats.base import library
from cellops.packaging.formats.checked import CheckedFormat
from cellops.packaging.predictor import Predictor
from cellops.records.contract import Schema


class Lightgbm(CheckedFormat):
    name = "lightgbm"
    file = "model.lgb"
    platform = "lightgbm_text"
    language = "lightgbm's text"
    astray = "holds trees that leave their own arrays, or are not as lightgbm writes them"
    author = "lightgbm"

    def predictor(self, model: Any, schema: Schema) -> Predictor:
        return BoosterPredictor(model.predict, schema, reads=model.num_feature())

    def _read(self, content: bytes) -> layout.Model:
        return layout.read(content)

    def _problem(self, model: layout.Model) -> str | None:
        return None if layout.holds(model) else self.astray

    def _library(self) -> Any:
        return library("lightgbm")

    def _opened(self, module: Any, model: layout.Model) -> Any:
        """A `Booster`."""
        return module.Booster(model_str=layout.kept(model))
