from cellops.records.base import Record


class FileDigest(Record, frozen=True, kw_only=True):
    path: str
    """Relative to the package, with forward slashes."""
    sha256: str
    size: int


class Manifest(Record, frozen=True, kw_only=True):
    """Every file of a package but the manifest itself, with its digest; checked before anything else is read."""

    version: int
    name: str
    run: str | None
    files: tuple[FileDigest, ...]


class Conversion(Record, frozen=True, kw_only=True):
    """How the model came into another format than the run has kept it in, and how near its answers stay."""

    source: str
    """The format of the run's own model."""
    converter: str
    """The distribution that wrote the model, with its version."""
    precision: str
    """`float64` or `float32`; `int8` or `float16` for the weights of a quantised model."""
    rows: int
    """On how many rows both were asked."""
    difference: float
    """The greatest difference of a probability or number."""
    tolerance: float | None
    """The greatest that would have been taken; for a quantised model none is."""
    other_labels: int = 0
    """How many of the rows have another label, as can be in a quantised model only."""
    size: tuple[int, int] | None = None
    """Of a quantised model: the bytes of its file before and after."""


class Provenance(Record, frozen=True, kw_only=True):
    """Where a package comes from."""

    run: str
    mlflow_run_id: str | None
    notebook: str | None
    commit: str | None
    dirty: bool
    seed: int | None
    created: str
    """When the run ended, ISO 8601, UTC; building again later gives the same bytes."""
    cellops: str
    model_type: str
    model_format: str
    """The format that serves."""
    conversion: Conversion | None = None
    """Absent where the model is served as the run has kept it."""
    exports: dict[str, Conversion] = {}
    """The same model for the engines of others, by the name of its file; they do not serve here."""


class KeySignature(Record, frozen=True, kw_only=True):
    """That the owner of a key vouches for a manifest."""

    key: str
    """The public key: `ed25519:` and its bytes in Base64."""
    signature: str
    """In Base64, over the digest of the manifest."""


class Signatures(Record, frozen=True, kw_only=True):
    """Who vouches for a package."""

    version: int
    signatures: tuple[KeySignature, ...] = ()
