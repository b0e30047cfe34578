"""lightgbm's own text: trees as lists of numbers, checked before lightgbm sees them."""

from typing import Any

from cellops.errors import IntegrityError, PackageError
from cellops.packaging.boosters import BoosterPredictor
from cellops.packaging.formats import lightgbm_text as layout
from cellops.packaging.formats.base import Trust, library
from cellops.packaging.predictor import Predictor
from cellops.records.contract import Schema


class Lightgbm:
    name = "lightgbm"
    file = "model.lgb"
    platform = "lightgbm_text"

    def untrusted(self, content: bytes) -> list[str]:
        self._checked(content)
        return []

    def load(self, content: bytes, trust: Trust) -> Any:
        """A `Booster`; it runs no code of the file, whatever the trust."""
        del trust
        text = layout.kept(self._checked(content))
        lightgbm = library("lightgbm")
        try:
            return lightgbm.Booster(model_str=text)
        except lightgbm.basic.LightGBMError as error:
            fact = f"lightgbm {lightgbm.__version__} cannot load {self.file}: {str(error)[:200]}"
            raise PackageError(fact, remedy="Install the distributions of the package's lock") from error

    def predictor(self, model: Any, schema: Schema) -> Predictor:
        return BoosterPredictor(model.predict, schema, reads=model.num_feature())

    def _checked(self, content: bytes) -> layout.Model:
        try:
            model = layout.read(content)
        except (ValueError, RecursionError) as error:
            fact = f"{self.file} cannot be read as lightgbm's text: {error}"
            raise PackageError(fact, remedy="Package the run again; lightgbm should be that of its lock") from error
        try:
            holds = layout.holds(model)
        except (ValueError, KeyError, IndexError, OverflowError):
            holds = False
        if not holds:
            fact = f"The trees in {self.file} leave their own arrays, or are not as lightgbm writes them"
            raise IntegrityError(fact, remedy="Do not use this model; the file was not written by lightgbm")
        return model
