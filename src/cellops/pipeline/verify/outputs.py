"""What a cell showed, held against what it shows now.

What the run's own cell shows counts as the names do that it binds, and so does what a cell shows that leaves nothing
else to compare: a score that is only printed has been checked by nothing else. What other cells show is read by nobody,
so a difference there is listed and does not count. Texts that differ only in numbers are measured as numbers are. Those
that differ only in when the cell was executed, or how long it took, are listed: what is always that, as the line of a
progress bar is, and other times where the cell reads the clock. Elsewhere `delay 0.31 s` is a figure like others.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from cellops.capture.displays import said
from cellops.pipeline.verify.differences import NO_MEASURE, difference
from cellops.records.output import OutputSeen
from cellops.records.proof import Comparison, Verdict

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]*\w)")
WHOLE = re.compile(r"[-+]?\d+\Z")
STAMP = re.compile(
    r"\[[\d:]+\d:\d\d<(?:[\d:]+|\?)(?:,\s+[\d.?]+[^\s,/\]]*/[^\s,\]]+)?"
    r"|(?:\d+m?s[ ])?\d+[nuµm]?s/(?:step|epoch)\b"
    r"|\btotal:[ ]\S+\s+remaining:[ ]\S+"
    r"|\bDate:\s+[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4}\b|\bTime:\s+\d\d:\d\d:\d\d\b"
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d,\d{3}\b"
)
"""Progress of tqdm, Keras and CatBoost, the heads of statsmodels and of the lines of a log."""
TIME = re.compile(
    rf"{STAMP.pattern}"
    r"|\d[\d.,]*(?:e[-+]?\d+)?[ ]?(?:ns|µs|μs|us|ms|s|secs?|seconds?|mins?|minutes?|h|hrs?|hours?)(?![a-zA-Z\d])"
    r"|\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?"
    r"|\b\d{4}-\d\d-\d\d(?:[T ](?=\d))?"
    r"|\b[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4}\b"
)
"""Those, durations with their unit, times of the day and dates."""
STAMPS, TIMES = (re.compile(rf"(?:(?:{form.pattern})\s*)+") for form in (STAMP, TIME))
LOADING = re.compile(
    r"^(?:cellops \S+ captures [^\n]*\n?|The cellops extension is already loaded\.[^\n]*\n\s*%reload_ext cellops\n?)",
    re.MULTILINE,
)
"""What `%load_ext cellops` prints: where a slice is executed again, it was loaded before the first cell."""
AROUND = 30
LONGEST = 80
"""Characters that are shown around the first difference."""
PART_TIME = "it differs only in what it says of the time"
ALL_TIME = f"{PART_TIME}, and says nothing else"
BRACES = re.compile(r"\{[^{}:]*\}")
"""A set, or what looks like one."""
ORDER = "it says the same in another order"
MARKUP = "its text is the same, and its pictures, styles or scripts differ"
NO_MARKUP = "the record tells only its text, not its pictures, styles and scripts"
NOTHING_ELSE = "and the run tells nothing else"
PRODUCTS = frozenset({"value", "output", "metric", "table", "model", "figure"})
UNREAD = "it differs, and nothing reads what a cell above the run shows"


def outputs(
    before: Iterable[OutputSeen], after: Iterable[OutputSeen], tolerance: float, *, counts: bool, timed: bool
) -> Iterator[Comparison]:
    """The displays of a cell one by one, what it printed as one of them.

    Parameters
    ----------
    counts
        Whether a difference says anything of the run.
    timed
        Whether the cell can say how long it took, or when it was executed.
    """
    then, now = _by_name(_without_loading(before)), _by_name(_without_loading(after))
    times = TIMES if timed else STAMPS
    for name in dict.fromkeys((*then, *now)):
        found = _compared(name, then.get(name), now.get(name), tolerance, times)
        same = counts or found.verdict in {Verdict.IDENTICAL, Verdict.NOT_COMPARED}
        yield found if same else found.replace(verdict=Verdict.NOT_COMPARED, note=UNREAD)


def _without_loading(seen: Iterable[OutputSeen]) -> Iterator[OutputSeen]:
    """The outputs without what loading cellops has printed among them."""
    for one in seen:
        text = LOADING.sub("", one.text) if one.origin == "stdout" else one.text
        if text == one.text:
            yield one
        elif len(one.text) < one.size:
            yield one.replace(digest=None, reason="it is too long to be told from what loading cellops prints")
        elif text:
            yield said(one.origin, one.kind, text)


def _by_name(seen: Iterable[OutputSeen]) -> dict[str, OutputSeen]:
    found: dict[str, OutputSeen] = {}
    for one in seen:
        place = sum(other.origin == one.origin for other in found.values()) + 1
        found[one.origin if place == 1 else f"{one.origin} {place}"] = one
    return found


def counting_all(made: Sequence[Comparison]) -> Sequence[Comparison]:
    """The comparisons of a run's cell: a time, order or picture counts where the run tells nothing else."""
    if any(one.kind in PRODUCTS and one.verdict is not Verdict.NOT_COMPARED for one in made):
        return made
    return [
        one.replace(verdict=Verdict.DIVERGED, note=f"{one.note}, {NOTHING_ELSE}")
        if one.note in {ALL_TIME, ORDER, MARKUP}
        else one
        for one in made
    ]


def _compared(
    name: str, before: OutputSeen | None, after: OutputSeen | None, tolerance: float, times: re.Pattern[str]
) -> Comparison:
    base = Comparison(kind="output", name=name, verdict=Verdict.DIVERGED)
    if before is None or after is None:
        seen = before or after
        if seen is not None and seen.digest is None:
            base = base.replace(verdict=Verdict.NOT_COMPARED, note=seen.reason or "")
        return base.replace(before=_beginning(before), after=_beginning(after))
    if before.digest is None or after.digest is None:
        return base.replace(verdict=Verdict.NOT_COMPARED, note=before.reason or after.reason or "")
    if before.digest == after.digest and before.reason == after.reason:
        base = base.replace(before=_beginning(before), after=_beginning(after))
        if before.markup != after.markup:
            return base.replace(verdict=Verdict.NOT_COMPARED, note=MARKUP if before.markup else NO_MARKUP)
        return base.replace(verdict=Verdict.IDENTICAL, note=before.reason or "")
    then, now = _around(before.text, after.text)
    return _measured(base.replace(before=then, after=now), before, after, tolerance, times)


def _measured(
    base: Comparison, before: OutputSeen, after: OutputSeen, tolerance: float, times: re.Pattern[str]
) -> Comparison:
    """The comparison of two texts that differ, as far as both were kept."""
    if before.kind != after.kind:
        return base.replace(note=f"{before.kind} then, {after.kind} now")
    if not before.text:
        return base
    if len(before.text) < before.size or len(after.text) < after.size:
        return base.replace(note="it is too long to be kept, so the difference was not measured")
    if _between(times, before.text) == _between(times, after.text):
        note = PART_TIME if NUMBER.search(times.sub(" ", before.text)) else ALL_TIME
        return base.replace(verdict=Verdict.NOT_COMPARED, note=note)
    if BRACES.sub(_in_order, before.text) == BRACES.sub(_in_order, after.text):
        return base.replace(verdict=Verdict.NOT_COMPARED, note=ORDER)
    found = text_difference(before.text, after.text)
    close = found <= tolerance
    return base.replace(
        note="" if before.markup == after.markup else "its pictures, styles or scripts differ too",
        verdict=Verdict.WITHIN_TOLERANCE if close else Verdict.DIVERGED,
        difference=None if found == NO_MEASURE else found,
    )


def text_difference(before: str, after: str) -> float:
    """The largest relative difference of the numbers in two texts, which may be aligned otherwise.

    Infinity where more than numbers differs, or an integer.

    Examples
    --------
    >>> text_difference("score 0.5, 3 folds", "score  0.25, 3 folds")
    0.5
    >>> text_difference("3 folds", "4 folds"), text_difference("0.5 won", "0.5 lost")
    (inf, inf)
    """
    if _between(NUMBER, before) != _between(NUMBER, after):
        return NO_MEASURE
    pairs = zip(NUMBER.findall(before), NUMBER.findall(after), strict=True)
    return max((_apart(one, other) for one, other in pairs), default=NO_MEASURE)


def _apart(one: str, other: str) -> float:
    if WHOLE.match(one) and WHOLE.match(other):
        return 0.0 if int(one) == int(other) else NO_MEASURE
    return difference(float(one), float(other))


def _between(form: re.Pattern[str], text: str) -> list[str]:
    """What stands before, between and after all that has a form, without spaces; the form has no groups."""
    return ["".join(words.split()) for words in form.split(text)]


def _in_order(found: re.Match[str]) -> str:
    return ",".join(sorted(item.strip() for item in found[0][1:-1].split(",")))


def _around(before: str, after: str) -> tuple[str, str]:
    """Two texts from shortly before the place in which they differ."""
    then, now = " ".join(before.split()), " ".join(after.split())
    shorter = min(len(then), len(now))
    place = next((place for place in range(shorter) if then[place] != now[place]), shorter)
    begin = max(0, place - AROUND)
    return _cut(then, begin), _cut(now, begin)


def _beginning(seen: OutputSeen | None) -> str:
    if seen is None:
        return "nothing"
    return _cut(" ".join(seen.text.split()), 0) or seen.kind


def _cut(text: str, begin: int) -> str:
    end = begin + LONGEST
    return f"{'…' if begin else ''}{text[begin:end]}{'…' if len(text) > end else ''}"
