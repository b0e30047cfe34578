"""Work on a cluster of Dask."""
