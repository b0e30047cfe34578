"""The key of a step: its code without comments and layout, its parameters, and what it takes from other steps."""

import ast
import hashlib
import platform
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cellops.capture.redaction import is_secret, redact
from cellops.capture.secrets import REDACTED, Secret
from cellops.pipeline.cache.normal_form import READS_CELLS, READS_SOURCE, digest_of_cell
from cellops.pipeline.cache.normal_form import digest as digest_of_tree
from cellops.pipeline.cache.variables import hidden, variables
from cellops.pipeline.steps.python import parse
from cellops.records.cached import StepKey

LOOKS_UP_NAMES = frozenset({"eval", "exec", "globals", "locals", "vars", "__import__", "import_module"})
"""Functions by which code may use a name that does not stand in it."""
ASKS_FOR_ITS_PLACE = frozenset(
    {"__file__", "abspath", "absolute", "cwd", "getcwd", "getcwdb", "pwd", "realpath", "resolve"}
)
"""Names by which code gets to know in which folder of which machine it works."""
WORD = re.compile(r"\w+")
OPTIONS = re.compile(r"(?m)^[ \t]*%%mlops[ \t]+(?!step\b|parameters\b).*$")
"""Headers whose options decide what the cell does: `%%mlops run --seed 7`."""


def key(
    sources: Iterable[str],
    parameters: Mapping[str, object],
    inputs: Mapping[str, str | None],
    *,
    outputs: Sequence[str],
    folder: Path,
    project: Path,
    parameters_cell: str | None,
    kernel: str,
    salt: bytes = b"",
) -> StepKey:
    """The key of a step.

    Comments, layout and the headers of cells make no difference to it unless a cell reads sources, nor parameters that
    the step does not name.

    Parameters
    ----------
    sources
        Its cells in the order of execution, the parameters cell left out.
    parameters
        The values of all parameters, by name.
    inputs
        Digests of the values that it takes from other steps.
    outputs
        The names whose values it hands on.
    folder
        In which the kernel works.
    project
        Another one elsewhere is as good as this one, unless the cells ask where they stand.
    parameters_cell
        The source of the cell that declares the parameters, where the step executes it.
    kernel
        The name of the kernel.
    salt
        What digests of secrets are made with.

    Raises
    ------
    SyntaxError
        When a cell is no Python.
    """
    sources = list(sources)
    trees = [parse(source) for source in sources]
    options = [found for source in sources for found in OPTIONS.findall(source)]
    used = set(outputs) | {name for tree in trees for node in ast.walk(tree) for name in _names(node)}
    declaring = [] if parameters_cell is None else _statements(parameters_cell, parameters, used)
    return StepKey(
        code=(*map(digest_of_tree, declaring), *_digests(sources, trees)),
        options=tuple(options),
        parameters={
            name: _written(name, value, salt)
            for name, value in parameters.items()
            if type(value) is not Secret and _is_used(name, used)
        },
        inputs=dict(inputs),
        outputs=tuple(outputs),
        folder=_place(folder, project, used),
        kernel=kernel,
        machine=f"{sys.platform} {platform.machine()}",
        variables=variables(trees, salt),
    )


def digest(of: StepKey) -> str:
    """What the entries of a key are filed under: SHA-256, as hexadecimal digits."""
    return hashlib.sha256(of.to_pretty_json()).hexdigest()


def _written(name: str, value: object, salt: bytes) -> str:
    """A value as Python writes it; one that may be a secret in a form that does not show it."""
    text = repr(value)
    return text if not is_secret(name) and redact(text) == text else f"{REDACTED} {hidden(text, salt)}"


def _place(folder: Path, project: Path, used: set[str]) -> str:
    if folder.is_relative_to(project) and used.isdisjoint(ASKS_FOR_ITS_PLACE):
        return folder.relative_to(project).as_posix()
    return str(folder)


def _names(node: ast.AST) -> Iterable[str]:
    """The names that a node may use, those in texts among them: `query("age > @limit")`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return (name,)
        case ast.Constant(value=str(text)):
            return WORD.findall(text)
        case _:
            return ()


def _is_used(name: str, used: set[str]) -> bool:
    return name in used or not used.isdisjoint(LOOKS_UP_NAMES)


def _statements(source: str, parameters: Mapping[str, object], used: set[str]) -> list[ast.Module]:
    """The statements of the parameters cell beside parameters whose values are known: computed ones that are used.

    What such a one uses is added to `used`.
    """
    kept: list[ast.stmt] = []
    for statement in reversed(parse(source).body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if name in parameters or not _is_used(name, used):
                    continue
            case _:
                pass
        used |= {name for node in ast.walk(statement) for name in _names(node)}
        kept.append(statement)
    return [ast.Module([statement], []) for statement in reversed(kept)]


def _digests(sources: Iterable[str], trees: Iterable[ast.Module]) -> list[str]:
    """One digest a cell; of the text itself where any of them reads sources."""
    if any(READS_SOURCE.search(source) or READS_CELLS.search(source) for source in sources):
        return [hashlib.sha256(source.encode(errors="surrogatepass")).hexdigest()[:32] for source in sources]
    return list(map(digest_of_cell, sources, trees))
