"""The chunks of a batch scored by the workers of a cluster of Dask: one that a worker has lost is scored again."""

import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellops.data.batch.chunk import Chunk
from cellops.errors import CellopsError, ClusterError, UsageError
from cellops.pipeline.dask.cluster import ALIKE, connected, otherwise, versions, wait_for_a_worker
from cellops.settings import Settings

if TYPE_CHECKING:
    from cellops.packaging.load import LoadedPackage
    from cellops.serving.batch.batch import Performer
    from cellops.serving.batch.part import PackedPart, Part
    from cellops.serving.batch.scorer import Wishes
    from cellops.serving.policies import Declared

AHEAD = 1
"""Chunks that wait for each thread of the cluster while it scores one."""
WITHOUT_WORKERS = 60.0
"""Seconds for which a batch waits for a first worker after the last one has gone."""
AGAIN = "Start workers with: dask worker ADDRESS, and go on with --resume"


@contextmanager
def on_cluster(
    target: Any, path: Path, loaded: "LoadedPackage", *, settings: Settings, declared: "Declared", wishes: "Wishes"
) -> Iterator["Performer"]:
    """Have the workers of a cluster score chunks; each gets the package, and no worker needs to reach the rows.

    Raises
    ------
    UsageError
        When nobody answers, there is no worker, or a worker has another Python or cellops.
    """
    from distributed.diagnostics.plugin import WorkerPlugin

    class ScorePlugin(WorkerPlugin):
        """The scorer of a worker, whenever that comes; its folder goes away with it."""

        def __init__(self, content: "Shipped") -> None:
            self.name, self.shipped = content.name, content

        def setup(self, worker: Any) -> None:
            self.shipped.unpack(worker)

        def teardown(self, worker: Any) -> None:
            self.shipped.forget(worker)

    with connected(target) as client:
        wait_for_a_worker(client)
        here = versions()
        for worker, there in client.run(versions).items():
            if other := otherwise(worker, there, here):
                raise UsageError(other, remedy=ALIKE)
        shipped = Shipped(path, loaded, settings=settings, declared=declared, wishes=wishes)
        try:
            client.register_plugin(ScorePlugin(shipped))
        except CellopsError:
            raise
        except Exception as error:
            fact = f"A worker cannot load the package: {error}"
            raise ClusterError(fact, remedy=ALIKE) from error
        try:
            yield partial(_performed, client, shipped.name)
        finally:
            with suppress(Exception):  # a scheduler that is gone has nothing to forget
                client.unregister_worker_plugin(shipped.name)


class Shipped:
    """A package on its way to workers, with what this machine's settings allow it."""

    def __init__(
        self, path: Path, loaded: "LoadedPackage", *, settings: Settings, declared: "Declared", wishes: "Wishes"
    ) -> None:
        from cellops.flows.opening import loader
        from cellops.flows.score import key
        from cellops.packaging.copying import pack

        self.name = f"cellops-score-{uuid.uuid4().hex}"
        self._digest, self._declared, self._wishes = loaded.digest, declared, wishes
        self._load, self._key = loader(settings), key(settings)
        with tempfile.TemporaryDirectory(prefix="cellops-score-") as folder:
            archive = Path(folder) / "package.zip"
            pack(path, archive, digest=loaded.digest)
            self._content = archive.read_bytes()

    def unpack(self, worker: Any) -> None:
        """Load the package on a worker; its digest is compared before anything of it is parsed."""
        from cellops.serving.batch.scorer import Scorer

        with tempfile.TemporaryDirectory(dir=worker.local_directory) as folder:
            archive = Path(folder) / "package.zip"
            archive.write_bytes(self._content)
            loaded = self._load(archive)
        if loaded.digest != self._digest:
            fact = "The package that came to a worker is not the one that was sent"
            raise ClusterError(fact, remedy="Try again")
        _scorers(worker)[self.name] = Scorer.proven(loaded, self._declared, self._wishes, self._key)

    def forget(self, worker: Any) -> None:
        _scorers(worker).pop(self.name, None)


def _scorers(worker: Any) -> dict[str, Any]:
    """Those of a worker, which has room for what others put on it."""
    held: dict[str, Any] = vars(worker).setdefault("_cellops_scorers", {})
    return held


def score_on_worker(name: str, packed: tuple[Any, ...]) -> bytes:
    """Score a chunk; called by a worker."""
    from distributed import get_worker

    scorer = _scorers(get_worker())[name]
    part: Part = scorer.score(Chunk.unpacked(packed))
    return part.to_bytes()


def _performed(client: Any, name: str, chunks: Iterator[Chunk]) -> "Iterator[PackedPart]":
    from cellops.serving.batch.performers import in_order_of_ending

    run = uuid.uuid4().hex
    tasks: dict[str, Any] = {}

    def submit(chunk: Chunk) -> Future[bytes]:
        key = f"{name}-{run}-{chunk.number}"
        future: Future[bytes] = Future()
        task = client.submit(score_on_worker, name, chunk.packed(), key=key, pure=False)
        tasks[key] = task

        def ended(_task: Any) -> None:
            tasks.pop(key, None)
            _hand_over(task, future)

        task.add_done_callback(ended)
        return future

    threads = max(1, sum(client.nthreads().values()))
    try:
        yield from in_order_of_ending(submit, threads * (1 + AHEAD), chunks, _Silence(client))
    finally:
        with suppress(Exception):  # a client says in many ways that nobody is there
            client.cancel(list(tasks.values()), force=True)


def _hand_over(task: Any, future: Future[bytes]) -> None:
    """What has become of a task of Dask, as a future of Python has it."""
    from distributed import KilledWorker

    try:
        future.set_result(task.result(timeout=60))
    except CellopsError as error:
        future.set_exception(error)
    except KilledWorker as error:
        fact = f"Workers were lost again and again while they scored a chunk: {error}"
        future.set_exception(ClusterError(fact, remedy="Give the workers more memory, and go on with --resume"))
    except BaseException as error:  # noqa: BLE001 - a cluster that is gone says so in many ways
        fact = f"The cluster has not scored a chunk: {type(error).__name__}: {error}"
        future.set_exception(ClusterError(fact, remedy="When it is there again, go on with --resume"))
    finally:
        task.release()


class _Silence:
    """Waits for workers where none is left, but not for ever."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._alone: float | None = None

    def __call__(self) -> None:
        try:
            threads = self._client.nthreads()
        except Exception as error:
            fact = "The scheduler of Dask does not answer any more"
            raise ClusterError(fact, remedy="When it is there again, go on with --resume") from error
        if threads:
            self._alone = None
        elif self._alone is None:
            self._alone = time.monotonic()
        elif time.monotonic() > self._alone + WITHOUT_WORKERS:
            fact = f"The scheduler of Dask has had no worker for {WITHOUT_WORKERS:g} s"
            raise ClusterError(fact, remedy=AGAIN)
