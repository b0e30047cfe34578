"""Whether a value is of a library's type, asked without importing the library."""


def of_library(value: object, library: str, name: str) -> bool:
    """Whether a value's type is exactly the one of this name, defined anywhere inside of the library."""
    kind = type(value)
    return kind.__qualname__ == name and kind.__module__.partition(".")[0] == library
