"""The protocols that the server speaks: codecs over one data plane, all of one shape (see `protocol`)."""

from cellops.serving.protocols.kserve_v1 import KServeV1
from cellops.serving.protocols.mlflow_scoring import MlflowScoring
from cellops.serving.protocols.open_inference_v2 import OpenInferenceV2
from cellops.serving.protocols.protocol import Protocol

PROTOCOLS: tuple[type[Protocol], ...] = (KServeV1, OpenInferenceV2, MlflowScoring)
