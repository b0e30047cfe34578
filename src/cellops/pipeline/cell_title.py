"""What a cell is called where its source has no room."""


def title(source: str, limit: int = 80) -> str:
    """The first meaningful line of a cell: a header without its `%%mlops`, a comment without its mark.

    Examples
    --------
    >>> title("%%mlops run --name delays"), title("# Load the flights"), title("x = 1")
    ('run --name delays', 'Load the flights', 'x = 1')
    """
    line = next((line.strip() for line in source.splitlines() if line.strip(" #")), "")
    line = line.removeprefix("%%mlops").lstrip("# ")
    return line if len(line) <= limit else line[: limit - 1] + "…"
