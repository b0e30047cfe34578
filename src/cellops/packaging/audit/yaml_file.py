"""YAML of others: small, without references, and by a reader whose depth Python watches."""

from typing import Any

LARGEST = 200_000
"""In bytes."""


def read_yaml(content: bytes) -> dict[str, Any]:
    """A mapping; the compiled reader would overflow the stack where lists are nested deeply enough.

    Raises
    ------
    ValueError
        When it is none, or is written in a way that costs more than it says.
    """
    import yaml

    class Plain(yaml.SafeLoader):  # type: ignore[misc]  # it brings no types
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                text = "it refers to parts of itself"
                raise yaml.YAMLError(text)
            return super().compose_node(parent, index)

    if len(content) > LARGEST:
        text = f"it has more than {LARGEST} bytes"
        raise ValueError(text)
    try:
        found = yaml.load(content, Plain)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(str(error).replace("\n", " ")[:200]) from error
    if not isinstance(found, dict):
        text = "it is no mapping"
        raise ValueError(text)  # noqa: TRY004 - what is wrong is the file
    return found
