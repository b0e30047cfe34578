"""A model's log as a reviewer works on it: what waits in it, and who looks at what."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellops.errors import InputError, NotFoundError, UsageError
from cellops.flows.opening import open_package
from cellops.monitoring.review_claims import Claims
from cellops.records.base import Value
from cellops.records.contract import Contract, Field
from cellops.records.review import Disagreement, ReviewInput, ReviewRow
from cellops.settings import Settings, load

if TYPE_CHECKING:
    import pandas as pd

    from cellops.monitoring.label_sinks import LabelSink
    from cellops.packaging.load import OpenedPackage

MISSING, HASHED, NOT_LOGGED = "missing", "personal: only its hash is logged", "personal: not logged"


@dataclass(frozen=True)
class ReviewLog:
    """A log with the package whose answers are looked at, and who looks at them."""

    name: str
    digest: str
    contract: Contract
    folder: Path
    reviewer: str
    settings: Settings
    claims: Claims
    is_copy: bool
    """Whether the folder is one that was fetched from an address and goes away."""

    def predictions(self) -> "pd.DataFrame":
        """What the package answered, with the labels that have come.

        Raises
        ------
        InputError
            When the log has nothing of this package, or is damaged.
        """
        from cellops.monitoring import prediction_log

        found = prediction_log.joined(self.folder, package=self.digest).predictions
        if found.empty:
            fact = f"The log holds no predictions of the package {self.name}"
            raise InputError(fact, remedy="Give the log of this package with --log, or serve it first")
        return found

    def labels(self) -> "pd.DataFrame":
        from cellops.monitoring import label_log

        return label_log.read(self.folder)

    def waiting(self, predictions: "pd.DataFrame", below: float | None, sample: float) -> "pd.DataFrame":
        """As `review_queue.waiting`; without `below` as the setting says.

        Raises
        ------
        UsageError
            When the share is no share of a queue.
        """
        from cellops.monitoring.review_queue import waiting

        below = self.settings.review_below if below is None else below
        for name, value, most in (("--below", below, 1.0), ("--sample", sample, 0.99)):
            if not 0 <= value <= most:
                fact = f"{name} is a share from 0 to {most:g}"
                raise UsageError(fact, received=value, remedy=f"Give, for example, {name} 0.05")
        return waiting(predictions, self.contract.schema, below=below, sample=sample)

    def rows(self, found: "pd.DataFrame", held: dict[str, str] | None = None) -> tuple[ReviewRow, ...]:
        """Waiting answers as screens show them."""
        return tuple(self._row(row, (held or {}).get(str(row["prediction_id"]))) for row in found.to_dict("records"))

    def disagreements(self, names: Sequence[str], own: Mapping[str, Value] | None = None) -> tuple[Disagreement, ...]:
        """Where reviewers gave these answers different labels; `own` may not have come to the log from a server yet."""
        import pandas as pd

        from cellops.monitoring.disagreements import disagreements

        labels = self.labels()[["prediction_id", "label", "reviewer"]].astype(object)
        if own:
            mine = {"prediction_id": list(own), "label": list(own.values()), "reviewer": self.reviewer}
            labels = pd.concat([labels, pd.DataFrame(mine, dtype=object)], ignore_index=True)
        return disagreements(labels, names)

    def sink(self, server: str | None) -> "LabelSink":
        """Where labels go: to a server, else into the folder.

        Raises
        ------
        UsageError
            When the log is at an address and there is no server.
        CredentialsError, InputError
            When the server does not take labels.
        """
        from cellops.monitoring.label_sinks import FolderLabels, ServerLabels

        if server is not None:
            return ServerLabels(server, self.settings.server_token)
        if self.is_copy:
            fact = "Labels cannot be written to a log at an address"
            raise UsageError(fact, remedy="Give them to the server that keeps it: --server http://HOST:PORT")
        return FolderLabels(self.folder, self.contract.schema)

    def notes(self) -> tuple[str, ...]:
        """What a reviewer should know of the queue."""
        schema, notes = self.contract.schema, []
        if not schema.probabilities:
            notes.append(
                f"The model gives no probabilities of {schema.target}: what waits are rows to which the server did "
                "something, such as putting a default in"
            )
        personal = [field.name for field in schema.inputs if field.personal is not None]
        if personal:
            notes.append(f"Personal columns are not in clear in the log: {', '.join(personal)}")
        return tuple(notes)

    def _row(self, row: dict[Any, Any], held_by: str | None) -> ReviewRow:
        from cellops.monitoring.log_values import plain_value

        confidence = plain_value(row["confidence"])
        return ReviewRow(
            prediction_id=str(row["prediction_id"]),
            time=str(plain_value(row["time"].floor("s"))),
            answer=plain_value(row["label"]),
            confidence=None if confidence is None else float(confidence),
            why=str(row["why"]),
            inputs=tuple(_input(field, row) for field in self.contract.schema.inputs),
            held_by=held_by,
        )


def _input(field: Field, row: dict[Any, Any]) -> ReviewInput:
    from cellops.monitoring.log_values import plain_value
    from cellops.monitoring.prediction_log import HASHED as HASHES
    from cellops.monitoring.prediction_log import INPUT

    if field.personal is not None:
        is_hashed = plain_value(row.get(f"{HASHES}{field.name}")) is not None
        return ReviewInput(name=field.name, value=None, note=HASHED if is_hashed else NOT_LOGGED)
    value = plain_value(row.get(f"{INPUT}{field.name}"))
    return ReviewInput(name=field.name, value=value, note=MISSING if value is None else "")


@contextmanager
def opened(
    what: Path | str, log: Path | str | None, reviewer: str | None, settings: Settings | None
) -> Iterator[ReviewLog]:
    """The log of a package; one at an address is fetched, and is gone at the end.

    Parameters
    ----------
    what
        A package, or the name of a registered model, whose champion is meant.
    log
        The folder or address of the log. Default: `.cellops/log/NAME`.
    reviewer
        Who looks. Default: the name that git knows.

    Raises
    ------
    NotFoundError, SignatureError, IntegrityError
        When there is no such package, model or log, or the package is not what was packaged.
    InputError
        When the log cannot be read.
    """
    from cellops.flows.person import person
    from cellops.monitoring.log_store import LogStore, is_address

    settings = settings or load()
    package = _package(what, settings)
    who = _named(reviewer) if reviewer is not None else person(settings.project)

    def on(folder: Path, *, is_copy: bool) -> ReviewLog:
        claims = Claims(folder, who)
        return ReviewLog(
            package.manifest.name, package.digest, package.contract, folder, who, settings, claims, is_copy
        )

    if log is not None and is_address(log):
        with LogStore(str(log)).fetched() as folder:
            yield on(folder, is_copy=True)
        return
    folder = settings.folder / "log" / package.manifest.name if log is None else Path(log)
    if not folder.is_dir():
        fact = f"There is no prediction log {folder}"
        raise NotFoundError(fact, remedy="Give the folder that cellops serve names when it starts, with --log")
    yield on(folder, is_copy=False)


def _named(reviewer: str) -> str:
    from cellops.monitoring.label_log import LONGEST_REVIEWER

    name = " ".join(reviewer.split())
    if not name or not name.isprintable() or len(name) > LONGEST_REVIEWER:
        fact = f"A reviewer is a name of 1 to {LONGEST_REVIEWER} printable characters"
        raise UsageError(fact, received=reviewer, remedy='Give one: --reviewer "Ada"')
    return name


def _package(what: Path | str, settings: Settings) -> "OpenedPackage":
    """A package, or that of the champion of a registered model."""
    if Path(what).exists() or len(Path(what).parts) > 1:
        return open_package(Path(what), settings)
    from cellops.flows.archive import package_of
    from cellops.flows.models import models
    from cellops.records.registry import CHAMPION

    try:
        (model,) = models(str(what), settings=settings)
        champion = next(version for version in model.versions if CHAMPION in version.aliases)
        return package_of(champion, settings)
    except (NotFoundError, StopIteration) as error:
        fact = f"There is no package {what}, and no registered model of that name whose champion has one here"
        raise NotFoundError(fact, remedy="Give the folder of a package; cellops models lists models") from error
