"""One tree of errors: each says the fact, the value received and the remedy, and carries data for a screen."""

from collections.abc import Sequence
from typing import ClassVar


class CellopsError(Exception):
    """The root of every error that cellops raises on purpose.

    Parameters
    ----------
    fact
        What is wrong, in one sentence without a full stop.
    received
        The value that was given, if one was.
    remedy
        What the person can do about it.
    shown
        The fact in several lines, for a place that has room for them: one problem a line, or what it points at.
    **data
        Where it happened (cell index, column, row numbers …), for screens that must not parse text.
    """

    code: ClassVar[str] = "cellops-error"

    def __init__(
        self, fact: str, *, received: object = None, remedy: str, shown: Sequence[str] = (), **data: object
    ) -> None:
        self.fact = fact
        self.received = received
        self.remedy = remedy
        self.shown = tuple(shown)
        self.data = data
        super().__init__(self.text())

    def __reduce__(self) -> tuple[object, ...]:
        """Stay what it is, with its data and notes, on the way to another process or machine."""
        return _again, (type(self), *self.args), self.__dict__

    def text(self) -> str:
        """Fact, received value and remedy in one line."""
        received = "" if self.received is None else f" (received {_short(self.received)})"
        fact = f"{self.fact}{received}".rstrip(".")
        return _one_line(f"{fact}{'' if fact.endswith('?') else '.'} {self.remedy}")

    def lines(self) -> list[str]:
        """The same in one line, or in those that it shows."""
        return [*map(_one_line, self.shown), _one_line(self.remedy)] if self.shown else [self.text()]

    def _render_traceback_(self) -> list[str]:
        """Show one clear line in a notebook: IPython asks the exception itself before it formats a traceback."""
        first, *more = self.lines()
        return [f"{type(self).__name__}: {first}", *more]


def _again(kind: type[CellopsError], text: str) -> CellopsError:
    """An error that came here: what it carries is set behind this."""
    return kind.__new__(kind, text)


def printable(text: str) -> str:
    r"""Text of others as a terminal may show it: what would move the cursor, colour or reorder it is written out.

    Examples
    --------
    >>> print(printable("a\x1b[31mb\u202e"))
    a\x1b[31mb\u202e
    """
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def visible(text: str) -> str:
    r"""The same of text that has one line to stand in: what would end the line is written out too.

    Examples
    --------
    >>> print(visible("a\nb\x07"))
    a\nb\x07
    """
    return printable(text).replace("\n", "\\n")


def _one_line(text: str) -> str:
    return " ".join(printable(text).split("\n"))


def _short(value: object, limit: int = 120) -> str:
    # A scalar of numpy would say its type: np.float64(60.0).
    text = str(value) if getattr(value, "shape", None) == () else repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


class UsageError(CellopsError):
    """A verb, option or argument that does not exist or does not fit."""

    code = "usage"


class SettingsError(CellopsError):
    """A setting that is unknown or has a value of the wrong type."""

    code = "settings"


class NotFoundError(CellopsError):
    """A run, package, notebook or file that is not there."""

    code = "not-found"


class NoNotebookError(NotFoundError):
    """A notebook that is not there; `data["path"]` is where it was looked for."""

    code = "no-notebook"


class ParameterError(CellopsError):
    """Notebook parameters that are unknown, of the wrong type, or declared in a way that cannot be used."""

    code = "parameters"


class NotebookError(CellopsError):
    """A notebook that failed; `data` holds `cell_index`, `ename`, `evalue` and `output`."""

    code = "notebook"


class UnfitError(NotebookError):
    """A notebook that is refused before a kernel starts: for its headers, its steps, its Python, or several of them."""

    code = "unfit"


class StepError(CellopsError):
    """A step that fails otherwise than by a cell: a value that it cannot hand on, a time-out, a store that is away."""

    code = "step"


class GateError(CellopsError):
    """A pipeline whose runs do not pass its gates; `data["results"]` holds what each gate has shown."""

    code = "gate"


class AlarmError(CellopsError):
    """Drift that is an alarm, where it was asked to stop on one; `data["windows"]` holds the labels of the windows."""

    code = "alarm"


class SweepError(CellopsError):
    """A sweep that comes to nothing: a metric that no run has, trials that all fail, a time-out."""

    code = "sweep"


class ClusterError(CellopsError):
    """A cluster that is away, has no worker left, or whose workers cannot hand over what they have done."""

    code = "cluster"


class ExpectationError(CellopsError):
    """Expectations that cannot be read, or a table that does not satisfy them; `data["results"]` holds the verdicts."""

    code = "expectations"


class TrackingError(CellopsError):
    """The tracking server cannot be reached; nothing is lost, the journal keeps every record."""

    code = "tracking"


class RefusedError(TrackingError):
    """The tracking server answers and will not take a record, however often it is asked."""

    code = "refused"


class RecordError(CellopsError):
    """A run whose record is not there in whole: it has not ended, or parts of it are gone."""

    code = "record"


class DataError(CellopsError):
    """Data of a run that is gone, or is not what it was; `data` holds its `path`, or the `differences` of a table."""

    code = "data"


class VerificationError(CellopsError):
    """A run that cannot be executed again as it was; `data["cells"]` names the cells that stand in the way."""

    code = "verification"


class PackageError(CellopsError):
    """A package that cannot be built or read."""

    code = "package"


class IntegrityError(PackageError):
    """A package whose files are not those that its manifest lists; `data["path"]` names the file."""

    code = "integrity"


class SignatureError(PackageError):
    """A package that nobody has signed whom the settings trust, or a key that cannot be used to sign."""

    code = "signature"


class TrustError(PackageError):
    """A model whose loading would run code that the operator has not allowed; `data["types"]` lists it."""

    code = "trust"


class DeploymentError(PackageError):
    """A test deployment that failed; `data` holds its `step`, and `log`, the last lines of the server."""

    code = "deployment"


class RegistryError(CellopsError):
    """A registered model whose state does not allow what was asked, or that somebody else is changing."""

    code = "registry"


class InputError(CellopsError):
    """A table or request that does not fit the contract; `data` holds `column` and `rows` where they are known."""

    code = "input"


class OutputError(CellopsError):
    """A place that cannot be written: it is full, out of reach, or in somebody else's hands."""

    code = "output"


class RefusedRowsError(InputError):
    """Rows that the operator's own rules refuse to answer; `data["rows"]` holds their numbers."""

    code = "refused-rows"


class LimitError(CellopsError):
    """A request beyond a limit of the server: bytes, rows, columns or nesting."""

    code = "limit"


class DeadlineError(CellopsError):
    """An answer, or an explanation, that was not there in the time that the server gives to one."""

    code = "deadline"


class NotReadyError(CellopsError):
    """The server has not finished its parity check, or is shutting down."""

    code = "not-ready"


class CredentialsError(CellopsError):
    """No credentials, or wrong ones."""

    code = "credentials"
