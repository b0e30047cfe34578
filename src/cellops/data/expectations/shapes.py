"""Forms of text that a person would name at sight."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

PLAIN = "-_/:, "
"""What stands for itself in a regular expression."""
LONGEST = 12
"""Characters of codes whose letters and digits are told apart place by place."""


@dataclass(frozen=True)
class Shape:
    regex: str
    reason: str


KNOWN = (
    Shape(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "every value is a UUID"),
    Shape(r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$", "every value looks like an address of e-mail"),
    Shape(r"^https?://\S+$", "every value is a URL"),
    Shape(r"^\d{4}-\d{2}-\d{2}$", "every value is a date such as 2013-01-31"),
    Shape(
        r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$",
        "every value is an ISO time",
    ),
    Shape(r"^(\d{1,3}\.){3}\d{1,3}$", "every value is an IPv4 address"),
)


def shape_of(values: Iterable[str]) -> Shape | None:
    """The form that all of some texts have: a known one, or a code with letters and digits at fixed places.

    Parameters
    ----------
    values
        Distinct texts.

    Examples
    --------
    >>> shape_of(["N14228", "N24211", "N619AA"])
    >>> shape_of(["AB-101", "CD-202"])
    Shape(regex='^[A-Z]{2}-[0-9]{3}$', reason='every value has the form AA-000')
    """
    texts = list(values)
    for known in KNOWN:
        if all(map(re.compile(known.regex).search, texts)):
            return known
    if not texts or len(texts[0]) > LONGEST:
        return None
    masks = {"".join(map(_kind, text)) for text in texts}
    if len(masks) != 1 or not set(next(iter(masks))) & set("Aa0"):
        return None
    (mask,) = masks
    if set(mask) <= {"a"}:
        return None  # a word is no code
    return Shape(f"^{_regex(mask)}$", f"every value has the form {mask}")


def _kind(character: str) -> str:
    if not character.isascii():
        return character
    return "0" if character.isdigit() else "A" if character.isupper() else "a" if character.islower() else character


def _regex(mask: str) -> str:
    classes = {"A": "[A-Z]", "a": "[a-z]", "0": "[0-9]"}
    parts = []
    for found in re.finditer(r"(.)\1*", mask, re.DOTALL):
        one, times = found[1], len(found[0])
        parts.append(classes.get(one, one if one in PLAIN else re.escape(one)) + (f"{{{times}}}" if times > 1 else ""))
    return "".join(parts)
