"""Plain data as YAML that its readers agree on, whichever version of YAML they follow."""

import re
from typing import Any

PLAIN = re.compile(r"[A-Za-z_.$/][\w ./@$-]*", re.ASCII)
"""What may stand without quotation marks, if it is none of:"""
WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "none", ".inf", ".nan"})


def yaml_text(value: Any) -> str:
    """The data as block YAML, in its order; texts that anything could be read into stand in quotation marks."""
    import yaml

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no type information
        """Writes no anchors, and lists a level further in than their key."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's own
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:  # noqa: ARG002
            return super().increase_indent(flow, False)

    Dumper.add_representer(str, _text)
    written: str = yaml.dump(
        value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=float("inf"), default_flow_style=False
    )
    return written


def _text(dumper: Any, text: str) -> Any:
    plain = text.encode(errors="backslashreplace").decode()
    is_plain = PLAIN.fullmatch(plain) is not None and plain.lower() not in WORDS and not plain.endswith(" ")
    has_lines = "\n" in plain and all(line.isprintable() and line == line.rstrip() for line in plain.split("\n"))
    style = None if is_plain else "|" if has_lines else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", plain, style=style)
