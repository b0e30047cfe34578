"""What a cell shows, as a record keeps it: a digest and the beginning of what it says, from finished MIME bundles.

Nothing is asked of the objects shown. What is new each time and says nothing is left out: addresses in memory, colours
of a terminal, what a carriage return has overwritten, the order of texts in a set. Of HTML the text is read, and of the
rest a digest kept.
"""

import base64
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import xxhash

from cellops.capture.figures import FORMS
from cellops.capture.pictures import picture_of
from cellops.capture.redaction import redact
from cellops.records.output import OutputSeen

LONGEST = 1_000
"""Characters that are kept."""
LARGEST = 100_000
"""Characters of a cell's displays, and of what it printed, that are read."""
LARGEST_PICTURE = 2_000_000
MOST_OUTPUTS = 20
PLAIN = "text/plain"
WIDGET = "application/vnd.jupyter.widget-view+json"
READABLE = ("text/html", "text/markdown", "text/latex", "application/json", PLAIN)
"""The first of these that a display has is read, for it is what a notebook shows."""
ADDRESS = re.compile(r"(?<= at )0x[0-9a-fA-F]{6,16}\b")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
QUOTED = re.compile(r"""b?(?:'(?:[^'\\{\n]|\\[^{])*'|"(?:[^"'\\{\n]|\\[^{])*'(?:[^"\\{\n]|\\[^{])*")""")
"""As Python writes a text: in double quotes only one with an apostrophe. Other programs' `{"b", "a"}` is in order."""
SET = re.compile(rf"\{{(?:{QUOTED.pattern}, )+{QUOTED.pattern}\}}")
"""Of texts only: the order of numbers is the same each time, and says something in what is no set."""
UNSEEN = re.compile(r"<(style|script)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE)
"""What does not end swallows the rest, as in a browser: looked for from each beginning, the end would take minutes."""
TAG = re.compile(r"<[a-zA-Z/!][^>]*>?")
NEW_NAME = re.compile(
    r"\bT_[0-9a-f]{5}(?![0-9a-zA-Z])|\bsk-(?:container|estimator)-id-\d+"
    r"|[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"
)
"""What pandas and scikit-learn name their tables and diagrams by, and UUIDs."""
NO_CHARACTER = re.compile(r"&#[0-9]{8,};?")
"""References beyond all characters; Python converts no number of more than 4,300 digits."""
SPACES = re.compile(r"\s+")


class Display(NamedTuple):
    """A display as it stood when it was shown."""

    origin: str
    kind: str
    content: str | bytes
    """Empty where no form of it can be read."""


@dataclass
class Displayed:
    """What one cell displays."""

    in_run: bool
    """Whether the cell is a run, whose figures are kept and compared as figures."""
    shown: dict[object, Display] = field(default_factory=dict)
    left: int = 0

    def note(self, message: Mapping[str, Any]) -> None:
        """Take in what a message of the kernel shows; what has been cleared is not shown any more."""
        kind, content = message["msg_type"], message["content"]
        if kind == "clear_output":
            self.shown.clear()
            return
        found = _form(content["data"])
        if self.in_run and _suffix(found[0]) is not None:
            return
        place = content.get("transient", {}).get("display_id") or len(self.shown) + self.left
        if len(self.shown) >= MOST_OUTPUTS and place not in self.shown:
            self.left += 1
            return
        self.shown[place] = Display("result" if kind == "execute_result" else "display", *found)

    def read(self) -> Iterator[OutputSeen]:
        """The records of what is shown when the cell ends."""
        room = LARGEST
        for display in self.shown.values():
            yield _read(display, room)
            room -= min(room, len(display.content)) if isinstance(display.content, str) else 0
        if self.left:
            reason = f"of one cell {MOST_OUTPUTS} displays are read, and it showed {self.left} more"
            yield OutputSeen(origin="display", kind="", reason=reason)


def said(origin: str, kind: str, text: str, *, cut: bool = False) -> OutputSeen:
    """The record of a text that a cell shows; `cut` where more of it was not read."""
    text = redact(normal(text))
    return OutputSeen(
        origin=origin,
        kind=kind,
        digest=xxhash.xxh3_128_hexdigest(text.encode(errors="surrogatepass")),
        text=text[:LONGEST],
        size=len(text),
        reason=f"only its first {LARGEST:,} characters were read" if cut else None,
    )


def normal(text: str) -> str:
    r"""A text without what is new each time and says nothing.

    Examples
    --------
    >>> normal("10%\r100%\n<A object at 0x7f00aa00bb00> {'b', 'a'}")
    "100%\n<A object at (address)> {'a', 'b'}"
    """
    text = COLOUR.sub("", text)
    if "\r" in text:
        text = "\n".join(_left_standing(line) for line in text.split("\n"))
    return SET.sub(_in_order, ADDRESS.sub("(address)", text))


def visible(text: str) -> str:
    """The text of HTML, without tags, styles and scripts."""
    shown = NO_CHARACTER.sub("\ufffd", TAG.sub(" ", UNSEEN.sub(" ", text)))
    return SPACES.sub(" ", html.unescape(shown)).strip()


def markup(text: str) -> str | None:
    """The digest of what of HTML is no text: tags with the pictures in them, styles and scripts."""
    unseen = [found[0] for found in UNSEEN.finditer(text)]
    taken = "".join((*unseen, *TAG.findall(UNSEEN.sub(" ", text))))
    return picture_of(".svg", NEW_NAME.sub("(name)", taken).encode(errors="replace"))


def _left_standing(line: str) -> str:
    """What stands after the last carriage return that something follows."""
    return line[line.rstrip("\r").rfind("\r") + 1 :]


def _in_order(found: re.Match[str]) -> str:
    return f"{{{', '.join(sorted(QUOTED.findall(found[0])))}}}"


def _form(data: Mapping[str, Any]) -> tuple[str, str | bytes]:
    """The form of a display that is read, as it is now: a program may go on changing it."""
    figures = (kind for kind in data if _suffix(kind) is not None)
    kind = next(figures, None) or next((kind for kind in (WIDGET, *READABLE) if kind in data), None)
    if kind is None or kind == WIDGET:
        return kind or next(iter(data), ""), ""
    held = data[kind]
    if type(held) in {str, bytes}:
        return kind, held
    return kind, msgspec.json.encode(held).decode() if kind.endswith("json") else ""


def _suffix(kind: str) -> str | None:
    return next((suffix for form, suffix in FORMS if form.fullmatch(kind)), None)


def _read(display: Display, room: int) -> OutputSeen:
    origin, kind, content = display
    suffix = _suffix(kind)
    if suffix is not None:
        return _picture(display, suffix)
    if not isinstance(content, str) or not content:
        return OutputSeen(origin=origin, kind=kind, reason="this kind of display cannot be read")
    if len(content) > room:
        return OutputSeen(origin=origin, kind=kind, reason="it is too large to be read in passing")
    if kind != "text/html":
        return said(origin, kind, content)
    text = visible(content)
    return said(origin, kind, text).replace(markup=markup(content), reason=None if text else "its HTML has no text")


def _picture(display: Display, suffix: str) -> OutputSeen:
    content = display.content
    seen = OutputSeen(origin=display.origin, kind=display.kind)
    if len(content) > LARGEST_PICTURE:
        return seen.replace(reason="it is too large to be read in passing")
    try:
        text = suffix == ".svg" or suffix.endswith(".json")
        plain = content if isinstance(content, bytes) else content.encode() if text else base64.b64decode(content)
    except ValueError:
        plain = b""
    picture = picture_of(suffix, plain)
    return seen.replace(digest=picture, reason=None if picture else "this kind of display cannot be read")
