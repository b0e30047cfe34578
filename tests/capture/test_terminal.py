"""The same in IPython's terminal, with no kernel and no page."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
shell = get_ipython()
shell.run_line_magic("load_ext", "cellops")
shell.run_cell("%%mlops run --name typed\\nvalue = 6 * 7\\nvalue", store_history=True)
shell.run_cell("import asyncio\\nawait asyncio.sleep(0)\\n'awaited'", store_history=True)
shell.run_cell("%%mlops run --nmae x\\nran = True", store_history=True)
shell.run_cell("%mlops runs", store_history=True)
print("ran" in shell.user_ns)
"""


def test_a_run_in_the_terminal(project: Path) -> None:
    script = project / "typed.ipy"
    script.write_text(SCRIPT)
    environment = {"CELLOPS_WRITER": "false", "IPYTHONDIR": str(project / "ipython"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", str(script)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    shown = done.stdout + done.stderr
    assert "42" in shown
    assert "run typed finished" in shown
    assert "'awaited'" in shown
    assert "UsageError: No such option '--nmae'" in shown
    assert done.stdout.rstrip().endswith("False")
