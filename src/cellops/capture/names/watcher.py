"""The watcher of names: what a cell's source says of them, joined with what has really changed."""

from collections import deque
from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Any
from weakref import getweakrefcount

from cellops.capture.dataflow.analysis import FAULT, NOT_UNDERSTOOD, Dataflow
from cellops.capture.dataflow.visitor import STAR_IMPORT
from cellops.capture.names.axes import Axes
from cellops.capture.names.before import Before
from cellops.capture.names.bindings import GONE, watch
from cellops.capture.names.caches import Caches
from cellops.capture.names.effects import Source
from cellops.capture.names.endings import may_act_at_its_end, may_linger
from cellops.capture.names.garbage import Garbage
from cellops.capture.names.hooks import Hooks
from cellops.capture.names.kinds import PLAIN_FUNCTION, Description, Kind, describe
from cellops.capture.names.members import of_libraries
from cellops.capture.names.memory import Memory
from cellops.capture.names.namespace import OF_IPYTHON, RESULT, Picture
from cellops.capture.names.output import Output
from cellops.capture.names.owners import is_of_library
from cellops.capture.names.placed import Placed
from cellops.capture.names.sharing import Value
from cellops.capture.names.surroundings import Surroundings
from cellops.capture.names.tasks import Tasks, let_go_on
from cellops.capture.names.threads import Threads
from cellops.capture.names.types import bases_of, held_by, identity_of, name_of
from cellops.capture.watcher import Ending, OpenCell, Seen
from cellops.records.cell import Outcome
from cellops.records.effects import (
    ANYTHING,
    HOOKS,
    INTERPRETER,
    OUTPUT,
    RESULTS,
    TASKS,
    Effects,
    FunctionEffects,
)

MOST_CODE = 200_000
"""Characters of a cell beyond which its statements are not read one by one."""
MOVED_ON = ("__", "___")
"""The names under which results go on when others come."""
ANNOTATIONS = Value(Kind.BOX, frozenset({"__annotations__"}), direct=True)
"""The dictionary of the notebook in which Python keeps the annotations of names."""
DOES_ANYTHING = FunctionEffects(uses=(ANYTHING,), changes=(ANYTHING,))


class Names:
    name = "names"

    def __init__(self) -> None:
        self._namespace: Mapping[str, Any] = {}
        self._picture = Picture({})
        self._memory = Memory()
        self._axes = Axes()
        self._caches = Caches({})
        self._placed = Placed()
        self._surroundings = Surroundings()
        self._threads = Threads({})
        self._tasks = Tasks()
        self._hooks = Hooks(None)
        self._garbage = Garbage()
        self._output = Output()
        self._results: deque[str] = deque(maxlen=len(MOVED_ON))
        """The names of the last results, `_7` for example."""
        self._earlier: set[str] = set()
        """Names that stand since before capturing began."""
        self._open: list[OpenCell] = []
        self._beside: dict[int, dict[str, None]] = {}
        """For each of them those that run at the same time, in other threads."""
        self._missed = False
        """Whether nothing is known of a cell before the next one that ends."""

    def start(self, shell: Any) -> None:
        """Remember what stands already."""
        self._namespace = shell.user_ns
        self._caches = Caches(self._namespace)
        self._placed = Placed()
        self._surroundings = Surroundings()
        self._threads = Threads(self._namespace)
        self._tasks.start()
        self._hooks = Hooks(shell)
        self._picture = Picture(self._namespace)
        self._output = Output()
        hidden = getattr(shell, "user_ns_hidden", {})
        self._earlier = {name for name in self._picture.names if name not in hidden and not OF_IPYTHON.match(name)}

    def stop(self) -> None:
        """Nothing to take away."""

    def before(self, cell: OpenCell) -> Before:
        try:
            return self._before(cell)
        except BaseException:
            self._miss(cell, self._picture)
            raise

    def after(self, cell: OpenCell, state: Before, ending: Ending) -> Seen:
        try:
            return self._after(cell, state, ending)
        except BaseException:
            self._miss(cell, state.picture)
            raise

    def _miss(self, cell: OpenCell, picture: Picture) -> None:
        """Know nothing of a cell, by a fault of ours: what it bound is found behind the next one."""
        self._open = [other for other in self._open if other is not cell]
        self._beside.pop(cell.order, None)
        self._picture = picture
        self._missed = True

    def _before(self, cell: OpenCell) -> Before:
        nested = any(outer.thread == cell.thread for outer in self._open)
        beside = [other for other in self._open if other.thread != cell.thread]
        for other in beside:
            self._beside[other.order][cell.where] = None
        self._beside[cell.order] = dict.fromkeys(other.where for other in beside)
        self._open.append(cell)
        redirected = self._output.has_moved()
        own = self._take_back(cell)
        self._placed.replaced.foresee(of_libraries(cell.flow.members, cell.flow, self._namespace))
        self._placed.foresee(cell.flow.members, cell.body)
        for named in of_libraries(cell.flow.attributes, cell.flow, self._namespace):
            self._placed.handed.add(named)
        shown = dict.fromkeys((*cell.flow.reads, *cell.flow.lines))
        present = {name: self._namespace[name] for name in shown if name in self._namespace and name not in own}
        kinds = {name: describe(value) for name, value in present.items()}
        ending = [n for n in cell.flow.lines if n in present and may_act_at_its_end(present[n], kinds[n])]
        watched = [n for n in cell.flow.lines if n in present and _is_missed(present[n], kinds[n].kind)]
        return Before(
            picture=self._picture,
            kinds=kinds,
            watched=tuple(watched),
            ending=tuple(ending),
            lingering=tuple(n for n in ending if may_linger(present[n])),
            bound={name: watch(present[name]) for name in cell.flow.lines if name in present},
            strayed=tuple(name for name in cell.flow.reads if name in present and self._has_strayed(name)),
            nested=nested,
            beside=self._beside[cell.order],
            accompanied=self._threads.are_running([other.thread for other in self._open]),
            collected=self._garbage.collected(),
            output=Output() if redirected else self._output,
            redirected=redirected,
            hooks=self._hooks.installed(),
            tasks=self._tasks.are_going_on(),
        )

    def _take_back(self, cell: OpenCell) -> set[str]:
        """The names that a cell had bound when capturing began in its middle: they were not there before it."""
        if cell.begun is None:
            return set()
        lines = cell.flow.lines
        own = {name for name in self._earlier if name in lines and min(lines[name]) < cell.begun}
        if cell.execution_count == 1 and cell.flow.uncertain:
            own = set(self._earlier)
        self._earlier -= own
        self._picture = Picture({name: held for name, held in dict(self._namespace).items() if name not in own})
        return own

    def _has_strayed(self, name: str) -> bool:
        return not OF_IPYTHON.match(name) and not self._picture.stands_for(name, self._namespace[name])

    def _after(self, cell: OpenCell, state: Before, ending: Ending) -> Seen:
        self._open = [other for other in self._open if other is not cell]
        self._beside.pop(cell.order)
        self._picture = Picture(self._namespace, self._picture)
        changed = self._picture.changed_since(state.picture)
        gone = self._picture.missing_since(state.picture)
        cell.changed = (*changed, *gone)
        own, deleted = ([name for name in names if not OF_IPYTHON.match(name)] for names in (changed, gone))
        results = [name for name in changed if RESULT.match(name)]
        effects = self._effects(cell, state, ending, (own, deleted, results))
        self._missed = False
        self._earlier.difference_update(effects.binds)
        unseen = tuple(name for name in own if name not in cell.flow.lines)
        return Seen({"changed": unseen, "deleted": tuple(deleted), "effects": effects})

    def _effects(
        self, cell: OpenCell, state: Before, ending: Ending, found: tuple[list[str], list[str], list[str]]
    ) -> Effects:
        changed, deleted, results = found
        read = self._read(cell, state)
        notes = read.notes
        bound, perhaps = self._bound(cell.flow, state, ending)
        hooks = self._hooks.installed().all
        earlier = not self._hooks.earlier.isdisjoint(state.hooks.all | hooks)
        unknown = (
            *notes.unknown,
            *(f"{NOT_UNDERSTOOD}{u}" for u in _not_understood(cell.flow)),
            *(f"it ran beside {where}" for where in state.beside),
            *(["it ran beside a thread that an earlier cell had started"] if state.accompanied else ()),
            *(["it ran beside a task that may have used anything"] if state.tasks and self._tasks.boundless else ()),
            *(["a cell before it was not captured"] if self._missed else ()),
            *(["it ran beside functions that were to be called since before capturing began"] if earlier else ()),
        )
        unseen = [name for name in changed if unknown or name not in read.bound]
        aliases = {name: tuple(sorted(sources)) for name, sources in notes.aliases.items()}
        aliases |= {name: aliases.get(name, ()) for name in (*perhaps, *state.strayed)}
        aliases |= dict.fromkeys(unseen, (ANYTHING,))
        holds = {name: tuple(sorted(held)) for name, held in notes.holds.items()}
        self._share_results(results, read.result, aliases, holds)
        functions = {name: self._plain(name, found) for name, found in notes.functions.items()}
        functions |= {name: DOES_ANYTHING for name in unseen if unknown and self._may_do_anything(name)}
        touched = (*bound, *unseen, *results, *perhaps, *notes.changes, *notes.mutates)
        kinds = {name: describe(self._namespace[name]).kind for name in touched if name in self._namespace}
        stood = [name for name in touched if name not in bound]
        present = (*deleted, *stood, *bound)
        axes = self._axes.learn(present, self._namespace)
        for name, others in (*self._memory.learn(present, self._namespace).items(), *axes.aliases.items()):
            aliases[name] = tuple(dict.fromkeys((*aliases.get(name, ()), *others)))
        for name, others in axes.holds.items():
            holds[name] = (*holds.get(name, ()), *others)
        tasks = [TASKS] if state.tasks and (unseen or deleted or let_go_on(cell.body, cell.flow)) else []
        gives_up = [n for n in state.ending if n in bound or n in perhaps or n in deleted]
        lingering = [name for name in gives_up if name in state.lingering]
        garbage = self._garbage.acted(state.collected)
        self._garbage.learn(lingering, (n for n, found in functions.items() if found.ends and self._is_class(n)))
        settled = self._placed.settle()
        running = self._placed.replaced.running()
        replaced, unsure = ([INTERPRETER] if one else [] for one in running)
        needs = (*notes.needs, *state.watched, *([ANYTHING] if state.strayed else ()), *tasks, *garbage)
        left = [TASKS] if self._tasks.are_left(boundless=bool(unknown)) else []
        holds |= dict.fromkeys(left, (*needs, *bound, *unseen))
        if state.hooks.all != hooks or self._missed:
            aliases[HOOKS] = (ANYTHING,)
            left += [HOOKS, INTERPRETER]
        if settled:
            holds[INTERPRETER] = (*holds.get(INTERPRETER, ()), *needs, *bound, *unseen)
        if self._surroundings.changed() or settled:
            left.append(INTERPRETER)
        hooking = [HOOKS] if state.hooks.inside or HOOKS in left else []
        redirects = state.output.has_moved()
        redirected = [OUTPUT] if state.redirected or redirects else []
        if redirects:
            aliases[OUTPUT] = (*needs, *bound, *unseen)
            left.append(INTERPRETER)
        return Effects(
            needs=(*needs, *hooking, *unsure),
            active=(*notes.active, *state.watched, *tasks, *hooking, *garbage, *replaced),
            binds=(*bound, *unseen, *results, *deleted),
            changes=(*notes.changes, *([RESULTS] if results else []), *left),
            gives_up=tuple(gives_up),
            lingering=tuple(lingering),
            mutates=(*notes.mutates, *state.watched, *tasks, *redirected, *garbage[:1], *unsure),
            derived=tuple(notes.derived),
            aliases=aliases,
            holds=holds,
            lent=tuple(notes.lent),
            reaches={name: tuple(sorted(held)) for name, held in notes.reaches.items()},
            functions=functions,
            constant=tuple(name for name, kind in kinds.items() if kind in (Kind.CONSTANT, Kind.LIBRARY)),
            passive=tuple(name for name, kind in kinds.items() if kind in PASSIVE),
            unknown=unknown,
            earlier=tuple(name for name in needs if name in self._earlier),
            nested=state.nested,
            rebound=() if STAR_IMPORT in cell.flow.uncertain else tuple(filter(state.picture.has, unseen)),
            tasks=state.tasks,
            hooked=bool(state.hooks.all or hooks),
        )

    def _share_results(
        self, results: list[str], found: Value, aliases: dict[str, tuple[str, ...]], holds: dict[str, tuple[str, ...]]
    ) -> None:
        """Note what the names share under which IPython keeps the result of a cell."""
        older = self._older_results(results)
        aliases |= {name: (older[name],) if name in older else tuple(sorted(found.roots)) for name in results}
        same = [name for name in results if name not in older]
        aliases |= {name: (*aliases[name], same[0]) for name in same[1:]}
        holds |= {name: tuple(sorted(found.held)) for name in results if found.held and name not in older}
        if results:
            holds[RESULTS] = (*sorted(found.everything), *same[:1])

    def _older_results(self, results: list[str]) -> dict[str, str]:
        """The names of results that stand for those of earlier cells, with the names that these have for good."""
        kept = {identity_of(self._namespace[name]): name for name in self._results if name in self._namespace}
        self._results += (name for name in results if name.strip("_"))
        found = {name: kept.get(identity_of(self._namespace[name])) for name in results if name in MOVED_ON}
        return {name: earlier for name, earlier in found.items() if earlier is not None}

    def _read(self, cell: OpenCell, state: Before) -> Source:
        """The statements of a cell; of a very long one nothing is asked but that it may do anything."""

        def before(name: str) -> Description | None:
            if name in state.kinds or not state.picture.has(name) or name not in self._namespace:
                return state.kinds.get(name)
            return describe(self._namespace[name])

        def after(name: str) -> Description | None:
            once = len(cell.flow.lines.get(name, ())) == 1 and name in cell.flow.certain
            return describe(self._namespace[name]) if once and name in self._namespace else None

        def text_of(name: str) -> str | None:
            value = self._namespace.get(name)
            return value if type(value) is str else None

        self._caches.learn(cell.body, cell.flow.tree)
        read = Source(before, after, text_of, self._caches.among(cell.flow.reads), self._placed)
        if len(cell.body) > MOST_CODE:
            read.notes.unknown["it is very long"] = None
            return read
        try:
            read.run(cell.flow.tree.body)
        except RecursionError:
            read.notes.unknown["it is nested very deep"] = None
        for annotation in read.annotations:
            read.notes.change(ANNOTATIONS)
            read.notes.store(ANNOTATIONS, annotation)
        return read

    def _bound(self, flow: Dataflow, state: Before, ending: Ending) -> tuple[list[str], list[str]]:
        """The names of the source that were surely bound, and those of which nobody can say."""
        line = ending.error.line if ending.error else None
        reached = (0 if line is None else line) if ending.outcome is not Outcome.OK else None
        surely, perhaps = [], []
        for name in flow.lines:
            if name not in self._namespace:
                continue
            was = state.bound.get(name)
            certain = flow.certain.get(name)
            if was is None or (certain is not None and (reached is None or certain < reached)):
                surely.append(name)
                continue
            if not self._picture.same(name, state.picture):
                surely.append(name)
            elif was() is GONE:
                perhaps.append(name)
            elif was() is not self._namespace[name]:
                surely.append(name)
        return surely, perhaps

    def _plain(self, name: str, found: FunctionEffects) -> FunctionEffects:
        described = describe(self._namespace[name]) if name in self._namespace else None
        return found.replace(keeps=described is None or described.origin != PLAIN_FUNCTION)

    def _is_class(self, name: str) -> bool:
        return issubclass(type(self._namespace.get(name)), type)

    def _may_do_anything(self, name: str) -> bool:
        """Whether an object may use names of the notebook in a way that no source shows."""
        value = self._namespace.get(name)
        if type(value) is FunctionType:
            return value.__globals__ is self._namespace
        return describe(value).kind in (Kind.BOX, Kind.ACTIVE)


PASSIVE = frozenset({Kind.CONSTANT, Kind.TABLE, Kind.DATA, Kind.ESTIMATOR, Kind.LIBRARY})


def _is_missed(value: object, kind: Kind) -> bool:
    """Whether giving up an object is seen: there are weak references to it, as to each class, or it has a `__del__`."""
    if kind is not Kind.ACTIVE or issubclass(type(value), type):
        return False
    own = (base for base in bases_of(type(value)) if not is_of_library(name_of(base)[0]))
    return getweakrefcount(value) > 0 or any("__del__" in held_by(base) for base in own)


def _not_understood(flow: Dataflow) -> Iterable[str]:
    """Why the source could not be read although Python may execute it."""
    reasons = (r.removeprefix(NOT_UNDERSTOOD) for r in flow.uncertain if r.startswith(NOT_UNDERSTOOD))
    return (reason for reason in reasons if reason in {"RecursionError", "MemoryError", FAULT})
