"""What calls read from disk and write to it."""

import ast

from cellops.capture.names import libraries
from cellops.capture.names.calls.called import Called, Evaluator
from cellops.capture.names.kinds import Kind
from cellops.capture.names.libraries import last


def note_files(to: Evaluator, called: Called, name: str) -> None:
    """What a call reads from disk and writes to it, by its name."""
    if name in libraries.OPENS and not opens_to_write(called):
        to.notes.read_files()
    elif libraries.WRITES_FILES.match(name) or name == "to_file":
        to.notes.write_files()
    elif libraries.READS_FILES.match(name):
        to.notes.read_files()


def opens_to_write(called: Called) -> bool:
    """Whether a file is opened to be written to, as far as the mode is a plain text."""
    origin = called.function.origin or called.method
    if libraries.OPENS_TO_WRITE.search(origin) or maps_a_file(called.node):
        return not (last(origin) == "connect" and _is_in_memory(called.node))
    if last(origin) not in libraries.OPENS:
        return False
    place = 0 if called.base is not None and called.base.kind is Kind.CONSTANT else 1
    given = [*called.node.args[place : place + 1], *(k.value for k in called.node.keywords if k.arg == "mode")]
    modes = [node.value if isinstance(node, ast.Constant) else "w" for node in given]
    return any(not isinstance(mode, str) or set(mode) & set("wax+") for mode in modes)


def maps_a_file(node: ast.Call) -> bool:
    """Whether an array is asked for that is a file itself."""
    return any(
        k.arg == "mmap_mode" and not (isinstance(k.value, ast.Constant) and k.value.value is None)
        for k in node.keywords
    )


def _is_in_memory(node: ast.Call) -> bool:
    """Whether a database is opened that is no file."""
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    return not given or (isinstance(given[0], ast.Constant) and given[0].value == ":memory:")
