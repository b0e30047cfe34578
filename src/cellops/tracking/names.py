"""Names as MLflow takes them; the record of a run keeps those that the notebook has."""

import hashlib
import posixpath
import re
from collections.abc import Callable, Iterable

LONGEST = 250
"""MLflow refuses longer names of metrics and parameters."""
REFUSED = re.compile(r"[^/\w.\- :]")
REFUSED_OF_A_MODEL = re.compile(r"[^\w\- \[\]()]")
OF_GROUPS = re.compile(r"(min|max|gap)_group_([a-z]\w*?)_ ([a-zA-Z]\w*?)(?:_ (\d+))?_")
"""What `accepted` makes of a figure of groups such as `gap_group(recall, carrier, 100)`."""
DIGITS = 8


def accepted(names: Iterable[str]) -> dict[str, str]:
    """A name that MLflow takes for each; different names stay different, and those that it takes stay as they are."""
    return _mapped(names, _accepted)


def told(name: str) -> str:
    """The name of a metric as people know it: figures of groups are called in MLflow what it takes of their names."""
    found = OF_GROUPS.fullmatch(name)
    if found is None:
        return name
    function, *arguments = found.groups()
    return f"{function}_group({', '.join(filter(None, arguments))})"


def accepted_models(names: Iterable[str]) -> dict[str, str]:
    """The same for the names of models, of which MLflow refuses more."""
    return _mapped(names, _accepted_model)


def _mapped(names: Iterable[str], accept: Callable[[str], str]) -> dict[str, str]:
    names = list(names)
    taken = {name for name in names if accept(name) == name}
    found: dict[str, str] = {}
    for name in names:
        new = accept(name)
        if new != name and new in taken:
            new = _marked(name, new, LONGEST)
        taken.add(new)
        found[name] = new
    return found


def shortened(name: str, longest: int) -> str:
    """A name that is too long is cut, and ends in digits that tell it from others that begin alike."""
    return name if len(name) <= longest else _marked(name, name, longest)


def _accepted(name: str) -> str:
    new = REFUSED.sub("_", name)
    if _resolves_elsewhere(new):
        new = re.sub(r"^\.+", "_", new.replace("/", "_")) or "_"
    return new if len(new) <= LONGEST else _marked(name, new, LONGEST)


def _accepted_model(name: str) -> str:
    new = REFUSED_OF_A_MODEL.sub("_", name) or "_"
    return new if len(new) <= LONGEST else _marked(name, new, LONGEST)


def _resolves_elsewhere(name: str) -> bool:
    """Whether the name, taken as a path, leads elsewhere: MLflow keeps some records in files."""
    path = posixpath.normpath(name)
    return path != name or path == "." or path.startswith(("..", "/"))


def _marked(name: str, new: str, longest: int) -> str:
    digits = hashlib.sha256(name.encode(errors="backslashreplace")).hexdigest()[:DIGITS]
    return f"{new[: longest - DIGITS - 1]}-{digits}"
