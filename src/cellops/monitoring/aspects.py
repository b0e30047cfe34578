"""What a column is judged by: each aspect has an effect, the test of it, and how large an effect has to be."""

from dataclasses import dataclass

from cellops.records.drift import ColumnDrift

MODERATE_PSI = 0.1
MAJOR_PSI = 0.25
"""Below 0.1 no real change, from 0.25 a significant shift: Siddiqi, Credit Risk Scorecards (2006). For shares that do
not differ much PSI is about the square of Cohen's w, whose medium and large effects, 0.3 and 0.5, are 0.09 and 0.25:
Cohen, Statistical Power Analysis for the Behavioral Sciences (1988), chapter 7."""
SHARES = (0.1, 0.2)
"""Of texts that have changed: a normal variable that moves so far that its PSI is 0.1 or 0.25 has moved 0.13 or 0.2 of
its rows beyond any one point."""
LENGTHS = (0.2, 0.5)
"""Of the mean length: a fifth is about what an editor sees, and half is another kind of text. A convention of ours."""
LEAST_TEXTS = 500
"""Texts of the reference from which unknown words are judged: how many of them to expect, fewer tell too vaguely."""
JUDGED_BY = (
    ("psi", "chi_squared", (MODERATE_PSI, MAJOR_PSI)),
    ("out_of_vocabulary", "out_of_vocabulary", SHARES),
    ("vocabulary", "vocabulary", SHARES),
    ("text_length", "text_length", LENGTHS),
)
"""The statistic of each effect, that of its test, and where the effect begins to be moderate and major.

The last three are of columns of free text."""


@dataclass(frozen=True)
class Aspect:
    """One way in which a column may have moved."""

    statistic: str
    """Whose value is the effect."""
    effect: float
    p_value: float | None
    """None where the test could not be computed."""
    least: tuple[float, float]
    """From where the effect is moderate, and from where it is major."""

    @property
    def moderate(self) -> bool:
        return self.effect >= self.least[0]

    @property
    def major(self) -> bool:
        return self.effect >= self.least[1]

    @property
    def size(self) -> float:
        """The effect in moderate ones, so that aspects can be compared."""
        return self.effect / self.least[0]


def aspects(column: ColumnDrift) -> tuple[Aspect, ...]:
    """The aspects of a column that could be computed; none of one that had too few rows, or could not be read."""
    found = []
    for statistic, test, least in JUDGED_BY:
        effect, tested = column.result(statistic), column.result(test)
        if statistic == "out_of_vocabulary" and effect is not None and effect.reference_rows < LEAST_TEXTS:
            continue
        if effect is not None and effect.value is not None and tested is not None:
            found.append(Aspect(statistic, effect.value, tested.p_value, least))
    return tuple(found)
