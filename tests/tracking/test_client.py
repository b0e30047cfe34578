"""A store that cannot be used is one clear line, which holds no credentials."""

from pathlib import Path

import pytest

from cellops import settings
from cellops.errors import TrackingError
from cellops.tracking.store import Store
from support.server import free_port

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"postgresql://user:{SECRET}@127.0.0.1:9/db", "needs a driver that is not installed"),
        (f"http://user:{SECRET}@[bad", "is no address"),
        (f"http://user:{SECRET}@127.0.0.1:port", "is no address"),
        (f"http://user:{SECRET}@127.0.0.1:{{port}}", "did not answer"),
        (f"http://127.0.0.1:{{port}}/x?token={SECRET}", "did not answer"),
        ("sqlite:////proc/nowhere/mlflow.db", "did not answer"),
        ("nosuch://place", "did not answer"),
    ],
)
def test_an_address_that_leads_nowhere_is_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], address: str, said: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address.format(port=free_port()))
    with pytest.raises(TrackingError, match=said) as caught:
        Store(settings.load()).runs(1)
    assert len(caught.value.text().splitlines()) == 1
    assert "cellops sync" in caught.value.remedy
    shown = capfd.readouterr()
    assert SECRET not in caught.value.text() + shown.out + shown.err
    assert "Traceback" not in shown.err
