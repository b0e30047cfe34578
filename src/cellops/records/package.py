from cellops.records.base import Record
from cellops.records.file import Pointer
from cellops.records.run import DataFingerprint
from cellops.records.split import Split


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


class CellDigest(Record, frozen=True, kw_only=True):
    """A cell that the run depended on."""

    order: int
    """Its place on the trail of the run."""
    execution_count: int | None = None
    step: str | None = None
    sha256: str
    """Of its source, as it was recorded."""


class FileDigested(Record, frozen=True, kw_only=True):
    """A file or an address that the run's cells read."""

    path: str
    """Relative to the project; of a file outside of it the name alone; or an address."""
    method: str
    """What the digest covers: `full`, `sampled`, `metadata-only`."""
    digest: str | None = None
    size: int | None = None
    pointers: tuple[Pointer, ...] = ()
    """Where a system that keeps versions of data has it."""


class SeededGenerator(Record, frozen=True, kw_only=True):
    """A random generator that a cell of the run drew from."""

    order: int
    """The cell's place on the trail."""
    name: str
    seeded: bool
    state: str | None = None
    """SHA-256 of its state before the cell; None for one that the cell has made."""


class Proven(Record, frozen=True, kw_only=True):
    """What executing the run again has shown, the last time that it was."""

    verdict: str
    """`identical`, `within tolerance` or `diverged`."""
    environment: str
    """`same`, or `fresh` for one that was built from the lock."""
    tolerance: float
    at: str
    """When, ISO 8601, UTC."""
    cellops: str


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
    """Where a package comes from: what it takes to make its model again, and whether that has been done."""

    run: str
    mlflow_run_id: str | None
    notebook: str | None
    commit: str | None
    dirty: bool | None
    """Whether the work tree held more than the commit; None without a commit."""
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
    patch: str | None = None
    """SHA-256 of the uncommitted changes."""
    patch_truncated: bool = False
    untracked: dict[str, str] = {}
    """Python files and notebooks that git does not know, with their SHA-256."""
    modules: dict[str, str] = {}
    """The project's own modules, with the digest of each."""
    cells: tuple[CellDigest, ...] = ()
    """Those that the run depended on, itself the last."""
    data: tuple[DataFingerprint, ...] = ()
    """The tables that the model was fitted and evaluated on."""
    files: tuple[FileDigested, ...] = ()
    splits: tuple[Split, ...] = ()
    generators: tuple[SeededGenerator, ...] = ()
    python: str | None = None
    platform: str | None = None
    proof: Proven | None = None
    """None for a run that was not executed again."""


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
