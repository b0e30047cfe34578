"""What runs have handed over can be deleted; what stands nowhere else stays."""

from pathlib import Path

from cellops.flows.clean import clean, removable
from cellops.flows.sync import sync
from cellops.settings import load
from support.kernel import Kernel


def test_sources_go_once_they_are_carried_over_and_states_stay(project: Path) -> None:
    (project / "helpers.py").write_text("scale = 2\n")
    kernel = Kernel(project, {"CELLOPS_WRITER": "false"})
    try:
        kernel.run("%load_ext cellops")
        kernel.run("%%mlops run\nimport helpers, random\nscore = random.random() / helpers.scale")
        settings = load(project)
        source, state = (next((settings.folder / name).iterdir()) for name in ("sources", "states"))
        assert not {source, state} & set(removable(settings))
        kernel.run("%unload_ext cellops")
    finally:
        kernel.stop()
    sync(settings)
    files = removable(settings)
    assert source in files
    assert state not in files
    assert clean(files) > 0
    assert not source.exists()
