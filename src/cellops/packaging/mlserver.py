"""What MLServer reads of a package: by which of its runtimes the model is served. Its name is that of the folder."""

import msgspec

RUNTIME = "mlserver_mlflow.MLflowRuntime"


def model_settings() -> bytes:
    """The file `model-settings.json`, with which `mlserver start PACKAGE` needs no further configuration."""
    settings = {"implementation": RUNTIME, "parameters": {"uri": "."}}
    return msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n"
