from cellops.records.base import Record


class Exported(Record, frozen=True, kw_only=True):
    """A pipeline that was written for a CI system or an orchestrator."""

    target: str
    """`github`, `gitlab`, `kfp`, `airflow`, `dvc` or `cron`."""
    notebook: str
    """From the top of the repository on."""
    files: tuple[str, ...]
    """What was written: the file of the target, then the lock of its environment."""
    commands: tuple[str, ...]
    """What the target executes, as a person would type it at the top of the repository."""
    notes: tuple[str, ...] = ()
    """What the file does not carry over, and what it needs of the place where it is executed."""
