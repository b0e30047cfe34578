"""What happens to a function that cannot be captured."""


class Refused(Exception):  # noqa: N818 - it is what happens to a function, and reaches nobody
    """A function that uses what cannot be captured."""

    def __init__(self, seen: str, remedy: str, *, code: str) -> None:
        super().__init__(seen)
        self.code, self.seen, self.remedy = code, seen, remedy
