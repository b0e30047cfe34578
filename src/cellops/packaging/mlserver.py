"""What MLServer reads of a package: under which name, and by which of its runtimes, the model is served."""

import msgspec

RUNTIME = "mlserver_mlflow.MLflowRuntime"


def model_settings(name: str) -> bytes:
    """The file `model-settings.json`, with which `mlserver start PACKAGE` needs no further configuration."""
    settings = {"name": name, "implementation": RUNTIME, "parameters": {"uri": "."}}
    return msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n"
