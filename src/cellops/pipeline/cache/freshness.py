"""Why a kept step may not be used: what it was found to depend on, held against what is there now."""

import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import PathFinder
from itertools import accumulate, zip_longest
from pathlib import Path, PurePosixPath

from cellops.capture.blobs import digest
from cellops.capture.environment.distributions import installed
from cellops.capture.files.looks import size_and_time
from cellops.capture.files.names import names_in
from cellops.capture.files.pinning import identify, is_regular, pin
from cellops.capture.files.pointers import is_address
from cellops.pipeline.cache.dependencies import versions
from cellops.pipeline.cache.imports import differing
from cellops.pipeline.cache.interpreter import Interpreter
from cellops.pipeline.cache.normal_form import digest_of_source
from cellops.pipeline.cache.variables import variables_of
from cellops.records.cached import Dependencies, KeptStep, StepKey
from cellops.records.file import FileUse, Found, Look
from cellops.records.module import ModuleSource


def stale(
    found: Dependencies, project: Path, interpreter: Interpreter | None, *, salt: bytes = b"", declared: bool = False
) -> Iterator[str]:
    """What has changed of all that a step depends on, or is not known of it; nothing where it may be used.

    Parameters
    ----------
    found
        What the execution of the step has shown.
    project
        The folder that paths are relative to.
    interpreter
        Of the kernel that would execute it now; None where nobody knows.
    salt
        What digests of secrets are made with.
    declared
        Whether its header says that it may be kept although nobody knows all that it reads.
    """
    if not declared:
        yield from (f"{reason}; --keep in its header would keep it all the same" for reason in found.unknown)
    yield from _of_python(found, interpreter, project)
    for use in found.files:
        yield from _of_a_file(use, project)
    for look in found.looks:
        yield from _of_a_look(look, found, project)
    for module in found.modules:
        path = project / Path(module.path).expanduser()
        if not path.is_file():
            yield f"its module {module.path} is gone"
        elif _is_another(path.read_bytes(), module, found):
            yield f"its module {module.path} has changed"
    for name in _differing(found.variables, variables_of(found.modules, project, salt)):
        yield f"variable {name}, which its modules read, has changed"


def _is_another(content: bytes, module: ModuleSource, found: Dependencies) -> bool:
    """Whether a module does something else than the one that was imported."""
    code = found.code.get(module.path)
    return digest(content) != module.digest and (code is None or digest_of_source(content) != code)


def _of_python(found: Dependencies, interpreter: Interpreter | None, project: Path) -> Iterator[str]:
    """The interpreter and what it would import, also from folders that code has added to its own."""
    if interpreter is None:
        yield "nobody can tell which Python its kernel is started with"
        return
    if found.python != interpreter.version:
        yield f"{found.python} is now {interpreter.version}"
    there = installed(_folders(found.import_folders, found, interpreter))
    now = versions(there, found.distributions)
    for name, version in found.distributions.items():
        if name not in now:
            yield f"{name} {version} is not installed any more"
        elif now[name] != version:
            yield f"{name} {version} is now {now[name]}"
    real = Path(os.path.realpath(project))
    PathFinder.invalidate_caches()
    for sought in found.imports:
        folders = [str(real / Path(folder).expanduser()) for folder in sought.folders]
        for module, before, place in differing(sought, _folders(folders, found, interpreter), real):
            yield (
                f"{module} can be imported now" if before is None else f"import {module} finds {place or 'nothing'} now"
            )


def _folders(then: Sequence[str], found: Dependencies, interpreter: Interpreter) -> Sequence[str]:
    """Where an interpreter looks for modules now: in the place of what was installed, what its own environment has."""
    if interpreter.prefix == found.prefix:
        return then
    added = [folder for folder in then if not Path(folder).is_relative_to(found.prefix)]
    return then if len(added) == len(then) else (*interpreter.folders, *added)


def _differing(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [name for name in dict.fromkeys((*then, *now)) if then.get(name) != now.get(name)]


def changed(before: KeptStep, now: StepKey, places: tuple[int, ...]) -> Iterator[str]:
    """What differs in the key of a step from when it was executed last.

    Parameters
    ----------
    places
        Where the cells of the code stand now, as `KeptStep.places`.
    """
    then = before.key
    if then.code != now.code:
        pairs = zip_longest(before.places, then.code, places, now.code)
        edited = sorted({place + 1 for _, old, place, new in pairs if old != new and place is not None and new})
        removed = len(then.code) > len(now.code)
        cells = f"cell{'s' * (len(edited) > 1)} {', '.join(map(str, edited))} changed" if edited else ""
        yield cells or ("a cell was taken away" if removed else "its code changed")
    yield from _named("parameter", then.parameters, now.parameters)
    for name in dict.fromkeys((*then.inputs, *now.inputs)):
        if then.inputs.get(name) != now.inputs.get(name):
            yield f"its input {name} changed"
    for name in now.outputs:
        if name not in then.outputs:
            yield f"a later step takes {name} from it now"
    yield from _named("variable", then.variables, now.variables)
    if then.options != now.options:
        gone, new = (", ".join(_without(*pair)) or "none" for pair in ((then, now), (now, then)))
        yield f"options: {gone} → {new}" if gone != new else "the order of its headers changed"
    if then.folder != now.folder:
        yield f"it was executed in {then.folder}"
    if (then.kernel, then.machine) != (now.kernel, now.machine):
        yield f"it was executed by kernel {then.kernel} on {then.machine}"


def _without(one: StepKey, other: StepKey) -> list[str]:
    return [option for option in one.options if option not in other.options]


def _named(kind: str, then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys((*then, *now)):
        before, after = then.get(name), now.get(name)
        if before != after:
            yield f"{kind} {name}: {'none' if before is None else before} → {'none' if after is None else after}"


def _of_a_file(use: FileUse, project: Path) -> Iterator[str]:
    if is_address(use.path):
        return  # that it was read stands among what is not known
    path = project / Path(use.path).expanduser()
    seen = identify(path)
    if seen is None:
        yield f"{use.path} is gone"
    elif use.mode == "update":
        yield f"it reads and writes {use.path}"
    elif use.mode == "write" or use.method != "full":
        if (seen.size if is_regular(seen) else None, seen.modified / 1e9) != (use.size, use.modified):
            yield f"{use.path} is not as it was {'left' if use.mode == 'write' else 'read'}"
    elif (is_regular(seen) and seen.size != use.size) or pin(path, seen).digest != use.digest:
        yield f"{use.path} has changed"


def _of_a_look(look: Look, found: Dependencies, project: Path) -> Iterator[str]:
    """Whether a place is as it was when the step looked there, but for what the step has made itself."""
    path = project / Path(look.path).expanduser()
    if look.found is not Found.FOLDER:
        if path.exists() != (look.found is Found.SOMETHING):
            yield f"{look.path} {'is gone' if look.found is Found.SOMETHING else 'was not there'}"
        elif look.digest is not None and look.digest != size_and_time(str(path)):
            yield f"{look.path} has another size or time"
        return
    before = set(look.names or ())
    written = {use.path for use in found.files if use.mode == "write"} if look.names is not None else set()
    parts = [PurePosixPath(use).relative_to(look.path).parts for use in written if _is_below(use, look.path)]
    now = names_in(
        str(path),
        without={text for part in parts for text in accumulate(part, "{}/{}".format)} - before,
        pattern=look.pattern,
    )
    if now is None:
        yield f"{look.path} is no folder any more"
    elif now.digest is None or now.digest != look.digest:
        there = set(now.names or ())
        come, gone = sorted(there - before), sorted(before - there)
        exact = look.names is not None and now.names is not None
        what = [f"{come[0]} has come to"] if come and exact else [f"{gone[0]} has gone from"] if gone and exact else []
        yield f"{what[0]} {look.path}" if what else f"{look.path} holds other files"


def _is_below(path: str, folder: str) -> bool:
    return PurePosixPath(path).is_relative_to(folder)
