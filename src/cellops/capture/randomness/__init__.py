"""The ledger of random generators."""
