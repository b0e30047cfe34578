"""A pair of keys, to sign packages with."""

from pathlib import Path

from cellops.records.base import Record
from cellops.settings import expanded


class NewKeys(Record, frozen=True, kw_only=True):
    """A pair of keys that was made."""

    private: str
    """Path of the key that signs."""
    public: str
    """Path of the key that others trust."""
    text: str
    """The public key itself, as CELLOPS_TRUSTED_KEYS takes it."""


def key(file: Path | str) -> NewKeys:
    """Make a pair of keys: a private one in the file, and a public one in the file of this name and `.pub`.

    Raises
    ------
    SignatureError
        When one of the files is there already, or cannot be written.
    UsageError
        When it lies in a home folder that is not there.
    """
    from cellops.packaging.signature import new_keys

    made = new_keys(expanded(file))
    return NewKeys(private=str(made.private), public=str(made.public), text=made.text)
