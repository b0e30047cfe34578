"""Literals and names of Python as ruff and black would write them."""

from collections.abc import Sequence


def literal(text: str) -> str:
    r"""A text as a literal in double quotation marks, or in single ones where that needs fewer escapes.

    Examples
    --------
    >>> print(literal("it's"), literal('say "a"'))
    "it's" 'say "a"'
    """
    plain = text.encode(errors="backslashreplace").decode()
    inner = repr(plain + "'\"")[1:-4]  # with both marks in it, repr takes single ones and escapes them
    double = plain.count('"') <= plain.count("'")
    inner = inner.replace("\\'", "'")
    return '"' + inner.replace('"', '\\"') + '"' if double else "'" + inner.replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    """A name of Python for what has letters, digits, hyphens and underscores."""
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in name)
    return f"_{plain}" if plain[:1].isdigit() else plain


def distinct(kind: str, names: Sequence[str]) -> dict[str, str]:
    """A name of Python for each of several names, in their order.

    Examples
    --------
    >>> distinct("step", ["load-all", "load_all"])
    {'load-all': 'step_1_load_all', 'load_all': 'step_2_load_all'}
    """
    return {name: f"{kind}_{number}_{identifier(name)}" for number, name in enumerate(names, 1)}
