"""A table is traced to the file that it was read from only where that is certain."""

import pytest

from support.kernel import Kernel

READ = "import pandas as pd, numpy as np\ndf = pd.read_csv('t.csv')"
SPLIT = "from sklearn.model_selection import train_test_split"
FIT = "%%mlops run\nfrom sklearn.linear_model import LinearRegression\nmodel = LinearRegression().fit(X, y)"
SAME = {
    "columns": [READ, "X, y = df[['a', 'b']], df['c']"],
    "one cell": [f"{READ}\nX = df.drop(columns='c')\ny = df.c"],
    "looked at": [READ, "df.head(); df.describe(); print(len(df), df.shape)", "X, y = df[['a', 'b']], df['c']"],
    "rows": [READ, "df = df.dropna().query('a > 0')", "X = df[['a']]\ny = df['c']"],
    "split": [READ, f"{SPLIT}\nX, X_test, y, y_test = train_test_split(df[['a']], df['c'], random_state=0)"],
    "path": [
        f"{READ}\nfrom pathlib import Path\nhere = Path('.')",
        "X = pd.read_csv(here / 't.csv')[['a']]",
        "y = df['c']",
    ],
    "another changed": [READ, "other = df.copy()\nother['z'] = 1", "X, y = df[['a', 'b']], df['c']"],
}
CHANGED = {
    "column added": [READ, "df['a'] = df['b'] * 2", "X, y = df[['a', 'b']], df['c']"],
    "in the same cell": [f"{READ}\ndf['a'] = 0.5", "X, y = df[['a', 'b']], df['c']"],
    "in place": [READ, "df.fillna(0, inplace=True)", "X, y = df[['a', 'b']], df['c']"],
    "by another name": [READ, "other = df\nother['a'] = 1.0", "X, y = df[['a', 'b']], df['c']"],
    "by a function": [READ, "def change(d): d['a'] = 1.0\nchange(df)", "X, y = df[['a', 'b']], df['c']"],
    "by exec": [READ, "exec(\"df['a'] = 1.0\")", "X, y = df[['a', 'b']], df['c']"],
    "bound anew": [READ, "df = pd.DataFrame({'a': np.arange(4.0), 'c': 1.0})", "X, y = df[['a']], df['c']"],
    "in a branch": ["import pandas as pd\nif True:\n    df = pd.read_csv('t.csv')", "X, y = df[['a']], df['c']"],
    "computed": [READ, "X, y = df[['a']] * 2, df['c'] + 1"],
    "by a function's value": [READ, "def make(d): return d[['a']]\nX, y = make(df), make(df)"],
}


def pointers(kernel: Kernel, cells: list[str]) -> list[str | None]:
    (kernel.project / "t.csv").write_text("a,b,c\n1,2,3\n4,5,6\n7,8,9\n10,11,13\n")
    for source in (*cells, FIT):
        done = kernel.run(source)
        assert done.status == "ok", done
    return [table.pointer for table in kernel.closed()[-1].data]


@pytest.mark.parametrize("cells", SAME.values(), ids=SAME)
def test_a_table_that_nothing_has_changed_names_its_file(loaded: Kernel, cells: list[str]) -> None:
    assert pointers(loaded, cells) == ["t.csv", "t.csv"]


@pytest.mark.parametrize("cells", CHANGED.values(), ids=CHANGED)
def test_a_table_that_may_have_changed_names_none(loaded: Kernel, cells: list[str]) -> None:
    assert pointers(loaded, cells) == [None, None]
