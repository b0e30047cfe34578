"""What an object is made of: attributes, slots and items, read past its own idea of them."""

import re
from collections import OrderedDict, defaultdict, deque
from functools import lru_cache
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

from cellops.capture.content.tokens import UnhashableError
from cellops.capture.names.types import bases_of, held_by

COMPILED = re.compile(r"sklearn\.(?:tree\._tree\.Tree|neighbors\._(?:kd|ball)_tree\.\w+)")
"""Compiled types whose state is plain arrays, and whose `__getstate__` runs no code but their own."""
LIVE = re.compile(
    r"(?:_asyncio|_duckdb|_queue|_thread|anywidget|asyncio|comm|concurrent|duckdb|http|ipykernel|ipywidgets|IPython"
    r"|logging|matplotlib"
    r"|multiprocessing|pandas\.io|plotly|queue|requests|scipy\.stats\._\w*distn\w*|seaborn|selectors|socket|socketserver"
    r"|sqlite3|ssl|subprocess|threading|tornado|traitlets|urllib|urllib3|weakref|zmq)(?:\.|$)"
)
"""Modules whose objects stand for something outside of them: threads, connections, locks, drawings."""
POINTER = object.__basicsize__ // 2
FILLED: tuple[Any, ...] = (list, dict, tuple, set, frozenset, str, bytes, int, float, complex)
"""Builtin types that classes are derived from, with content beside the attributes."""
EMPTY = object()
BITS_OF_AN_ITEM = 64
ASKED = (
    "__hash__",
    "__eq__",
    "__getattribute__",
    "__module__",
    "__qualname__",
    "__name__",
    "__mro__",
    "__dict__",
    "__basicsize__",
    "__itemsize__",
    "__dictoffset__",
    "__weakrefoffset__",
)
"""What is asked of a class while its objects are read."""


def check_class(kind: type) -> None:
    """Refuse a class whose own class answers for it: asking for its name or its hash would run that code.

    Raises
    ------
    UnhashableError
        When it does.
    """
    meta = type(kind)
    if meta is type:
        return
    for base in type.__getattribute__(meta, "__mro__"):
        own = {} if base in {type, object} else type.__getattribute__(base, "__dict__")
        if any(name in own and type(own[name]) is not str for name in ASKED):
            fact = "its class has a class of its own that answers for it"
            raise UnhashableError(fact)


def size_of(value: Any) -> int:
    """How many attributes and items an object has, told without looking at one."""
    mro = type(value).__mro__
    base = next((base for base in (*FILLED, deque) if base in mro), None)
    held = _own_dictionary(value)
    count = 0 if held is None else len(held)
    if base is int:
        return count + int.bit_length(value) // BITS_OF_AN_ITEM
    return count + (base.__len__(value) if hasattr(base, "__len__") else 0)  # type: ignore[union-attr]


def attributes(value: Any) -> dict[str, Any] | None:
    """The attributes and slots of an object; None where it may hold more than these and what `items_of` gives."""
    kind = type(value)
    if COMPILED.fullmatch(f"{kind.__module__}.{kind.__qualname__}"):
        state = value.__getstate__()
        return {f"state {place}": held for place, held in enumerate(state)} if type(state) is tuple else dict(state)
    if kind in {OrderedDict, defaultdict, deque}:
        return {"maxlen": value.maxlen} if kind is deque else {}
    if any(_is_live(str(held_by(base).get("__module__"))) for base in bases_of(kind)):
        return None
    slots = _slots(kind)
    if kind.__basicsize__ != _expected_size(kind, len(slots)):
        return None
    held = _dictionary(value)
    if held is None:
        return None
    found = {slot.__name__: _read(slot, value) for slot in slots}
    return {**{name: content for name, content in found.items() if content is not EMPTY}, **held}


@lru_cache(maxsize=1024)
def _is_live(module: str) -> bool:
    return LIVE.match(module) is not None


def items_of(value: Any) -> Any:
    """What an object of a class derived from a builtin type holds, as that type; None for every other object."""
    kind = type(value)
    if kind is OrderedDict:
        return dict(OrderedDict.items(value))
    if kind is defaultdict:
        return [value.default_factory, dict(dict.items(value))]
    if kind is deque:
        return list(value)
    base = next((base for base in FILLED if base is not kind and base in kind.__mro__), None)
    if base is dict:
        return dict(dict.items(value))
    if base in {list, tuple, set, frozenset}:
        return base(base.__iter__(value))
    # The conversion methods of a derived class are its own code; those of its base are not.
    return None if base is None else base.__getnewargs__(value)[0]


def _expected_size(kind: type, slots: int) -> int:
    """The bytes of an object that a class of python has laid out: compiled ones have fields that nothing shows."""
    base = next((base for base in FILLED if base in kind.__mro__), object)
    # Where an offset is negative, python keeps it in front of the object; behind one of any length, it has room too.
    laid_out = (kind.__dictoffset__ > 0 or kind.__itemsize__ > 0) and bool(kind.__dictoffset__)
    referred = kind.__weakrefoffset__ > 0 and not base.__weakrefoffset__
    return base.__basicsize__ + POINTER * (slots + laid_out + referred)


def _slots(kind: type) -> list[MemberDescriptorType]:
    """The slots of a class and its bases, each name once, the most derived first."""
    found: list[MemberDescriptorType] = []
    for base in kind.__mro__:
        if "__slots__" in vars(base):
            found += [held for held in vars(base).values() if type(held) is MemberDescriptorType]
    return found


def _read(slot: MemberDescriptorType, value: Any) -> Any:
    try:
        return slot.__get__(value)
    except AttributeError:
        return EMPTY


def _dictionary(value: Any) -> dict[str, Any] | None:
    """The attributes that are no slots; None where a class has an idea of its own of them."""
    held = _own_dictionary(value)
    return None if held is None else {name: held[name] for name in held if type(name) is str}


def _own_dictionary(value: Any) -> dict[Any, Any] | None:
    """The dictionary of an object itself, empty where it has none; None where a class has an idea of its own of it."""
    for base in type(value).__mro__:
        described = vars(base).get("__dict__")
        if described is not None:
            held = described.__get__(value) if type(described) in {GetSetDescriptorType, MemberDescriptorType} else None
            return held if type(held) is dict else None
    return {}
