"""What was served and logged is judged exactly as the same rows in a file are."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellops.flows.drift import drift
from cellops.flows.execute import execute
from cellops.flows.package import package
from support.notebooks import LOAD, PARAMETERS, TRAIN, write
from support.served import running

ROWS = 600
BATCH = 40


def later() -> pd.DataFrame:
    generator = np.random.default_rng(9)
    size = generator.normal(size=ROWS) + 0.7
    start = datetime(2024, 3, 1, tzinfo=UTC)
    return pd.DataFrame(
        {
            "size": size,
            "kind": generator.choice(["a", "b", "new"], size=ROWS),
            "late": (size + generator.normal(size=ROWS) > 0).astype(int),
            "time": [start + timedelta(hours=3 * (row // BATCH)) for row in range(ROWS)],
        }
    )


@pytest.mark.parametrize("labelled", [1.0, 0.5])
def test_the_log_of_a_server_and_a_file_give_one_verdict(project: Path, labelled: float) -> None:
    execute(write(project / "train.ipynb", LOAD, PARAMETERS, TRAIN))
    built = package("trained", output=project / "model")
    rows = later()
    with running(Path(built.path), project / "server") as server:
        for time, part in rows.groupby("time"):
            headers = {"X-Event-Time": time.isoformat()}
            body = {"instances": part[["size", "kind"]].to_dict("records")}
            answer = server.client.post("/v1/models/model:predict", json=body, headers=headers)
            assert answer.status_code == 200
            prediction = answer.headers["X-Prediction-Id"]
            known = part["late"].tolist()[: int(len(part) * labelled)]
            labels = [{"prediction_id": f"{prediction}:{row}", "label": label} for row, label in enumerate(known)]
            assert server.client.post("/feedback", json={"labels": labels}).status_code == 200
        assert server.stop() == 0
    served = drift("model", log=project / "server" / "log").report.windows[0]
    rows.to_parquet("later.parquet")
    filed = drift("model", "later.parquet", time="time").report.windows[0]
    assert served.columns == filed.columns
    assert served.output == filed.output
    assert served.rows == filed.rows == ROWS
    assert served.labelled_rows == int(ROWS * labelled)
    if labelled == 1.0:
        assert served.performance == filed.performance
    unseen = next(column for column in served.columns if column.column == "kind")
    assert unseen.current is not None
    assert unseen.current.unseen == (rows["kind"] == "new").sum()
