"""Why a kept step may not be used: what it was found to depend on, held against what is there now."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

from cellops.capture.blobs import digest
from cellops.capture.environment.distributions import installed, version_of
from cellops.capture.files.pinning import identify, is_regular, pin
from cellops.records.cached import Dependencies, KeptStep, StepKey
from cellops.records.file import FileUse


def stale(found: Dependencies, project: Path) -> Iterator[str]:
    """What has changed of the files, modules and libraries that a step depends on; nothing where it may be used.

    Parameters
    ----------
    found
        What the execution of the step has shown.
    project
        The folder that paths are relative to.
    """
    for use in found.files:
        yield from _of_a_file(use, project)
    for module in found.modules:
        if not (project / module.path).is_file():
            yield f"its module {module.path} is gone"
        elif digest((project / module.path).read_bytes()) != module.digest:
            yield f"its module {module.path} has changed"
    there = installed(found.import_folders)
    for name, version in found.distributions.items():
        if name not in there:
            yield f"{name} {version} is not installed any more"
        elif version_of(there[name]) != version:
            yield f"{name} {version} is now {version_of(there[name])}"


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
        yield f"{', '.join(now.options) or 'a header'} changed"
    if then.folder != now.folder:
        yield f"it was executed in {then.folder}"
    if (then.kernel, then.machine) != (now.kernel, now.machine):
        yield f"it was executed by kernel {then.kernel} on {then.machine}"


def _named(kind: str, then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys((*then, *now)):
        before, after = then.get(name), now.get(name)
        if before != after:
            yield f"{kind} {name}: {'none' if before is None else before} → {'none' if after is None else after}"


def _of_a_file(use: FileUse, project: Path) -> Iterator[str]:
    if "://" in use.path:
        yield f"it reads {use.path}, which nobody can tell to be the same"
        return
    path = project / Path(use.path).expanduser()
    seen = identify(path)
    if seen is None:
        yield f"{use.path} is gone"
    elif use.mode == "update":
        yield f"it reads and writes {use.path}"
    elif use.mode == "write" or use.digest is None:
        if (seen.size if is_regular(seen) else None, seen.modified / 1e9) != (use.size, use.modified):
            yield f"{use.path} is not as it was {'left' if use.mode == 'write' else 'read'}"
    elif (is_regular(seen) and seen.size != use.size) or pin(path, seen).digest != use.digest:
        yield f"{use.path} has changed"
