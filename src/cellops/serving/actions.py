"""What administrators do while a server runs, by HTTP or by a signal: done one by one, and written down."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from enum import StrEnum

from cellops.errors import CellopsError
from cellops.records.rollout import RolloutOrder
from cellops.serving.admin_log import AdminLog
from cellops.serving.crew import Crew
from cellops.serving.errors import LoadError, sentence
from cellops.serving.model import version_of
from cellops.serving.repository import Change, Repository


class Action(StrEnum):
    LOAD = "load"
    UNLOAD = "unload"
    RELOAD = "reload"
    """Load all that are at work."""


@dataclass(frozen=True)
class Person:
    """Who acts, as far as the server knows."""

    name: str
    """Of the token, or the signal."""
    address: str


class Actions:
    """Does what administrators ask.

    Parameters
    ----------
    repository
        What they change.
    log
        Where it is written down.
    on_change
        Hears of each package that was to be loaded or unloaded.
    crew
        The other workers, who do it, too; None where this process is the server.
    """

    def __init__(
        self, repository: Repository, log: AdminLog, on_change: Callable[[Change], None], crew: Crew | None = None
    ) -> None:
        self.repository = repository
        self._log = log
        self._on_change = on_change
        self._crew = crew

    def index(self) -> list[dict[str, str]]:
        """Every version that the server knows; one is ready when all workers have it."""
        found = self.repository.index()
        if self._crew is not None:
            at_work = [package for package in self.repository.packages() if package.digest is not None]
            lacking = {(each.name, version_of(each.digest or "")): self._crew.lacking(each) for each in at_work}
            for entry in found:
                if why := lacking.get((entry["name"], entry["version"])):
                    entry |= {"state": "UNAVAILABLE", "reason": why}
        return found

    def act(self, action: Action, person: Person, model: str | None = None) -> None:
        """Do it, and write down by whom, from where and with what result.

        Raises
        ------
        NotFoundError, LoadError
            As the repository does; when a package could not be loaded; or when nothing can be written down: then
            nothing was done if that was known before.
        NotReadyError
            When not all workers have done it, or others are at it for too long.
        """
        self._log.check()
        with self._turn():
            self._act(action, person, model)

    def roll(self, model: str, order: RolloutOrder, person: Person) -> None:
        """Change a rollout, and write down by whom, from where and with what result.

        Raises
        ------
        NotFoundError, RolloutError, UsageError, LoadError
            As the repository does; or when nothing can be written down.
        NotReadyError
            When not all workers have done it, or others are at it for too long.
        """
        self._log.check()
        with self._turn():
            self._roll(model, order, person)

    def _act(self, action: Action, person: Person, model: str | None) -> None:
        changes: tuple[Change, ...] = ()
        result, trouble = "failed", ""
        try:
            changes = self._done(action, model or "")
            trouble = "; ".join(f"{change.path.name}: {change.trouble}" for change in changes if change.trouble)
            self._pass_on()
            if trouble:
                fact = f"Not everything could be loaded, and what answered still does: {trouble.rstrip('.')}"
                raise LoadError(fact, remedy="Correct the package, and load it again")
            result = "done"
        except CellopsError as error:
            trouble = trouble or sentence(error)
            raise
        finally:
            entry = {"who": person.name, "from": person.address, "action": action, "model": model}
            self._log.write({**entry, "result": result, "trouble": trouble, "packages": list(map(_said, changes))})
            # Whoever was to hear of it may have gone, such as the terminal.
            with suppress(OSError):
                for change in changes:
                    self._on_change(change)

    def _roll(self, model: str, order: RolloutOrder, person: Person) -> None:
        result, trouble = "failed", ""
        try:
            self.repository.roll(model, order, person.name)
            self._pass_on()
            result = "done"
        except CellopsError as error:
            trouble = sentence(error)
            raise
        finally:
            entry = {"who": person.name, "from": person.address, "action": f"rollout {order.action}", "model": model}
            self._log.write({**entry, "result": result, "trouble": trouble})

    def _turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._crew is None else self._crew.turn()

    def _pass_on(self) -> None:
        if self._crew is not None:
            self._crew.pass_on(self.repository.packages())

    def _done(self, action: Action, model: str) -> tuple[Change, ...]:
        if action is Action.RELOAD:
            return self.repository.reload()
        return self.repository.load(model) if action is Action.LOAD else self.repository.unload(model)


def _said(change: Change) -> dict[str, str | None]:
    said = {"name": change.name, "path": str(change.path), "before": change.before, "after": change.after}
    return said | {"trouble": change.trouble}
