"""Accessors that others have registered on tables of pandas: `df.NAME` then runs code of theirs."""

import sys
from typing import Any

from cellops.capture.names.types import bases_of, held_by, name_of

TABLES = ("DataFrame", "Series", "Index")


def registered(attribute: str) -> type | None:
    """The class that stands behind an attribute of tables, unless pandas has brought it itself."""
    pandas = sys.modules.get("pandas")
    for table in TABLES:
        found = _accessor(getattr(pandas, table, None), attribute)
        if found is not None and not name_of(found)[0].startswith("pandas."):
            return found
    return None


def _accessor(table: Any, attribute: str) -> type | None:
    """What pandas calls with a table when the attribute is asked for."""
    for base in bases_of(table) if isinstance(table, type) else ():
        found = getattr(held_by(base).get(attribute), "_accessor", None)
        if isinstance(found, type):
            return found
    return None
