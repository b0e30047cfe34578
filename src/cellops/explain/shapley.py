"""Shapley values of one answer: what each input adds to it, held against rows that stand for the training data."""

import hashlib
from dataclasses import dataclass
from math import factorial

import numpy as np

from cellops.data.column import Numbers
from cellops.errors import LimitError
from cellops.explain.mixtures import Answer, Columns, Mixtures
from cellops.explain.walks import contributions_of_walks, orders
from cellops.stats.splitmix import stream

LEAST_BACKGROUND = 10
"""Rows of the background that are too few to stand for anything; a smaller background is taken whole."""
LEAST_ROUNDS = 2
"""Rounds of walks from which an error can be told."""
SURE_ROUNDS = 5
"""Rounds after which errors that are small are believed: what an input does in rare company may not have been seen."""
PRECISION = 0.01
"""Of the standard deviation of the answers to the background: no more walks are made when all errors are below."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """What each input adds to one answer. The base and all contributions sum to the answer."""

    base: float
    """The mean answer to the background."""
    value: float
    """The answer that is explained."""
    contributions: Numbers
    """Shape (inputs,), in the order of the background's columns and the unit of the answer."""
    errors: Numbers | None
    """The standard error of each, from sampling; None where they are exact."""
    background: int
    """How many rows the answer was held against."""
    evaluations: int
    """How often the model answered for it."""

    @property
    def adds_up(self) -> bool:
        """Whether base and contributions are finite and sum to the answer, within what single precision holds."""
        parts = np.append(self.contributions, self.base)
        apart = abs(float(parts.sum()) - self.value)
        return bool(np.isfinite(parts).all()) and apart <= 1e-6 * max(1.0, float(np.abs(parts).max()))


def attribution(row: Columns, background: Columns, answer: Answer, *, evaluations: int) -> Attribution:
    r"""The Shapley values of the answer to a row.

    .. math:: \phi_j = \sum_{S \not\ni j} \frac{|S|! (d - |S| - 1)!}{d!} (v(S \cup j) - v(S)), \quad
              v(S) = \frac{1}{n} \sum_b f(x_S, b_{\bar S})

    with the values of the row for the inputs in S, and those of a row of the background for the others. They are exact
    where every one of the :math:`2^d` sets can be asked for; else they are sampled: inputs change from a background
    row's to the explained row's in random order and in its reverse, as often from each row of the background, until
    all errors are small or nothing of the allowance is left. The orders hang on the row alone, so that one question
    has one answer. Inputs are taken as if they were independent of each other: mixtures may be rows that never were.

    Parameters
    ----------
    row
        Columns of shape (1,).
    background
        Columns of shape (rows,), drawn at random from what the row is to be held against; of the same dtypes.
    answer
        The model: one number for each row of columns.
    evaluations
        How many rows the model may answer at most. Where they do not suffice for all of the background, its first rows
        are taken.

    Raises
    ------
    LimitError
        When they do not suffice for ten rows of the background.

    References
    ----------
    Lundberg and Lee, A unified approach to interpreting model predictions, NeurIPS (2017), equations 4 and 9 to 11.
    Castro, Gomez and Tejada, Polynomial calculation of the Shapley value based on sampling, Computers and Operations
    Research 36 (2009). Mitchell, Cooper, Frank and Holmes, Sampling permutations for Shapley value estimation, JMLR 23
    (2022), section 4.1, for the reverse orders.

    Examples
    --------
    >>> row = {"a": np.array([3.0]), "b": np.array([1.0])}
    >>> background = {"a": np.array([0.0, 2.0]), "b": np.array([0.0, 0.0])}
    >>> found = attribution(row, background, lambda columns: 2 * columns["a"] + columns["b"], evaluations=100)
    >>> found.base, found.value, found.contributions
    (2.0, 7.0, array([4., 1.]))
    """
    inputs, rows = len(background), len(next(iter(background.values())))
    is_exact = 2**inputs * rows <= evaluations
    used = rows if is_exact else _affordable(inputs, rows, evaluations)
    held = {name: values[:used] for name, values in background.items()}
    mixtures = Mixtures(row, held, answer)
    ends = mixtures.answers(used + 1, lambda _, part: np.arange(part.start, part.stop) == used, _ends(used))
    before, value = ends[:used], float(ends[used])
    errors: Numbers | None
    if is_exact:
        contributions, errors = _exact(mixtures, before, value), None
    else:
        contributions, errors = _sampled(mixtures, before, value, seed_of(row), evaluations - used - 1)
    return Attribution(float(before.mean()), value, contributions, errors, used, mixtures.evaluations)


def seed_of(row: Columns) -> int:
    """A number that hangs on what stands in a row, and on nothing else."""
    content = [(name, values.dtype.kind, values.tolist()) for name, values in row.items()]
    return int.from_bytes(hashlib.blake2b(repr(content).encode(errors="surrogatepass"), digest_size=8).digest())


def _affordable(inputs: int, rows: int, evaluations: int) -> int:
    """How many rows of the background can be walked from, there and in reverse, in the least number of rounds."""
    each = LEAST_ROUNDS * 2 * (inputs - 1) + 1
    used = min(rows, (evaluations - 1) // each)
    needed = min(rows, LEAST_BACKGROUND)
    if used < needed:
        needs = needed * each + 1
        fact = f"To explain {inputs} inputs takes {needs} answers of the model, and {evaluations} are allowed"
        raise LimitError(fact, remedy="Raise CELLOPS_SERVER_EXPLAIN_EVALUATIONS")
    return used


def _ends(used: int) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """The whole background, and any place for the row itself."""
    places = np.arange(used + 1)
    places[-1] = 0
    return places


def _exact(mixtures: Mixtures, before: Numbers, value: float) -> Numbers:
    inputs, rows = mixtures.inputs, len(before)
    sets = np.arange(2**inputs)
    asked = np.repeat(sets[1:-1], rows)
    places = np.tile(np.arange(rows), len(sets) - 2) if inputs > 1 else np.empty(0, dtype=np.intp)
    answers = mixtures.answers(len(asked), lambda place, part: asked[part] >> place & 1 == 1, places)
    values = np.array([before.mean(), *answers.reshape(-1, rows).mean(axis=1), value])
    sizes = np.bitwise_count(sets)
    weights = np.array([factorial(size) * factorial(inputs - size - 1) / factorial(inputs) for size in range(inputs)])
    found = np.empty(inputs)
    for place in range(inputs):
        without = sets[sets >> place & 1 == 0]
        found[place] = weights[sizes[without]] @ (values[without | 1 << place] - values[without])
    return found


def _sampled(mixtures: Mixtures, before: Numbers, value: float, seed: int, evaluations: int) -> tuple[Numbers, Numbers]:
    """Rounds of a walk and its reverse from every row; errors are those of the rounds from one row, over all rows."""
    inputs, rows = mixtures.inputs, len(before)
    rounds = max(LEAST_ROUNDS, evaluations // (2 * (inputs - 1) * rows))
    enough = PRECISION * float(before.std())
    seeds = stream(seed, rounds)
    total, squares = np.zeros((rows, inputs)), np.zeros((rows, inputs))
    made, errors = 0, np.zeros(inputs)
    for number in range(rounds):
        found = contributions_of_walks(mixtures, orders(int(seeds[number]), rows, inputs), before, value)
        made += 1
        apart = found - total / max(1, made - 1)
        total += found
        squares += apart * (found - total / made)
        errors = np.sqrt((squares / max(1, made - 1)).sum(axis=0) / made) / rows
        if made >= SURE_ROUNDS and errors.max() <= enough:
            break
    return total.sum(axis=0) / (made * rows), errors
