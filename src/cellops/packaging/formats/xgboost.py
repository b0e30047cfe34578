"""xgboost's own JSON: trees or weights as numbers, checked before xgboost sees them.

Its other formats, UBJSON and the older binary one, say the same and are not taken: one way in is enough to watch.
"""

from typing import Any

from cellops.errors import IntegrityError, PackageError
from cellops.packaging.boosters import BoosterPredictor
from cellops.packaging.formats import xgboost_model as layout
from cellops.packaging.formats.base import Trust, library
from cellops.packaging.predictor import Predictor
from cellops.records.contract import Schema


class Xgboost:
    name = "xgboost"
    file = "model.json"
    platform = "xgboost_json"

    def untrusted(self, content: bytes) -> list[str]:
        self._checked(content)
        return []

    def load(self, content: bytes, trust: Trust) -> Any:
        """A `Booster`; it runs no code of the file, whatever the trust."""
        del trust
        model = self._checked(content)
        xgboost = library("xgboost")
        booster = xgboost.Booster()
        try:
            booster.load_model(bytearray(layout.kept(model)))
        except xgboost.core.XGBoostError as error:
            fact = f"xgboost {xgboost.__version__} cannot load {self.file}: {str(error).strip().splitlines()[-1][:200]}"
            raise PackageError(fact, remedy="Install the distributions of the package's lock") from error
        return booster

    def predictor(self, model: Any, schema: Schema) -> Predictor:
        last = None if model.attr("best_iteration") is None else int(model.attr("best_iteration")) + 1
        rounds = (0, last or 0)
        linear = '"gblinear"' in model.save_config()

        def score(rows: Any) -> Any:
            if not linear:
                return model.inplace_predict(rows, iteration_range=rounds)
            return model.predict(library("xgboost").DMatrix(rows), validate_features=False)

        return BoosterPredictor(score, schema, reads=model.num_features())

    def _checked(self, content: bytes) -> layout.Model:
        try:
            model = layout.read(content)
        except ValueError as error:
            fact = f"{self.file} cannot be read as xgboost's JSON: {error}"
            raise PackageError(fact, remedy="Package the run again; xgboost should be that of its lock") from error
        try:
            holds = layout.holds(model)
        except (ValueError, KeyError, TypeError, IndexError):
            holds = False
        if not holds:
            fact = f"The trees or weights in {self.file} leave their own arrays, or are not as xgboost writes them"
            raise IntegrityError(fact, remedy="Do not use this model; the file was not written by xgboost")
        return model
