"""Score many rows at once with a package, or the files of a folder as they arrive."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellops.errors import UsageError
from cellops.flows.clusters import refuse_empty
from cellops.records.batch import PROFILE_ROWS, BatchProgress, OnBad, Scored, Streamed, Watched, WatchedFile
from cellops.settings import Settings, load, prepare, without_credentials
from cellops.version import __version__

if TYPE_CHECKING:
    from cellops.data.batch.target import Target
    from cellops.packaging.load import LoadedPackage
    from cellops.serving.batch.batch import Performer
    from cellops.serving.batch.scorer import Wishes
    from cellops.serving.logs import LogPlace
    from cellops.serving.policies import Declared

OTHERS, ALL, NONE = "others", "all", "none"
PARTS = ".parts"
"""How the folder of a batch that is not done ends, beside its output."""


def _unheard(_told: object) -> None:
    pass


def score(
    package: Path | str,
    source: Path | str,
    output: Path | str,
    *,
    keep: str = OTHERS,
    on_bad: str = OnBad.REFUSE,
    chunk_rows: int | None = None,
    resume: bool = False,
    force: bool = False,
    jobs: int = 1,
    dask: Any = None,
    profile_rows: int | str = PROFILE_ROWS,
    log: Path | str | None = None,
    watch: bool = False,
    once: bool = False,
    every: float = 1.0,
    settings: Settings | None = None,
    on_progress: Callable[[BatchProgress], None] = _unheard,
    on_file: Callable[[WatchedFile], None] = _unheard,
) -> Scored | Watched | Streamed:
    """Answer every row of a table, in memory that does not grow with the rows.

    Parameters
    ----------
    package
        The folder of the package, or its archive.
    source
        A file of CSV, Parquet or JSON lines, a folder or a pattern of such, an address of any of these as fsspec takes
        it, or a table of DuckDB, `FILE::TABLE`. With `watch`, the folder in which files arrive, or a topic of Kafka,
        `kafka://HOST:PORT/TOPIC`, each of whose messages is a row.
    output
        A file of CSV, Parquet or JSON lines, here or at an address; where it ends in `/`, a folder of Parquet files, a
        file for each chunk; or a table of DuckDB. It takes its name at the end, at once and in whole; until then what
        is done stands in a folder beside it. With `watch`, a folder, or a topic.
    keep
        Columns of the input that go to the output, with commas between them; `others`, those that the model does not
        take; `all`; or `none`.
    on_bad
        `refuse`: end at the first row that the model may not answer. `set-aside`: write such rows to a file beside the
        output, with the reason.
    chunk_rows
        Rows that are scored at a time; default is 100,000, or fewer where a row has many columns.
    resume
        Go on where an earlier attempt was stopped; the output is the same as if it had not been.
    force
        Begin anew, and replace what stands at the output.
    jobs
        Processes on this machine that score chunks.
    dask
        Address of a scheduler of Dask whose workers score them, or a client.
    profile_rows
        Rows that the drift profile is counted from, at most: drawn evenly from all of them, one by chance of each so
        many. `all` counts each row, as do files at an address, whose rows are not known beforehand.
    log
        Prediction log to which the answers go, too, once the batch is done: a folder, or an address as fsspec takes it.
        Default is none: a log is what was answered to traffic, and drift of a batch stands beside its output.
    watch
        Score each file that arrives in a folder, once, until stopped.
    once
        With `watch`, end when every file that is there has been scored.
    every
        With `watch`, seconds between two looks.
    on_progress
        Hears after each chunk how far it has come.
    on_file
        With `watch`, hears of each file.

    Raises
    ------
    NotFoundError
        When there is no such package or input.
    SignatureError, IntegrityError, TrustError
        As loading the package does.
    InputError
        When something cannot be read, or a row not be answered, naming file and row. What is done stays.
    OutputError
        When the output cannot be written. What is done stays.
    UsageError
        When something stands at the output, or an earlier attempt, and it was not said what to do with it.
    PackageError
        When the model answers the package's parity rows otherwise than in training.
    ClusterError
        When the scheduler of Dask or all its workers are gone.
    """
    settings = settings or load()
    refuse_empty(dask, None)
    if dask is not None and jobs > 1:
        fact = "The rows are scored either by processes of this machine or by the workers of a cluster"
        raise UsageError(fact, remedy="Leave out --jobs or --dask")
    if (once or every != 1.0) and not watch:
        fact = "--once and --every say how a folder is watched"
        raise UsageError(fact, remedy="Add --watch, or leave them out")
    from cellops.data.batch.kafka import is_topic
    from cellops.flows.opening import load_package

    if is_topic(str(source)) or is_topic(str(output)):
        if not (watch and is_topic(str(source)) and is_topic(str(output))):
            fact = "The messages of a topic of Kafka are answered to a topic, as they come"
            raise UsageError(fact, remedy="Write: cellops score PACKAGE kafka://HOST/IN kafka://HOST/OUT --watch")
        if resume or force or jobs > 1 or dask is not None or log is not None:
            fact = "A topic is answered by one process, which goes on where its group stood"
            remedy = "Leave out --resume, --force, --jobs, --dask and --log; start several of one group for more"
            raise UsageError(fact, remedy=remedy)
        return _stream(
            Path(package),
            str(source),
            str(output),
            keep,
            settings,
            chunk_rows=chunk_rows,
            every=every,
            once=once,
            on_progress=on_progress,
        )
    loaded = load_package(Path(package), settings)
    wishes = _wishes(keep, on_bad, log, profile_rows)
    place = _log_place(log, loaded.manifest.name, settings)
    with _performer(Path(package), loaded, settings, wishes, jobs=jobs, dask=dask) as perform:
        if watch:
            if resume or force:
                fact = "A watch goes on where it was stopped by itself, and replaces nothing"
                raise UsageError(fact, remedy="Leave out --resume and --force")
            from cellops.serving.batch.watch import Watch

            scoring = partial(
                _score_file, loaded, perform, chunk_rows=chunk_rows, settings=settings, wishes=wishes, log=place
            )
            watched = Watch(Path(source), Path(output), loaded.digest, scoring, on_file)
            return watched.run(every=every, once=once, on_progress=on_progress)
        return _score(
            loaded,
            perform,
            str(source),
            str(output),
            wishes,
            chunk_rows=chunk_rows,
            resume=resume,
            force=force,
            settings=settings,
            on_progress=on_progress,
            log=place,
        )


def _stream(
    package: Path,
    source: str,
    output: str,
    keep: str,
    settings: Settings,
    *,
    chunk_rows: int | None,
    every: float,
    once: bool,
    on_progress: Callable[[BatchProgress], None],
) -> Streamed:
    """Answer the messages of a topic until stopped."""
    from cellops.data.batch.kafka import Clients, properties, topic
    from cellops.flows.opening import load_package
    from cellops.serving.batch.scorer import Scorer
    from cellops.serving.batch.stream import Stream

    read, written = topic(source), topic(output)
    if (read.brokers, read.name) == (written.brokers, written.name):
        fact = "The answers would be read as messages"
        raise UsageError(fact, remedy="Give another topic for the answers")
    loaded, wishes = load_package(package, settings), _wishes(keep, OnBad.SET_ASIDE, None, ALL)
    scorer = Scorer.proven(loaded, _declared(settings), wishes.replace(keep=(), keep_all=False, is_profiled=False))
    group = read.group or f"cellops-{loaded.manifest.name}-{written.name}"
    clients = Clients(
        read, group, written.brokers, properties(Path(settings.kafka_config) if settings.kafka_config else None)
    )
    try:
        stream = Stream(scorer, loaded, wishes, clients, source=read, output=written, most=chunk_rows)
        return stream.run(every=every, once=once, on_progress=on_progress)
    finally:
        clients.close()


def _score(
    loaded: "LoadedPackage",
    perform: "Performer",
    source: str,
    output: str,
    wishes: "Wishes",
    *,
    chunk_rows: int | None,
    resume: bool,
    force: bool,
    settings: Settings,
    on_progress: Callable[[BatchProgress], None],
    log: "LogPlace | None",
) -> Scored:
    from cellops.data.batch.source import source as source_of
    from cellops.data.batch.target import target as target_of
    from cellops.serving.batch.batch import Batch
    from cellops.serving.batch.parts import Parts, Plan

    target = target_of(output)
    read = source_of(source, target)
    plan = Plan(
        version=__version__,
        package=loaded.digest,
        source=without_credentials(source),
        output=target.public,
        chunk_rows=chunk_rows,
        wishes=wishes,
        declared=f"{settings.server_fallback_answer} {' '.join(settings.server_reject)}",
    )
    batch = Batch(
        read,
        perform,
        target,
        loaded.contract,
        loaded.digest,
        plan.source,
        chunk_rows,
        on_progress,
        wishes.profile_rows,
        log,
    )
    stands = target.stands()
    with Parts.opened(_folder(target, settings), plan, resume=resume, force=force, stands=stands) as parts:
        return batch.run(parts)


def _score_file(
    loaded: "LoadedPackage",
    perform: "Performer",
    source: Path,
    output: Path,
    on_progress: Callable[[BatchProgress], None],
    *,
    chunk_rows: int | None,
    settings: Settings,
    wishes: "Wishes",
    log: "LogPlace | None",
) -> Scored:
    return _score(
        loaded,
        perform,
        str(source),
        str(output),
        wishes,
        chunk_rows=chunk_rows,
        resume=True,
        force=False,
        settings=settings,
        on_progress=on_progress,
        log=log,
    )


def _folder(target: "Target", settings: Settings) -> Path:
    """Where the parts of a batch wait: beside a file, so that it can take its name at once."""
    from cellops.data.batch.target import FileTarget

    beside = target.beside(PARTS)
    if isinstance(beside, FileTarget):
        return beside.path
    named = blake2b(target.public.encode(), digest_size=8).hexdigest()
    return prepare(settings.folder) / "score" / named


def _log_place(log: Path | str | None, name: str, settings: Settings) -> "LogPlace | None":
    """The prediction log that is meant; segments for an address are written here first."""
    from cellops.monitoring.log_store import is_address
    from cellops.serving.logs import LogPlace

    if log is None:
        return None
    if is_address(log):
        return LogPlace(prepare(settings.folder) / "log" / name, str(log))
    return LogPlace(Path(log))


def _wishes(keep: str, on_bad: str, log: Path | str | None, profile_rows: int | str) -> "Wishes":
    from cellops.serving.batch.scorer import Wishes

    if on_bad not in list(OnBad):
        fact = "There is no such way with bad rows"
        raise UsageError(fact, received=on_bad, remedy=f"Use one of: {', '.join(OnBad)}")
    names = (
        None
        if keep == OTHERS
        else ()
        if keep == NONE
        else tuple(dict.fromkeys(filter(None, map(str.strip, keep.split(",")))))
    )
    every = keep == ALL
    return Wishes(
        keep=None if every else names,
        keep_all=every,
        on_bad=OnBad(on_bad),
        log=None if log is None else without_credentials(str(log)),
        profile_rows=_most_profiled(profile_rows),
    )


def _most_profiled(rows: int | str) -> int | None:
    """Rows for the drift profile; None for all."""
    if rows == ALL:
        return None
    if not str(rows).isdecimal() or int(rows) < 1:
        fact = "The drift profile is counted from a number of rows, or from all"
        raise UsageError(fact, received=rows, remedy=f"Give --profile-rows a number from 1 on, or {ALL}")
    return int(rows)


@contextmanager
def _performer(
    path: Path, loaded: "LoadedPackage", settings: Settings, wishes: "Wishes", *, jobs: int, dask: Any
) -> Iterator["Performer"]:
    """Who scores the chunks."""
    from cellops.serving.batch.performers import alone, beside
    from cellops.serving.batch.scorer import Scorer

    declared = _declared(settings)
    if dask is not None:
        from cellops.flows.score_on_dask import on_cluster

        with on_cluster(dask, path, loaded, settings=settings, declared=declared, wishes=wishes) as perform:
            yield perform
    elif jobs > 1:
        yield partial(beside, partial(scorer, path, loaded.digest, settings, wishes), jobs)
    else:
        yield partial(alone, Scorer.proven(loaded, declared, wishes, key(settings)))


def scorer(path: Path, digest: str, settings: Settings, wishes: "Wishes") -> Any:
    """A scorer of a process of its own; raises `IntegrityError` where the package is not the one that was meant."""
    from cellops.errors import IntegrityError
    from cellops.flows.opening import load_package
    from cellops.serving.batch.scorer import Scorer

    loaded = load_package(path, settings)
    if loaded.digest != digest:
        fact = f"{path} is another package than a moment ago"
        raise IntegrityError(fact, remedy="Let nobody change it while it scores", path=str(path))
    return Scorer.proven(loaded, _declared(settings), wishes, key(settings))


def key(settings: Settings) -> bytes | None:
    """With which personal inputs are hashed in a prediction log."""
    return settings.log_pii_key.encode() if settings.log_pii_key else None


def _declared(settings: Settings) -> "Declared":
    """What the operator's settings say of rows, as they do for the server."""
    from cellops.serving.policies import Declared

    return Declared(answer=settings.server_fallback_answer, reject=settings.server_reject)
