"""How fast a batch is beside the bare `predict` of the same model, in how much memory, and on how many workers.

Run it as `python bench/batch.py`; `--rows N` scores others than 1,000,000; `--speed`, `--memory` or `--dask` looks at
one of the three only. Boosted trees answer with as many threads as OpenMP has (`OMP_NUM_THREADS`), the
others with one, so that the rest of a batch has another processor.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from cellops.packaging.load import LoadedPackage

COLUMNS = 20
CHUNK = 50_000
"""Rows of a chunk for workers, so that two have enough of them to the end."""
MODELS = ("boosted trees", "logistic regression", "forest", "forest as ONNX")
TREES = 200


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    """A key, eighteen numbers, some of them missing, and two texts."""
    random = np.random.default_rng(seed)
    made: dict[str, object] = {"key": np.arange(rows)}
    for number in range(COLUMNS - 2):
        values = random.normal(size=rows)
        values[random.random(rows) < 0.02] = np.nan
        made[f"number_{number}"] = values
    for number in range(2):
        made[f"text_{number}"] = pd.Series(random.choice([f"kind {each}" for each in range(12)], rows), dtype=object)
    return pd.DataFrame(made)


def build(folder: Path, kind: str) -> Path:
    """A package of a classifier."""
    import mlflow.sklearn

    from cellops.data.expectations import parse
    from cellops.packaging.build import build_package
    from cellops.packaging.contract import build_contract
    from cellops.packaging.conversion.convert import convert
    from cellops.packaging.formats import Trust
    from cellops.records.package import Provenance
    from cellops.records.run import Environment
    from cellops.settings import BUILT_IN_TRUSTED_TYPES

    frame = table(8_000).drop(columns="key")
    late = pd.Series((frame["number_0"].fillna(0) + frame["number_1"].fillna(0) > 0).astype(int), name="late")
    model = untrained(kind).fit(frame[:6000], late[:6000])
    rules = "\n".join(f'expect_column_values_to_be_between("number_{each}", -50, 50)' for each in range(5))
    contract = build_contract(
        model, (frame[:6000], late[:6000]), (frame[6000:], late[6000:]), suite=parse("inputs", rules, {})
    )
    place = folder / kind
    place.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trusted = list(BUILT_IN_TRUSTED_TYPES)
        options = {"serialization_format": "skops", "skops_trusted_types": trusted}
        mlflow.sklearn.save_model(model, place / "model", pip_requirements=["scikit-learn"], **options)
    saved = place / "model"
    if kind.endswith("ONNX"):
        convert(saved, contract, place / "onnx", Trust(frozenset(trusted), pickle=False))
        saved = place / "onnx"
    environment = Environment(
        python="3.11.7", implementation="CPython", platform="", machine="", cpu="", cores=1, distributions={}, local=()
    )
    provenance = Provenance(
        run="bench",
        mlflow_run_id=None,
        notebook=None,
        commit=None,
        dirty=False,
        seed=0,
        created="2013-01-01T00:00:00+00:00",
        cellops="0.1.0",
        model_type="sklearn.pipeline.Pipeline",
        model_format="skops",
    )
    return build_package(saved, contract, environment, provenance, place / "package", name="bench")


def untrained(kind: str) -> "Pipeline":
    """The model of a kind."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    texts = ["text_0", "text_1"]
    if kind == "logistic regression":
        encode = make_column_transformer(
            (OneHotEncoder(sparse_output=False), texts), remainder=SimpleImputer(strategy="median")
        )
        return make_pipeline(encode, LogisticRegression(max_iter=1000))
    encode = make_column_transformer((OrdinalEncoder(), texts), remainder="passthrough")
    if kind == "boosted trees":
        return make_pipeline(encode, HistGradientBoostingClassifier(max_iter=100, random_state=0))
    return make_pipeline(encode, RandomForestClassifier(TREES, min_samples_leaf=5, random_state=0))


class Times:
    """Seconds on the clock and of the processor, the best of several."""

    def __init__(self) -> None:
        self.clock = self.processor = float("inf")

    @contextmanager
    def taken(self) -> Iterator[None]:
        clock, processor = time.perf_counter(), time.process_time()
        yield
        self.clock = min(self.clock, time.perf_counter() - clock)
        self.processor = min(self.processor, time.process_time() - processor)

    def __str__(self) -> str:
        return f"{self.clock:.2f} s, {self.processor:.2f} s of the processor"


def speed(folder: Path, rows: int) -> Iterator[str]:
    """A batch beside two floors, each in turn, the best of three.

    One is `predict` alone on rows that are in memory and typed, as if nothing had to be read, checked or written. The
    other is what somebody would write without cellops: a loop that reads the same file in as large pieces, types them,
    asks the same model and writes its answers, without checks, prediction ids, drift profile, and resuming.
    """
    from cellops.data.batch.chunk import CHUNK_ROWS
    from cellops.data.decoder import frame_columns
    from cellops.flows.opening import load_package
    from cellops.flows.score import score
    from cellops.settings import load

    frame = table(rows, 1)
    frame.to_parquet(folder / "in.parquet")
    for kind in MODELS:
        package = build(folder, kind)
        loaded = load_package(package, load())
        schema = loaded.contract.schema
        chunks = [frame_columns(schema, frame.iloc[begin : begin + CHUNK_ROWS]) for begin in range(0, rows, CHUNK_ROWS)]
        bare, loop, ours = Times(), Times(), Times()
        for _ in range(3):
            with bare.taken():
                for chunk in chunks:
                    loaded.predictor.predict(chunk)
            with loop.taken():
                plain_loop(loaded, folder / "in.parquet", folder / "loop.parquet", CHUNK_ROWS)
            with ours.taken():
                score(package, folder / "in.parquet", folder / "out.parquet", force=True)
        what = f"{rows:,} x {COLUMNS} from Parquet to Parquet, {kind}"
        for floor, times in (("`predict` alone", bare), ("a loop that reads and writes", loop)):
            clock, processor = times.clock / ours.clock, times.processor / ours.processor
            share = f"{clock:.0%} of its rows a second; of the seconds of a processor it takes {processor:.0%}"
            yield f"| {what} | {ours} | {floor} {times} | {share} |"


def plain_loop(loaded: "LoadedPackage", source: Path, output: Path, size: int) -> None:
    """Read, ask, write."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from cellops.data.decoder import frame_columns

    writer = None
    for batch in pq.ParquetFile(source).iter_batches(size):
        answers = loaded.predictor.predict(frame_columns(loaded.contract.schema, batch.to_pandas()))
        columns = {"key": batch["key"], "prediction": pa.array(answers.labels)}
        if answers.probabilities is not None:
            columns |= {f"probability_{n}": pa.array(chances) for n, chances in enumerate(answers.probabilities.T)}
        made = pa.table(columns)
        writer = writer or pq.ParquetWriter(output, made.schema)
        writer.write_table(made)
    if writer is not None:
        writer.close()


def memory(folder: Path) -> Iterator[str]:
    """The peak of a process that scores 10 chunks, and of one that scores 1,000."""
    package = build(folder, "boosted trees") if not (folder / "boosted trees").exists() else None
    package = package or folder / "boosted trees" / "package"
    peaks = {}
    for chunks in (10, 1_000):
        write_long(folder / f"{chunks}.parquet", chunks)
        words = [str(package), str(folder / f"{chunks}.parquet"), str(folder / "out.parquet")]
        done = subprocess.run([sys.executable, __file__, "--peak", *words], check=True, capture_output=True, text=True)
        peaks[chunks] = float(done.stdout)
        (folder / f"{chunks}.parquet").unlink()
    yield (
        f"| memory for 1,000 chunks of {MEMORY_CHUNK:,} rows | {peaks[1000]:.0f} MB at its peak | "
        f"for 10 chunks {peaks[10]:.0f} MB | {peaks[1000] / peaks[10]:.2f} |"
    )


MEMORY_CHUNK = 4_000


def write_long(path: Path, chunks: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = [pa.Table.from_pandas(table(MEMORY_CHUNK, seed), preserve_index=False) for seed in range(5)]
    with pq.ParquetWriter(path, parts[0].schema) as writer:
        for number in range(chunks):
            writer.write_table(parts[number % len(parts)])


def peak(package: str, source: str, output: str) -> None:
    from cellops.flows.score import score

    score(package, source, output, chunk_rows=MEMORY_CHUNK, force=True)
    # What getrusage says would be that of the process that began this one.
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    print(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024)


@contextmanager
def workers(folder: Path, count: int) -> Iterator[tuple[str, list[int]]]:
    """A scheduler of Dask with so many workers of one thread each: its address, and their processes."""
    from distributed import Client

    file = folder / f"scheduler-{count}.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard"]
    with ExitStack() as stack:
        started = [subprocess.Popen([*command, "--scheduler-file", str(file)], **quiet)]
        stack.callback(lambda: [process.kill() for process in started])
        client = stack.enter_context(Client(scheduler_file=str(file), timeout=60))
        one = [sys.executable, "-m", "distributed.cli.dask_worker", client.scheduler.address, "--nthreads", "1"]
        started.extend(subprocess.Popen([*one, "--no-nanny", "--no-dashboard"], **quiet) for _ in range(count))
        client.wait_for_workers(count, timeout=60)
        yield client.scheduler.address, [process.pid for process in started[1:]]


def dask(folder: Path, rows: int) -> Iterator[str]:
    """The same batch on one worker and on two; with the seconds of a processor, which other work changes least."""
    from cellops.flows.score import score
    from serving_parts.processes import taken

    package = folder / "forest" / "package"
    if not package.exists():
        package = build(folder, "forest")
    if not (folder / "in.parquet").exists():
        table(rows, 1).to_parquet(folder / "in.parquet")
    clock, theirs, own = dict[int, float](), dict[int, float](), dict[int, float]()
    for count in (1, 2):
        with workers(folder, count) as (address, processes):
            for _ in range(2):
                begun, before, mine = time.perf_counter(), sum(taken(each).processor for each in processes), Times()
                with mine.taken():
                    score(
                        package,
                        folder / "in.parquet",
                        folder / "out.parquet",
                        chunk_rows=CHUNK,
                        force=True,
                        dask=address,
                    )
                clock[count] = min(clock.get(count, float("inf")), time.perf_counter() - begun)
                theirs[count] = sum(taken(each).processor for each in processes) - before
                own[count] = mine.processor
    yield (
        f"| the forest on two workers of Dask | {clock[2]:.2f} s; of the processor {theirs[2]:.2f} s by the workers, "
        f"{own[2]:.2f} s by this process | on one {clock[1]:.2f} s; {theirs[1]:.2f} s, {own[1]:.2f} s | "
        f"{clock[1] / clock[2]:.2f} times as fast |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    for part in ("speed", "memory", "dask"):
        parser.add_argument(f"--{part}", action="store_true")
    parser.add_argument("--peak", nargs=3)
    given = parser.parse_args()
    if given.peak:
        peak(*given.peak)
        return
    every = not (given.speed or given.memory or given.dask)
    print("| what | ours | beside | ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if every or given.speed:
            for line in speed(folder, given.rows):
                print(line, flush=True)
        if every or given.memory:
            for line in memory(folder):
                print(line, flush=True)
        if every or given.dask:
            for line in dask(folder, given.rows):
                print(line, flush=True)


if __name__ == "__main__":
    main()
