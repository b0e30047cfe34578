"""The names of the files in a package. Those of MLflow stand at the top, ours beside them."""

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
"""Who vouches for the manifest; it stands outside of it."""
PROVENANCE = "provenance.json"
ENVIRONMENT = "environment/environment.json"
LOCK = "environment/lock.txt"
CONTRACT = "contract"
"""The folder of the contract: one file for each of its parts, absent where the part is."""
CONTRACT_PARTS = ("schema", "profile", "parity", "suite", "performance", "output", "importance")

FEATURES = "features"
"""The folder of the code that the model's features execute."""
MLMODEL = "MLmodel"


def contract_part(part: str) -> str:
    """Where a part of the contract lies.

    Examples
    --------
    >>> contract_part("suite")
    'contract/suite.json'
    """
    return f"{CONTRACT}/{part}.json"
