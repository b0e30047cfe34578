"""Secrets that are known by their shape: private keys, the tokens of services, and what follows `Bearer` or `://`."""

import re

from cellops.capture.secrets import REDACTED

TOKENS = (
    (
        ("private key-",),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    ),
    (("akia", "asia"), re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), re.compile(r"\bgh[pousr]_[0-9A-Za-z]{36,}\b")),
    (("github_pat_",), re.compile(r"\bgithub_pat_[0-9A-Za-z_]{22,}\b")),
    (("glpat-",), re.compile(r"\bglpat-[0-9A-Za-z_-]{20,}\b")),
    (("hf_",), re.compile(r"\bhf_[0-9A-Za-z]{30,}\b")),
    (("aiza",), re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    (("sk-",), re.compile(r"\bsk-[0-9A-Za-z_-]{20,}\b")),
    (("xox",), re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}\b")),
    (("dapi",), re.compile(r"\bdapi[0-9a-f]{32}\b")),
    (("eyj",), re.compile(r"(?<![0-9A-Za-z_-])eyJ[0-9A-Za-z_-]{10,}+\.[0-9A-Za-z_-]{10,}+\.[0-9A-Za-z_-]{10,}+")),
)
"""What a text that holds a token has in lower case, which is found fast, and the token."""
CODED = r"(?=[^\s]*(?:[0-9=+/]|(?-i:[a-z][A-Z])))"
"""No word of a language: `Basic understanding`, `bearer certificates`."""
BESIDE = (
    (("bearer ",), re.compile(rf"(?i)(?<=\bbearer ){CODED}[0-9A-Za-z._~+/=-]{{8,}}")),
    (("basic ",), re.compile(rf"(?i)(?<=\bbasic ){CODED}[0-9A-Za-z+/]{{12,}}={{0,2}}")),
    (("accountkey=",), re.compile(r"(?i)(?<=accountkey=)[0-9A-Za-z+/=]{20,}")),
    (("://",), re.compile(r"(?<=://)[^/\s:@'\"]*:[^/\s'\"]+(?=@)")),
)
"""The same of secrets that are known by what stands before them."""
SHAPES = (*TOKENS, *BESIDE)
MARKS = re.compile("|".join(re.escape(mark) for marks, _ in SHAPES for mark in marks))
BOUNDARY = re.compile(r"^(?:\\b|\(\?<![^)]*\))")
WITHIN = re.compile("|".join(f"(?:{BOUNDARY.sub('', shape.pattern)})" for _, shape in TOKENS).encode(), re.DOTALL)
"""The same tokens within other bytes: without the look at what stands before, which takes twenty times as long."""
BESIDE_WITHIN = (
    re.compile(rb"""://[^\x00-\x20/:@'"]{0,200}:[^\x00-\x20/'"@]{1,400}@"""),
    re.compile(rb"earer (?=[A-Za-z._~+/=-]*[0-9])[0-9A-Za-z._~+/=-]{16,}"),
    re.compile(rb"ccountKey=[0-9A-Za-z+/=]{20,}"),
)
"""The same of what is known by what stands before it; each begins with plain letters, which are found fast."""
SHORT_TEXT = b"\x8c"
"""What pickle writes before the length, of one byte, of a short text."""


def without_tokens(text: str) -> str:
    """A text in which every secret of a known shape is replaced."""
    lower = text.lower()
    if MARKS.search(lower) is None:
        return text
    for marks, shape in SHAPES:
        if any(mark in lower for mark in marks):
            text = shape.sub(REDACTED, text)
    return text


def secret_beside(content: bytes) -> bool:
    """Whether a password in an address, or what follows `Bearer` or `AccountKey=`, stands in these bytes."""
    return any(shape.search(content) for shape in BESIDE_WITHIN)


def token_in(pickled: bytes) -> bool:
    """Whether what cloudpickle wrote holds a text that has a token in it."""
    for match in WITHIN.finditer(pickled):
        start = match.start()
        begin = start if pickled[start - 2 : start - 1] == SHORT_TEXT else max(0, start - 1)
        around = pickled[begin : match.end() + 1].decode("latin-1")
        if any(shape.search(around) for _, shape in TOKENS):
            return True
    return False
