"""The samplers, all of one shape (see `sampler`), by their names."""

from cellops.pipeline.sweep.samplers.grid import Grid
from cellops.pipeline.sweep.samplers.random import Random
from cellops.pipeline.sweep.samplers.sampler import Sampler
from cellops.pipeline.sweep.samplers.tpe import Tpe

SAMPLERS: dict[str, type[Sampler]] = {sampler.name: sampler for sampler in (Grid, Random, Tpe)}
