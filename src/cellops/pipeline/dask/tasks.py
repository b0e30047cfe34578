"""Tasks of cellops on a cluster of Dask: one that a worker has lost is done again, and taken in once."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cellops.pipeline.cache.shared_folder import SharedError, SharedFolder
from cellops.pipeline.dask.bundle import Bundles
from cellops.pipeline.dask.cluster import check_workers, connected, refuse_to_show_secrets
from cellops.pipeline.dask.place import Place
from cellops.pipeline.dask.underway import Underway

if TYPE_CHECKING:
    from cellops.pipeline.dask.tasks_plugin import Done, TasksPlugin


class Tasks:
    """Has tasks done by the workers of a cluster.

    Parameters
    ----------
    target
        As `connected` takes it.
    place
        Where workers hand over what they have done.
    folder
        Of cellops' own files in this project.
    works_in
        The folder in which kernels work.
    has_secrets
        Whether the tasks hold what only their kernels may know.
    plugin
        Makes what workers do the tasks with; called when a cluster is there.
    """

    def __init__(
        self,
        target: Any,
        place: Place,
        folder: Path,
        *,
        works_in: Path,
        has_secrets: bool,
        plugin: "Callable[[], TasksPlugin]",
    ) -> None:
        self._target = target
        self._place = place
        self._folder = folder
        self._works_in = works_in
        self._has_secrets = has_secrets
        self._plugin = plugin
        self._underway: dict[str, Underway] = {}
        self._open = ExitStack()
        self.threads = 0
        """How many tasks the cluster does at once."""

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self._client = opened.enter_context(connected(self._target))
            refuse_to_show_secrets(self._client, has_secrets=self._has_secrets)
            if self._place.own is not None:
                self._place.own.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_workers(self._client, self._works_in, self._place)
            plugin = self._plugin()
            self.name = plugin.name
            opened.callback(self._forget)
            self._client.register_plugin(plugin)
            self._client.subscribe_topic(self.name, self._hear)
            self.threads = max(1, sum(self._client.nthreads().values()))
            self._open = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _forget(self) -> None:
        """Leave nothing on the cluster and in the folder; a scheduler that is gone has nothing to forget."""
        if self._client.status == "running":
            with suppress(Exception):
                self._client.unsubscribe_topic(self.name)
                self._client.unregister_worker_plugin(self.name)
                self._client.run_on_scheduler(_forgetting(self.name))
        with suppress(SharedError):
            SharedFolder(self._place.address, self._place.public).delete_folder(self.name)

    def _hear(self, event: tuple[float, Any]) -> None:
        """A task tells what goes on, in the thread of the client."""
        with suppress(KeyError, TypeError):
            self._underway[event[1]["task"]].heard.put(event[1]["told"])

    def perform(
        self,
        identifier: str,
        order: Any,
        stop: Future[Any],
        *,
        on_told: Callable[[dict[str, Any]], None],
        on_again: Callable[[str], None] = lambda _: None,
    ) -> "Done | None":
        """Have a task done and take in what it has left; may be called by several threads.

        Parameters
        ----------
        order
            What `TasksPlugin.execute` takes.
        stop
            Done when the task shall end before its time, with what it is stopped with.
        on_told
            Called in this thread with what the task tells.
        on_again
            Called in this thread with the reason where the task is begun again, or waits.

        Returns
        -------
        Done or None
            None where it was stopped, and no worker has answered to that.

        Raises
        ------
        LostError
            When workers were lost again and again.
        ClusterError
            When the scheduler or all workers are gone, or what was done cannot be handed over.
        """
        underway = Underway(client=self._client, name=self.name, identifier=identifier, stop=stop)
        self._underway[identifier] = underway
        try:
            underway.submit(order)
            done = underway.wait(on_told, on_again)
        finally:
            del self._underway[identifier]
        if done is not None:
            Bundles(self._place).take_in(done.handed, self._folder)
        return done


def _forgetting(topic: str) -> Callable[[Any], None]:
    """What a scheduler forgets by what was told: cells, with what they have shown. It has no cellops of its own."""

    def forget(dask_scheduler: Any) -> None:
        dask_scheduler._broker.truncate(topic)  # Dask has no other way for one topic

    return forget
