"""The distributions that bring the types and functions which a model is made of and which its operator has trusted."""

import sys
from collections.abc import Iterable
from typing import NamedTuple

from cellops.capture.environment.distributions import imported, installed

EVERYWHERE = sys.stdlib_module_names | {"__main__"}


class Brought(NamedTuple):
    """Where the modules of a model's types come from."""

    distributions: frozenset[str]
    modules: tuple[str, ...]
    """Those that no distribution brings: files of the project."""


def bringing(types: Iterable[str]) -> Brought:
    """What has to be installed for types, given by their full names, to be found.

    Examples
    --------
    >>> bringing(["sklearn.tree._tree.Tree", "functools.partial", "ours.doubled"])
    Brought(distributions=frozenset({'scikit-learn'}), modules=('ours',))
    """
    roots = {name.partition(".")[0] for name in types} - EVERYWHERE
    here = installed() if roots else {}
    found = {root: frozenset(imported(here, {root})) for root in roots}
    alone = sorted(root for root, names in found.items() if not names and root.isidentifier())
    return Brought(frozenset().union(*found.values()), tuple(alone))
