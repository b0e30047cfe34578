"""xgboost's own JSON: trees or weights as numbers, checked before xgboost sees them.

Its other formats, UBJSON and the older binary one, say the same and are not taken: one way in is enough to watch.
"""

from typing import Any

from cellops.packaging.boosters import BoosterPredictor
from cellops.packaging.formats import xgboost_model as layout
from cellops.packaging.formats.base import library
from cellops.packaging.formats.checked import CheckedFormat
from cellops.packaging.predictor import Predictor
from cellops.records.contract import Schema


class Xgboost(CheckedFormat):
    name = "xgboost"
    file = "model.json"
    platform = "xgboost_json"
    language = "xgboost's JSON"
    astray = "holds trees or weights that leave their own arrays, or are not as xgboost writes them"
    author = "xgboost"

    def predictor(self, model: Any, schema: Schema) -> Predictor:
        last = None if model.attr("best_iteration") is None else int(model.attr("best_iteration")) + 1
        rounds = (0, last or 0)
        linear = '"gblinear"' in model.save_config()

        def score(rows: Any) -> Any:
            if not linear:
                return model.inplace_predict(rows, iteration_range=rounds)
            return model.predict(library("xgboost").DMatrix(rows), validate_features=False)

        return BoosterPredictor(score, schema, reads=model.num_features())

    def _read(self, content: bytes) -> layout.Model:
        return layout.read(content)

    def _problem(self, model: layout.Model) -> str | None:
        return None if layout.holds(model) else self.astray

    def _library(self) -> Any:
        return library("xgboost")

    def _opened(self, module: Any, model: layout.Model) -> Any:
        """A `Booster`."""
        booster = module.Booster()
        booster.load_model(bytearray(layout.kept(model)))
        return booster
