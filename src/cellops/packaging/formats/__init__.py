"""The formats in which a model is kept: one file each, all of the shape that `base` states."""

from cellops.packaging.formats.base import Format, Trust
from cellops.packaging.formats.pickle import Pickle
from cellops.packaging.formats.skops import Skops

FORMATS: dict[str, Format] = {known.name: known for known in (Skops(), Pickle())}

__all__ = ["FORMATS", "Format", "Trust"]
