"""Small notebooks as a person would write them, one behaviour each."""

from pathlib import Path

import nbformat

LOAD = "%load_ext cellops"
PARAMETERS = "%%mlops parameters\nrows: int = 400  # of the table\nseed: int = 3"
TRAIN = """%%mlops run --name trained
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
generator = np.random.default_rng(seed)
table = pd.DataFrame({"size": generator.normal(size=rows), "kind": generator.choice(["a", "b", "c"], size=rows)})
late = pd.Series((table["size"] + generator.normal(size=rows) > 0).astype(int), name="late")
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
X_train, X_test, y_train, y_test = table[:300], table[300:], late[:300], late[300:]
encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["kind"]), remainder="passthrough")
model = make_pipeline(encoder, LogisticRegression())
model.fit(X_train, y_train)
auc = roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])
"""


def write(path: Path, *cells: str) -> Path:
    """A notebook of code cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    nbformat.write(notebook, path)
    return path
