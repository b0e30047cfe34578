"""Secrets are taken out of everything that is recorded: by shape, by the name they are given, and as `Secret` says."""

import ast
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise

from cellops.capture.secrets import KNOWN, REDACTED, declared
from cellops.capture.token_shapes import without_tokens
from cellops.records.base import Value

SHORTEST_VALUE = 6
SECRET_NAME = re.compile(
    r"""(?ix) (?:^|[^a-z0-9])
    (?: pass(?:words?|wd|phrase|code)? | pwd | secrets? | token | credentials? | authorization | auth
      | api[_-]?keys? | \w+_key_id | private[_-]?key
      | (?:access|account|secret|auth|encryption|signing|storage|client|subscription|service)[_-]?(?:key|token|secret)
      | [a-z0-9]*(?:password|passwd|secret|apikey|accesstoken|authtoken) )
    [0-9]*$"""
)
"""A name whose last word is that of a secret: `db_password`, `HF_TOKEN`; not `token_pattern`, not `passes`."""
PASSWORD_NAME = re.compile(r"(?i)pass(?:word|wd|code)|pwd")
KEY_OF_A_SERVICE = re.compile(r"^(?!.*(?:PRIMARY|FOREIGN|PUBLIC|SORT|PARTITION|INDEX|GROUP|JOIN))[A-Z0-9]+_KEY$")
"""The way in which variables of the environment are named: `OPENAI_KEY`."""
LARGE = 1000
"""A number from here on can be a code that opens something; a smaller one counts."""
SMALLEST_CODE, LARGEST_CODE = 10 ** (SHORTEST_VALUE - 1), 10**30
"""Codes that are taken out of every text: other numbers of so many digits are hardly the same."""
WORD_NAME = re.compile(r"(?i)(?:^|[^a-z0-9])(?:token|auth|authorization|credentials?)[0-9]*$")
"""Names that are given to words of a text too."""
DIGIT, LETTER = re.compile(r"[0-9]"), re.compile(r"[A-Za-z]")

HINT = re.compile("pass|pwd|secret|token|credential|key|auth")
"""What stands in every secret's name: a text without it needs no closer look."""

CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
WRAPPERS = frozenset({"SecretStr", "SecretBytes", "Secret", "str", "bytes", "b64decode", "unhexlify", "fromhex"})
"""Calls that give back the text that they are given."""
NAMED_VALUE = re.compile(
    r"""(?x) (?<![\w.]) (?P<name>[A-Za-z_][\w.-]{0,127}+) (?P<close>\\?+["'])?+ [ ]?+ \]?+
    (?:[ \t]{0,20}+ : [ \t]{0,20}+ [A-Za-z_][\w.\[\]|]{0,60}+ (?=[ \t]*+=) )?+
    [ \t]{0,20}+ (?: ={1,2} | : ) [ \t]{0,20}+ (?P<escape>\\)?+
    (?: (?P<quote>\"\"\"|\'\'\'|"|') (?P<quoted>(?:(?!(?P=quote)).){1,4000}+) (?P=quote)
      | (?<==) (?P<bare>[^\s=<>"'()\[\]{},;&]{1,4000}+) )""",
    re.DOTALL,
)
SHELL_OPTION = re.compile(r"(?m)(?<=\s)--?(?P<name>[a-z][\w-]{0,127}+)[ \t]++(?P<value>[^\s'\"-][^\s]{0,4000}+)")
MAGIC_LINE = re.compile(r"(?m)^[%!]")
ENVIRONMENT_LINE = re.compile(r"(?m)^[ \t]*%(?:set_)?env[ \t]++(?P<name>\w{1,127}+)[ \t]++(?P<value>[^\n]+)$")


def is_secret(name: str) -> bool:
    """Whether a name is one that secrets are given."""
    words = CAMEL.sub("_", name)
    return bool(SECRET_NAME.search(words) or KEY_OF_A_SERVICE.search(name))


def redact(text: str) -> str:
    """Replace every known secret, every one of a known shape, and every value that stands beside a secret's name."""
    text = without_known(text)
    if not _may_name_a_secret(text.lower()):
        return text
    for pattern in (NAMED_VALUE, ENVIRONMENT_LINE, SHELL_OPTION):
        text = pattern.sub(_without_value, text)
    return text


def without_known(text: str) -> str:
    """Replace every known secret and every one of a known shape: what needs no look at the names beside it."""
    return without_tokens(KNOWN.without(text))


def redact_source(source: str) -> str:
    """Python source without its secrets: as `redact`, and each string that a secret's name is bound to in the code."""
    return KNOWN.without(_redact_source(source))


@lru_cache(maxsize=4)
def _redact_source(source: str) -> str:
    content = source.encode(errors="surrogatepass")
    starts = [0, *(match.end() for match in re.finditer(b"\n", content))]
    for _, node in reversed(_bound_secrets(source)):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        content = content[:begin] + repr(REDACTED).encode() + content[end:]
    return redact(content.decode(errors="surrogatepass"))


def secrets_in(source: str) -> set[str]:
    """The texts that a source binds to the names of secrets."""
    return {text for _, text in _named_texts(source)}


def distinct_secrets(source: str) -> set[str]:
    """Those among them that can be told from other text, wherever they stand."""
    return {text for name, text in _named_texts(source) if is_distinct(name, text)}


def distinct_values(names: Iterable[str], namespace: Mapping[str, object]) -> set[str]:
    """What stands under the names of secrets, as text, where it can be told from other text."""
    held = {name: namespace.get(name) for name in names if _may_name_a_secret(name.lower()) and is_secret(name)}
    texts = {name: value for name, value in held.items() if type(value) is str and is_distinct(name, value)}
    codes = {str(value) for name, value in held.items() if type(value) is int and is_code(name, value)}
    return {*texts.values(), *codes}


def is_distinct(name: str, value: str) -> bool:
    """Whether a secret's value may be taken out of every text; a token of a language is a word like others."""
    if len(value) < SHORTEST_VALUE:
        return False
    return WORD_NAME.search(name) is None or (DIGIT.search(value) is not None and LETTER.search(value) is not None)


def is_code(name: str, value: int) -> bool:
    """Whether a number is one that opens something, and so long that no other number is taken for it."""
    return PASSWORD_NAME.search(name) is not None and SMALLEST_CODE <= abs(value) < LARGEST_CODE


def _named_texts(source: str) -> list[tuple[str, str]]:
    values = [(name, node.value) for name, node in _bound_secrets(source) if isinstance(node, ast.Constant)]
    return [(n, v.decode(errors="replace") if isinstance(v, bytes) else str(v)) for n, v in values]


@lru_cache(maxsize=4)
def _bound_secrets(source: str) -> tuple[tuple[str, ast.expr], ...]:
    """The strings that a source binds to the names of secrets, in the order of the text; none where it is no Python."""
    if not _may_name_a_secret(source.lower()):
        return ()
    try:
        return tuple(_secrets(ast.parse(MAGIC_LINE.sub("#", source))))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def without_values(values: Iterable[str], text: str) -> str:
    """A text without these values, where they stand as words of their own; short ones stand in too many texts."""
    found = sorted((value for value in values if len(value) >= SHORTEST_VALUE), key=len, reverse=True)
    return re.sub(rf"(?<!\w)(?:{'|'.join(map(re.escape, found))})(?!\w)", REDACTED, text) if found else text


def redact_value(name: str, value: Value | list[Value]) -> Value | list[Value]:
    """A parameter's value without secrets: whole strings where the name is a secret's, else by shape."""
    if isinstance(value, list):
        return [redact_scalar(name, inner) for inner in value]
    return redact_scalar(name, value)


def redact_scalar(name: str, value: Value) -> Value:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return REDACTED if abs(value) >= LARGE and PASSWORD_NAME.search(name) else value
    if not isinstance(value, str):
        return value
    return REDACTED if value and is_secret(name) else redact(value)


def _may_name_a_secret(lower: str) -> bool:
    return HINT.search(lower) is not None


def _without_value(match: re.Match[str]) -> str:
    if not is_secret(match["name"]) or _ends_a_text(match):
        return match[0]
    group = next(name for name in ("value", "quoted", "bare") if match.groupdict().get(name) is not None)
    start, end = match.start(group) - match.start(), match.end(group) - match.start()
    return match[0][:start] + REDACTED + match[0][end:]


def _ends_a_text(match: re.Match[str]) -> bool:
    """Whether the quote behind the name ends the text that the name stands in: `input("password: ")`."""
    found = match.groupdict()
    if not found.get("quote") or found.get("close") or found.get("escape"):
        return False
    line = match.string[match.string.rfind("\n", 0, match.start()) + 1 : match.start()]
    return line.count(found["quote"]) % 2 == 1


def _secrets(tree: ast.AST) -> list[tuple[str, ast.expr]]:
    """The strings bound to the names of secrets, with the names, in the order of the text."""
    found = {}
    for node in ast.walk(tree):
        for name, value in _bindings(node):
            if is_secret(name):
                found.update({(c.lineno, c.col_offset): (name, c) for c in _strings(value)})
    for value in declared(tree):
        found.update({(c.lineno, c.col_offset): ("", c) for c in _strings(value)})
    return [found[place] for place in sorted(found)]


def _bindings(node: ast.AST) -> list[tuple[str, ast.expr]]:  # noqa: PLR0911 - one return a kind of node
    """Names with the expressions that a node gives them: assignments, keywords, keys, defaults, `setdefault`."""
    match node:
        case ast.Assign(targets=targets, value=value):
            return [pair for target in targets for pair in _targets(target, value)]
        case (
            ast.AnnAssign(target=target, value=ast.expr() as value)
            | ast.NamedExpr(target=target, value=value)
            | ast.AugAssign(target=target, value=value)
        ):
            return _targets(target, value)
        case ast.keyword(arg=str(name), value=value):
            return [(name, value)]
        case ast.Dict(keys=keys, values=values):
            return [(k.value, v) for k, v in zip(keys, values, strict=True) if _is_text(k)]  # type: ignore[union-attr]
        case ast.Call(args=arguments):
            return [(k.value, v) for k, v in pairwise(arguments) if _is_text(k)]  # type: ignore[attr-defined]
        case ast.arguments():
            named = [*node.posonlyargs, *node.args]
            defaults = zip(reversed(named), reversed(node.defaults), strict=False)
            keyword = zip(node.kwonlyargs, node.kw_defaults, strict=True)
            return [(a.arg, d) for a, d in (*defaults, *keyword) if d is not None]
        case _:
            return []


def _wraps(function: ast.expr) -> bool:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in WRAPPERS:
            return True
        case ast.Attribute(value=ast.Constant()):
            return True
        case _:
            return False


def _targets(target: ast.expr, value: ast.expr) -> list[tuple[str, ast.expr]]:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return [(name, value)]
        case ast.Tuple(elts=names) | ast.List(elts=names):
            values = value.elts if isinstance(value, ast.Tuple | ast.List) else [value] * len(names)
            return [pair for one, part in zip(names, values, strict=False) for pair in _targets(one, part)]
        case _:
            return []


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _strings(value: ast.expr) -> list[ast.expr]:
    """The string literals of an expression that holds a secret; those inside a call name it and are none."""
    match value:
        case ast.Constant(value=str() | bytes() as text):
            return [value] if text else []
        case ast.JoinedStr(values=parts):
            return [value] if any(isinstance(part, ast.Constant) for part in parts) else []
        case ast.Call(func=function, args=arguments) if _wraps(function):
            inner = [function.value] if isinstance(function, ast.Attribute) else []
            return [c for part in (*inner, *arguments) for c in _strings(part)]
        case ast.List() | ast.Tuple() | ast.Set() | ast.BinOp() | ast.BoolOp() | ast.IfExp() | ast.Dict():
            parts = [part for part in ast.iter_child_nodes(value) if isinstance(part, ast.expr)]
            return [c for part in parts for c in _strings(part)]
        case _:
            return []
