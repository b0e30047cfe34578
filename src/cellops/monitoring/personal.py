"""Columns that tell of persons, on their way to a log: hashed with the operator's key, or left out."""

import hmac
from typing import TYPE_CHECKING

from cellops.records.contract import Contract, Field, Personal
from cellops.records.finding import Finding, Severity

if TYPE_CHECKING:
    import pyarrow as pa

DIGITS = 32
"""Of a hash in hexadecimal: 128 bits, so that two values never meet."""


def is_hashed(field: Field, key: bytes | None) -> bool:
    """Whether a personal column is logged as hashes: where it is declared so and the operator has a key."""
    return field.personal is Personal.HASH and key is not None


def keyed(column: "pa.Array", key: bytes) -> "pa.Array":
    """The values of a column as keyed hashes; equal values have equal ones, a missing value stays missing.

    HMAC with SHA-256 (RFC 2104): whoever has no key cannot try values, however few there are of them.

    Examples
    --------
    >>> import pyarrow as pa
    >>> hashes = keyed(pa.array(["ann", None, "ann", "bob"]), b"a key of the operator").to_pylist()
    >>> hashes[0] == hashes[2] != hashes[3], hashes[1], len(hashes[0])
    (True, None, 32)
    """
    import pyarrow as pa

    told = column.dictionary_encode()
    hashes = [_hash(str(value), key) for value in told.dictionary.cast(pa.string()).to_pylist()]
    return pa.array(hashes, type=pa.string()).take(told.indices)


def _hash(value: str, key: bytes) -> str:
    return hmac.digest(key, value.encode(), "sha256").hex()[:DIGITS]


def in_clear(contract: Contract) -> tuple[Contract, list[Finding]]:
    """What of a contract a log can be held against, and a finding for each column that no log has in clear."""
    personal = {field.name: field for field in contract.schema.inputs if field.personal is not None}
    if not personal:
        return contract, []
    profile = contract.profile
    kept = tuple(column for column in profile.columns if column.name not in personal)
    known = profile.relations is None or not personal.keys() & set(profile.relations.names)
    relations = profile.relations if known else None
    findings = [_unjudged(name) for name in personal]
    return contract.replace(profile=profile.replace(columns=kept, relations=relations)), findings


def _unjudged(name: str) -> Finding:
    return Finding(
        code="column-not-logged",
        severity=Severity.INFO,
        where=f"column {name}",
        seen="it is declared personal, so a log has it hashed or not at all, and its drift is not judged",
        remedy="Hold a file with the column against the package to judge it: cellops drift PACKAGE DATA",
    )
