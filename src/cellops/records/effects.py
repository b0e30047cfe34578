from cellops.records.base import Record

INTERPRETER = "(interpreter)"
"""Stands among names for what all cells share: modules' attributes, the working folder, warnings, options."""
FILES = "(files)"
"""Stands among names for what cells write to disk and read from it."""
TASKS = "(tasks)"
"""Stands among names for asyncio tasks and callbacks that cells leave behind, and all that these may reach."""
RESULTS = "Out"
"""The dictionary of IPython that holds the results of cells."""
OUTPUT = "(output)"
"""Stands among names for what the output of cells goes to while it has been redirected."""
HOOKS = "(hooks)"
"""Stands among names for functions of the notebook that run around later cells: callbacks, transformers, traces."""
GARBAGE = "(garbage)"
"""Stands among names for objects that were given up and still live, in a circle, until python looks for such."""
ANYTHING = "(anything)"
"""Stands among changed names where nobody can say what was changed."""


class FunctionEffects(Record, frozen=True, kw_only=True):
    """What using a function, or an object of a class, that a cell defined may do to names of the notebook."""

    uses: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    """Names that it changes if their values are not plain data: iterators, objects with methods of their own."""
    derived: tuple[str, ...] = ()
    """Names of which it changes what functions of theirs have given it, if their values are not plain data."""
    keeps: bool = True
    """Whether it may keep what it is given in itself, as a closure or an object does."""
    sets: bool = False
    """Whether it sets attributes of what it is given: that may be a module."""
    looked: bool = False
    """Whether an object of it may be changed by being looked at: by reading a property, or asking for its length."""
    ends: bool = False
    """Whether an object of it may do something when it is given up: it has a `__del__`, or is a generator."""


class Effects(Record, frozen=True, kw_only=True):
    """How a cell hangs together with others through the names of the notebook: what a slice is found from."""

    needs: tuple[str, ...] = ()
    """Names whose value from before the cell it may have used."""
    active: tuple[str, ...] = ()
    """Names that it used and whose value is not plain data, so that using it may run code of the notebook."""
    binds: tuple[str, ...] = ()
    """Names that it surely bound anew or deleted."""
    gives_up: tuple[str, ...] = ()
    """Names among those that it bound or deleted whose former objects may do something when they are given up."""
    lingering: tuple[str, ...] = ()
    """Those of them whose former objects may live on, as they hold themselves."""
    changes: tuple[str, ...] = ()
    """Names whose own object it may have changed in place."""
    mutates: tuple[str, ...] = ()
    """Names whose object, or anything that this holds, may have been changed by code that is not known."""
    derived: tuple[str, ...] = ()
    """Names by which such code had something of which the source does not say what it is: what a function gave."""
    aliases: dict[str, tuple[str, ...]] = {}
    """Names that may now stand for (a part of) the objects of others."""
    holds: dict[str, tuple[str, ...]] = {}
    """Names whose object may now hold the objects of others."""
    lent: tuple[str, ...] = ()
    """Names of functions that it may have called with modules, classes or functions of libraries."""
    reaches: dict[str, tuple[str, ...]] = {}
    """Names whose object, or anything that this holds, may now hold the objects of others."""
    functions: dict[str, FunctionEffects] = {}
    """Names of the functions and classes that it defined."""
    constant: tuple[str, ...] = ()
    """Bound names whose value cannot change: a number, a text, a tuple of such."""
    passive: tuple[str, ...] = ()
    """Bound and changed names whose value is plain data: using it runs no code of the notebook."""
    unknown: tuple[str, ...] = ()
    """Why the cell may have used and changed anything: `exec` …"""
    earlier: tuple[str, ...] = ()
    """Needed names that stand since before capturing began."""
    nested: bool = False
    """Whether another cell executed it, and does so again when it is executed again."""
    rebound: tuple[str, ...] = ()
    """Names among those that stood before and that neither its source nor an import of everything in a module shows."""
    tasks: bool = False
    """Whether tasks that earlier cells had left may have gone on since the cell before it."""
    hooked: bool = False
    """Whether functions of the notebook ran around it that a cell had given to IPython or Python to call."""
