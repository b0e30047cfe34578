import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest


def test_slow_work_does_not_block_the_server(server):
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(server.get, "doors/wait")
        assert server.get("doors/open")[0] == 200
        assert waiting.result()[0] == 200


@pytest.mark.parametrize(("kind", "status"), [("usage", 400), ("not-found", 404), ("tracking", 503), ("settings", 409)])
def test_errors_say_what_and_the_remedy(server, kind, status):
    assert server.get("doors/fail", kind=kind) == (status, {"message": kind, "remedy": "mend it"})


def test_a_fault_of_ours_stays_in_the_log(server):
    status, body = server.get("doors/fail", kind="fault")
    assert status == 500
    assert body == {"message": "cellops could not answer", "remedy": "See the log of the Jupyter server"}
    assert "a secret of ours" in server.log.read_text()


def test_loading_the_extension_imports_nothing_heavy():
    code = """
import sys
import cellops.labserver, cellops.labserver.runs
print([name for name in ("mlflow", "pandas", "sklearn", "anywidget") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
