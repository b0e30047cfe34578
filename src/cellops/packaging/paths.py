"""Which paths a package can have: plain ones, that are the same single file on every system."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from cellops.errors import IntegrityError
from cellops.packaging.layout import MANIFEST

NOT_PLAIN = re.compile(
    r'[\\:*?"<>|\x00-\x1f\x7f]|[. ](/|$)|(^|/)(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$) *(\.|/|$)',
    re.IGNORECASE,
)
"""Paths that are no file, or another one, on some system: other separators, devices, endings that are dropped."""
DEEPEST = 64
"""Folders inside of each other."""
LONGEST = 1024
"""Characters of a path."""


def require_plain(paths: Iterable[str]) -> None:
    """Refuse a list of files that some system could not have, or would have elsewhere.

    Raises
    ------
    IntegrityError
        For a path that leaves the package, is there twice, or is another one's where case, accents or folders are read
        otherwise.
    """
    seen: set[str] = set()
    spelt: dict[str, str] = {}
    folders: set[str] = set()
    for text in paths:
        path = PurePosixPath(text)
        if path.is_absolute() or str(path) != text or NOT_PLAIN.search(text) or not text.isprintable():
            raise broken(text, "is listed under a path that is not plain and inside the package")
        if len(text) > LONGEST or len(path.parts) > DEEPEST:
            raise broken(text[:50], "is longer or lies deeper than any path of a real package")
        if text in seen:
            raise broken(text, "is listed twice")
        seen.add(text)
        inside = [str(folder) for folder in path.parents]
        for part in (text, *inside):
            if spelt.setdefault(_folded(part), part) != part:
                raise broken(text, "differs from another path in upper and lower case only, or in how it is encoded")
        folders.update(inside)
    for text in sorted(seen & folders):
        raise broken(text, "is listed as a file and as a folder")


def _folded(path: str) -> str:
    """A path as a system keeps it that knows no difference of case or of composed characters."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())


def broken(path: str, what: str, remedy: str = "Do not use this package; build or copy it again") -> IntegrityError:
    """The error of a file that makes a package one that nobody should use."""
    fact = f"{path} {what}"
    return IntegrityError(fact, remedy=remedy, path=path)


def absent(path: str) -> IntegrityError:
    """The error of a file that a package ought to have; without a manifest it is none."""
    if path == MANIFEST:
        return broken(
            path, "is missing, so this is no package", "Give the folder or archive that `cellops package` wrote"
        )
    return broken(path, "is missing")


def unlisted(path: str) -> IntegrityError:
    """The error of a file that was laid into a package, as file managers and editors do, too."""
    return broken(path, "is not in the manifest", "Remove it, or copy the package again")
