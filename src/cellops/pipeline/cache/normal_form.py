"""What two sources of Python have in common that do the same: their syntax trees.

Comments, layout and the numbers of lines are no part of it. Those show in tracebacks, and to code that reads sources or
asks where it stands (`READS_SOURCE`): where any does, sources count as they are.
"""

import ast
import hashlib
import re

from cellops.pipeline.steps.python import lines_of

READS_SOURCE = re.compile(
    r"(?x) __file__ | __loader__ | (?i:lineno) | \bco_(?:line\w*|lnotab|positions)\b | \.exception\("
    r" | \b(?:from|import)\b[^#\n]{0,200}\b(?:inspect|linecache|tokenize|traceback)\b"
    r" | \b(?:getsource\w*|findsource|getcomments|getframeinfo|linecache|tokenize|get_data|get_source|inspect\.stack"
    r" | inspect\.trace|extract_stack|extract_tb|format_exc\w*|format_stack|format_tb|print_exc\w*|print_stack|print_tb"
    r" | TracebackException|dump_traceback|exc_info|stack_info)\b"
)
"""How code reads the text of a source, or which line of it is executed."""
READS_CELLS = re.compile(
    r"(?mx) history_manager | \b_(?:i{1,3}\d*|ih)\b | \bIn\b(?=[ \t]*(?:[^\w \t\n\"'`]|$))"
    r" | (?:%|_magic\(\s*[\"'])(?:ed|edit|hist|history|macro|notebook|pastebin|recall|rep|rerun|save|tb)\b"
)
"""How a cell reads the text of cells that were executed."""


def digest(tree: ast.AST) -> str:
    """What tells one syntax tree from others; docstrings are a part of it, as code may read them."""
    return hashlib.sha256(ast.dump(tree).encode(errors="surrogatepass")).hexdigest()[:32]


def digest_of_cell(source: str, tree: ast.Module) -> str:
    """The digest of a cell's syntax tree, with the semicolons behind its last value: one hides it from display.

    Examples
    --------
    >>> digest_of_cell("x;  # one", ast.parse("x;")) == digest_of_cell("x", ast.parse("x"))
    False
    >>> digest_of_cell("x = 1;", ast.parse("x = 1;")) == digest_of_cell("x = 1", ast.parse("x = 1"))
    True
    """
    match tree.body:
        case [*_, ast.Expr(end_lineno=int(last))]:
            return digest(tree) + ";" * sum(line.count(";") for line in lines_of(source)[last - 1 :])
        case _:
            return digest(tree)


def digest_of_source(content: bytes) -> str | None:
    r"""The digest of a module's syntax tree; None for what is no Python.

    Examples
    --------
    >>> digest_of_source(b"x = 1") == digest_of_source(b"# one\nx=1\n")
    True
    """
    try:
        return digest(ast.parse(content))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
