"""What would be installed, were the environment of a package built; nothing is, by loading it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cellops.packaging.audit.yaml_file import read_yaml
from cellops.packaging.layout import LOCK, SERVING
from cellops.records.audit import Requirement

TEXTS = ("requirements.txt", SERVING, LOCK)
YAMLS = ("conda.yaml", "python_env.yaml")
FILES = (*TEXTS, *YAMLS)
VERSION = r"[\w.!+*-]+"
CLAUSE = rf"[<>=!~]=? *{VERSION}"
PIN = re.compile(
    rf"(?P<name>[A-Za-z0-9][\w.-]*)(\[[\w ,.-]*\])? *(==? *(?P<version>{VERSION})|{CLAUSE}(, *{CLAUSE})*)?", re.ASCII
)
"""A name of an index with or without a version, to pip or to conda."""
OWN = re.compile(r"-r\s+requirements\.txt")
"""The one option that MLflow writes: the file beside it."""
MOST_LINES = 5_000


def requirements(content: Mapping[str, bytes]) -> Iterator[Requirement]:
    """Each line of each file that an installer reads."""
    for path in FILES:
        lines = _lines(path, content[path]) if path in content else []
        for line in lines[:MOST_LINES]:
            yield _requirement(line, path)


def _lines(path: str, content: bytes) -> list[str]:
    if path in TEXTS:
        # A line that goes on is one to pip; what other separators of lines hide is seen as one with them.
        joined = re.sub(r"\\\r?\n", " ", content.decode("utf-8", "backslashreplace"))
        lines = [re.sub(r"(^|\s)#.*$", "", line).strip() for line in re.split(r"\r?\n|\r", joined)]
        return [line for line in lines if line]
    try:
        return [*_entries(read_yaml(content))]
    except ValueError as error:
        return [f"cannot be read: {error}"]


def _entries(described: dict[str, Any]) -> Iterator[str]:
    for part in ("dependencies", "build_dependencies"):
        for entry in described.get(part) or ():
            listed = entry.get("pip") if isinstance(entry, dict) else [entry]
            yield from (str(one) for one in listed or ())


def _requirement(line: str, path: str) -> Requirement:
    text = re.sub(r"\s--hash=sha256:[0-9a-f]{64}(?=\s|$)", "", line).partition(";")[0].strip()
    matched = PIN.fullmatch(text)
    if matched is not None:
        return Requirement(line=line, path=path, name=matched["name"], version=matched["version"])
    if OWN.fullmatch(text):
        return Requirement(line=line, path=path)
    return Requirement(line=line, path=path, foreign=_foreign(text))


def _foreign(text: str) -> str:
    if text.startswith("-") or " -" in text:
        return "an option of the installer"
    if "://" in text or "@" in text:
        return "an address"
    if "/" in text or "\\" in text or text.startswith("."):
        return "a path"
    return "nothing that an index knows"
