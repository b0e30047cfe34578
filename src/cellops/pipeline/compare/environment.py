"""In what two runs were executed."""

from collections.abc import Iterator, Mapping

from cellops.records.run import Environment
from cellops.records.run_comparison import Difference


def environment_differences(before: Environment, after: Environment) -> Iterator[Difference]:
    """What may change results first: python, what either run had imported, variables, threads, then the machine."""
    yield from _of("python", {"python": _python(before)}, {"python": _python(after)})
    imported = {*before.imported, *after.imported}
    yield from _of("distribution", *({n: e.distributions.get(n, "") for n in imported} for e in (before, after)))
    yield from _of("variable", before.variables, after.variables)
    yield from _of("threads", _threads(before), _threads(after))
    yield from _of("machine", _machine(before), _machine(after))


def others(before: Environment, after: Environment) -> int:
    """How many distributions differ that neither run had imported."""
    imported = {*before.imported, *after.imported}
    names = (before.distributions.keys() | after.distributions.keys()) - imported
    return sum(before.distributions.get(name) != after.distributions.get(name) for name in names)


def _of(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(before.keys() | after.keys()):
        then, now = before.get(name, ""), after.get(name, "")
        if then != now:
            yield Difference(kind=kind, name=name, before=then, after=now)


def _python(environment: Environment) -> str:
    return f"{environment.implementation} {environment.python}"


def _threads(environment: Environment) -> dict[str, str]:
    """The pools by library: numpy and scipy bring an own one each."""
    found: dict[str, set[str]] = {}
    for pool in environment.thread_pools:
        words = (pool.version, f"{pool.threads} threads", pool.architecture)
        found.setdefault(pool.library, set()).add(" ".join(word for word in words if word))
    return {library: ", ".join(sorted(pools)) for library, pools in found.items()}


def _machine(environment: Environment) -> dict[str, str]:
    return {
        "platform": environment.platform,
        "processor": f"{environment.cpu} ({environment.machine})",
        "usable cores": str(environment.usable_cores or environment.cores),
        "graphics cards": ", ".join(environment.gpus),
    }
