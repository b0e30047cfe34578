"""Secrets of known shapes are taken out of everything that is recorded."""

import re

PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    re.compile(r"\bgh[pousr]_[0-9A-Za-z]{36,}\b"),
    re.compile(r"\bgithub_pat_[0-9A-Za-z_]{22,}\b"),
    re.compile(r"\bglpat-[0-9A-Za-z_-]{20,}\b"),
    re.compile(r"\bsk-[0-9A-Za-z_-]{20,}\b"),
    re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}\b"),
    re.compile(r"\bdapi[0-9a-f]{32}\b"),
    re.compile(r"\beyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}\b"),
    re.compile(r"(?<=://)[^/\s:@'\"]+:[^/\s@'\"]+(?=@)"),
    re.compile(
        r"""(?ix) \b [\w-]*(?:password|passwd|secret|api_?key|access_?token|auth_?token)[\w-]* ["']? \s* [=:] \s*
        (?P<quote>["']) (?P<value>[^"'\n]{4,}) (?P=quote)"""
    ),
)
REDACTED = "[redacted]"


def redact(text: str) -> str:
    """Replace every secret of a known shape; an assignment keeps its name and loses its value."""
    for pattern in PATTERNS:
        text = pattern.sub(_replacement, text)
    return text


def _replacement(match: re.Match[str]) -> str:
    if "value" not in match.groupdict():
        return REDACTED
    start, end = match.start("value") - match.start(), match.end("value") - match.start()
    whole = match.group(0)
    return whole[:start] + REDACTED + whole[end:]
