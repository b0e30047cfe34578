"""The forms in which ours takes a table."""

import io
import json
from collections.abc import Callable

import pandas as pd

from serving_parts.load import Question
from serving_parts.models import Model
from serving_parts.servers import SERVERS, TOKEN

BEARER = {"Authorization": f"Bearer {TOKEN}"}
Ask = Callable[[str, Model, pd.DataFrame], Question | None]


def binary(url: str, model: Model, rows: pd.DataFrame) -> Question:
    """A table of numbers as the bytes of one tensor, of which bytes are wanted back."""
    return _tensors(url, model, [("inputs", [*rows.shape], rows.to_numpy(dtype="<f8").tobytes())])


def _columns(url: str, model: Model, rows: pd.DataFrame) -> Question | None:
    """The same with a tensor for each column."""
    if not _of_numbers(rows):
        return None
    return _tensors(url, model, [(name, [len(rows)], rows[name].to_numpy("<f8").tobytes()) for name in rows.columns])


def _tensors(url: str, model: Model, tensors: list[tuple[str, list[int], bytes]]) -> Question:
    described = [
        {"name": name, "shape": shape, "datatype": "FP64", "parameters": {"binary_data_size": len(content)}}
        for name, shape, content in tensors
    ]
    head = json.dumps({"inputs": described, "parameters": {"binary_data_output": True}}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head)), **BEARER}
    content = b"".join([head, *(content for _, _, content in tensors)])
    return Question(f"{url}/v2/models/{model.name}/infer", content, headers)


def _matrix(url: str, model: Model, rows: pd.DataFrame) -> Question | None:
    return binary(url, model, rows) if _of_numbers(rows) else None


def _csv(url: str, _model: Model, rows: pd.DataFrame) -> Question:
    content = rows.to_csv(index=False).encode()
    return Question(f"{url}/invocations", content, {"Content-Type": "text/csv", **BEARER})


def _parquet(url: str, _model: Model, rows: pd.DataFrame) -> Question:
    held = io.BytesIO()
    rows.to_parquet(held, index=False)
    headers = {"Content-Type": "application/vnd.apache.parquet", **BEARER}
    return Question(f"{url}/invocations", held.getvalue(), headers)


def _of_numbers(rows: pd.DataFrame) -> bool:
    return all(dtype.kind == "f" for dtype in rows.dtypes)


FORMS: dict[str, Ask] = {
    "V2, one tensor as bytes": _matrix,
    "V2, a tensor for each column as bytes": _columns,
    "V1, JSON": SERVERS["cellops"].ask,
    "invocations, Parquet": _parquet,
    "invocations, CSV": _csv,
}
