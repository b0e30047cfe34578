"""The ways to divide rows, all of one shape (see `splitter`), by their names."""

from cellops.data.splits.grouped import group_split
from cellops.data.splits.hashed import hashed_split
from cellops.data.splits.random import random_split
from cellops.data.splits.splitter import Splitter
from cellops.data.splits.stratified import stratified_split
from cellops.data.splits.timed import time_split

SPLITTERS: dict[str, Splitter] = {
    "time": time_split,
    "groups": group_split,
    "stratified": stratified_split,
    "hashed": hashed_split,
    "random": random_split,
}
