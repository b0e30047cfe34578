"""Kernels that are forked from a process which has already imported what all of them need."""
