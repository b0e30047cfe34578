"""What is kept of a step that was executed, so that it need not be executed again."""

from cellops.records.base import Record
from cellops.records.file import FileUse, Look
from cellops.records.module import ModuleSource
from cellops.records.run import RunClosed, RunOpened
from cellops.records.step_trail import StepTrail
from cellops.records.stored import StoredValue


class StepKey(Record, frozen=True, kw_only=True):
    """What is known to decide the outcome of a step before it is executed."""

    code: tuple[str, ...]
    """Digests of the syntax trees of its cells, in the order of execution: shared ones, definitions, its own."""
    options: tuple[str, ...] = ()
    """Headers of its cells whose options decide what they do."""
    parameters: dict[str, str]
    """Those that it uses, as Python writes them, by name; secrets decide nothing here and are left out."""
    inputs: dict[str, str | None]
    """Digests of the values that it takes from other steps, by name; None for a name that is not bound."""
    outputs: tuple[str, ...]
    """The names whose values it hands on."""
    folder: str
    """In which the kernel works."""
    kernel: str
    """Name of the kernel."""
    machine: str
    """System and processor."""
    variables: dict[str, str]
    """Variables of the environment that change what libraries compute."""


class ModulesSought(Record, frozen=True, kw_only=True):
    """What imports have looked for in some folders, and what they have found there."""

    folders: tuple[str, ...]
    """In their order; relative to the project where they lie inside, else absolute with the user's home as `~`."""
    found: dict[str, str | None]
    """The place of each module, in the same form; `installed` for one of a distribution or Python's own; None where it
    was not there."""


class Dependencies(Record, frozen=True, kw_only=True):
    """What only its execution shows that a step depends on."""

    python: str = ""
    """Implementation and version of its interpreter."""
    prefix: str = ""
    """Where that is installed."""
    files: tuple[FileUse, ...] = ()
    """What it has read, and what it has written."""
    looks: tuple[Look, ...] = ()
    """Folders that it has listed, and places where it has looked for something."""
    modules: tuple[ModuleSource, ...] = ()
    """The modules that it has imported and that no installed distribution brings; outside of the project, too."""
    code: dict[str, str] = {}
    """What tells whether those of them do the same that are Python, by path; none where anything reads sources."""
    distributions: dict[str, str] = {}
    """Versions of the distributions that it has imported, by name."""
    import_folders: tuple[str, ...] = ()
    """Where its interpreter looked for them."""
    imports: tuple[ModulesSought, ...] = ()
    """What its imports have looked for, but inside of installed packages."""
    variables: dict[str, str] = {}
    """Digests of variables of the environment that these modules may ask for, by name."""
    unknown: tuple[str, ...] = ()
    """What it has done of which nobody knows what that reads: programs that it has started, for example."""


class KeptRun(Record, frozen=True, kw_only=True):
    """A run that the cells of a step have opened, with its figures."""

    opened: RunOpened
    closed: RunClosed


class KeptCells(Record, frozen=True, kw_only=True):
    """The cells of a step that was executed."""

    own: tuple[dict[str, object], ...]
    """`outputs` and `execution_count` of each, as the notebook format has them."""
    shared: tuple[dict[str, object], ...] = ()
    """The same of the shared cells that it executed."""
    trail: StepTrail
    """What the values of the step depend on."""


class KeptStep(Record, frozen=True, kw_only=True):
    """A step that was executed to its end."""

    step: str
    notebook: str
    """Path of the notebook, relative to the project where it lies inside."""
    execution: str
    key: StepKey
    dependencies: Dependencies
    values: tuple[StoredValue, ...] = ()
    """What it hands to other steps."""
    runs: tuple[KeptRun, ...] = ()
    cells: str
    """Digest of its executed cells, `KeptCells` in the store as JSON."""
    places: tuple[int, ...]
    """Where its cells stood in the notebook, from 0, in the order of `key.code`; a definition has its cell's."""
    ended: float
    """Seconds since the epoch, UTC."""
    seconds: float
    """How long it took."""
