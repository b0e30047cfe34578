"""What other people's clients are told to do, each in its own environment of `make peers`.

Each program takes the server's address, the token and a file with the columns of a table, and prints JSON.
"""

import json
from pathlib import Path
from typing import Any

from support import peers
from support.served import TOKEN, Running

BEGIN = """
import json, sys

url, token, model, file = sys.argv[1:]
columns = json.load(open(file))
headers = {"Authorization": f"Bearer {token}"}
TYPES = {str: "BYTES", int: "INT64", float: "FP64"}
datatypes = {name: TYPES[type(values[0])] for name, values in columns.items() if values[0] is not None}
"""
"""A column is of its first value's type; only tables without gaps are sent as tensors."""

ARRAYS = """
import numpy as np

DTYPES = {"BYTES": object, "INT64": "int64", "FP64": "float64"}
arrays = {name: np.array(columns[name], DTYPES[datatype]) for name, datatype in datatypes.items()}

def filled(Input, binary):
    tensors = [Input(name, [len(array)], datatypes[name]) for name, array in arrays.items()]
    for tensor, array in zip(tensors, arrays.values()):
        tensor.set_data_from_numpy(array, binary_data=binary)
    return tensors
"""

TRITON = (
    ARRAYS
    + """
import tritonclient.http as triton

client = triton.InferenceServerClient(url.removeprefix("http://"))
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready(model, headers=headers)
told = client.get_model_metadata(model, headers=headers)
assert {each["name"] for each in told["inputs"]} == set(columns)

def asked(sent, received):
    outputs = [triton.InferRequestedOutput(each["name"], binary_data=received) for each in told["outputs"]]
    given = {"outputs": outputs, "headers": dict(headers), "request_id": "mine"}
    answer = client.infer(model, filled(triton.InferInput, sent), **given)
    assert answer.get_response()["id"] == "mine"
    values = {each["name"]: answer.as_numpy(each["name"]) for each in told["outputs"]}
    return {n: [v.decode() if isinstance(v, bytes) else v for v in a.tolist()] for n, a in values.items()}

answers = {f"{sent} {received}": asked(sent, received) for sent in (True, False) for received in (True, False)}
try:
    client.infer(model, filled(triton.InferInput, True)[1:], headers=headers)
except triton.InferenceServerException as error:
    answers["refused"] = error.message()
print(json.dumps(answers))
"""
)

MLSERVER = """
import pathlib, subprocess

rows = len(next(iter(columns.values())))

def request(row):
    inputs = [{"name": n, "shape": [1], "datatype": datatypes[n], "data": [v[row]]} for n, v in columns.items()]
    return json.dumps({"inputs": inputs})

asked, answered = pathlib.Path(file + ".asked"), pathlib.Path(file + ".answered")
asked.write_text("\\n".join(map(request, range(rows))))
command = [str(pathlib.Path(sys.executable).with_name("mlserver")), "infer", "-m", model, "-i", asked, "-o", answered]
options = ["-u", url.removeprefix("http://"), "-H", f"Authorization: Bearer {token}"]
done = subprocess.run([*command, *options], capture_output=True, text=True)
assert done.returncode == 0, done.stderr
answers = [json.loads(line) for line in answered.read_text().splitlines()]
answers.sort(key=lambda answer: answer["parameters"]["batch_index"])
print(json.dumps(answers))
"""

KSERVE = (
    ARRAYS
    + """
import asyncio
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

rows = [dict(zip(columns, values)) for values in zip(*columns.values())]

async def main():
    answers = {}
    async with InferenceRESTClient(RESTConfig(protocol="v1")) as client:
        assert await client.is_server_live(url, headers=headers)
        assert await client.is_model_ready(url, model, headers=headers)
        answers["v1"] = await client.infer(url, {"instances": rows}, model_name=model, headers=headers)
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        assert await client.is_server_live(url, headers=headers)
        assert await client.is_server_ready(url, headers=headers)
        assert await client.is_model_ready(url, model, headers=headers)
        for binary in (True, False):
            request = InferRequest(model_name=model, infer_inputs=filled(InferInput, binary))
            answer = await client.infer(url, request, model_name=model, headers=dict(headers))
            answers[f"v2 {binary}"] = {each.name: each.as_numpy().tolist() for each in answer.outputs}
    print(json.dumps(answers))

asyncio.run(main())
"""
)

REQUESTS = """
import io
import pandas as pd
import requests

frame = pd.DataFrame(columns)
session = requests.Session()
session.headers.update(headers)

def post(path, **sent):
    answer = session.post(url + path, **sent)
    assert answer.ok, answer.text
    return answer.json()["predictions"]

def typed(media_type):
    return {"Content-Type": media_type}

split = {"columns": list(frame), "data": json.loads(frame.to_json(orient="values", double_precision=15))}
records = [dict(zip(split["columns"], row)) for row in split["data"]]
parquet = io.BytesIO()
frame.to_parquet(parquet, index=False)
print(json.dumps({
    "v1 records": post(f"/v1/models/{model}:predict", json={"instances": records}),
    "v1 columns": post(f"/v1/models/{model}:predict", json={"inputs": columns}),
    "split": post("/invocations", json={"dataframe_split": split}),
    "records": post("/invocations", json={"dataframe_records": records}),
    "csv": post("/invocations", data=frame.to_csv(index=False), headers=typed("text/csv")),
    "parquet": post("/invocations", data=parquet.getvalue(), headers=typed("application/vnd.apache.parquet")),
}))
"""


def answers(environment: str, program: str, server: Running, model: str, table: Path) -> Any:
    """What a client is answered."""
    url = str(server.client.base_url).rstrip("/")
    return json.loads(peers.run(environment, BEGIN + program, url, TOKEN, model, str(table)))
