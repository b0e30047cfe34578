"""The names of the files in a package. Those of MLflow stand at the top, ours beside them."""

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
"""Who vouches for the manifest; it stands outside of it."""
PROVENANCE = "provenance.json"
ENVIRONMENT = "environment/environment.json"
LOCK = "environment/lock.txt"
"""Every distribution that was installed where the run was made."""
SERVING = "environment/serving.txt"
"""Those that serving the model needs."""
CONTRACT = "contract"
"""The folder of the contract: one file for each of its parts, absent where the part is."""
CONTRACT_PARTS = ("schema", "profile", "parity", "suite", "performance", "output", "importance", "groups", "background")

FEATURES = "features"
"""The folder of the code that the model's features execute."""
MLMODEL = "MLmodel"
MODEL_SETTINGS = "model-settings.json"
"""MLServer's."""


def contract_part(part: str) -> str:
    """Where a part of the contract lies.

    Examples
    --------
    >>> contract_part("suite")
    'contract/suite.json'
    """
    return f"{CONTRACT}/{part}.json"
