"""Answered requests for the logs, and a process that writes them until it is killed."""

import sys
import time
from pathlib import Path

import numpy as np

from cellops.monitoring import prediction_log
from cellops.monitoring.answered import Answered
from cellops.records.contract import Field, Schema, Task
from cellops.records.profile import ColumnKind

PATIENCE = 60


def field(name, kind, nullable=False):
    return Field(name=name, kind=kind, dtype="object", nullable=nullable)


def schema_of(*fields, classes=(0, 1), probabilities=False):
    return Schema(
        inputs=fields or (field("distance", ColumnKind.NUMBER),),
        task=Task.CLASSIFICATION if classes else Task.REGRESSION,
        target="late",
        classes=classes,
        probabilities=probabilities,
    )


def answered(number, rows=1, *, package="first", columns=None, labels=None, probabilities=None):
    """A request called by its number, which is also its time."""
    return Answered(
        prediction_id=str(number),
        request_id=str(number),
        time=number,
        received=number,
        protocol="v2",
        package=package,
        columns={"distance": np.full(rows, float(number))} if columns is None else columns,
        labels=np.zeros(rows, dtype=np.int64) if labels is None else np.asarray(labels),
        probabilities=probabilities,
    )


def writer_on(folder, schema=None, *, flush_seconds=0.01, segment_rows=1_000_000):
    return prediction_log.open_writer(
        folder, schema or schema_of(), flush_seconds=flush_seconds, segment_rows=segment_rows
    )


def request_numbers(folder):
    """The numbers of the requests in a log."""
    return [int(name) for name in prediction_log.read(folder)["request_id"]]


def until(condition):
    """Wait for what another thread or process does."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return value


def write_for_ever(folder, segment_rows):
    writer = writer_on(Path(folder), segment_rows=segment_rows)
    number = 0
    while True:
        writer.append(answered(number), 1)
        number += 1
        print(number, flush=True)


if __name__ == "__main__":
    write_for_ever(sys.argv[1], int(sys.argv[2]))
