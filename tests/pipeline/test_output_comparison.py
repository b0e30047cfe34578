"""What cells show, compared: numbers are measured, times are only said, and what nobody reads does not count."""

import pytest

from cellops.capture.displays import LARGEST, LONGEST, said
from cellops.pipeline.verify.comparison import Comparing
from cellops.pipeline.verify.outputs import MARKUP, NO_MARKUP, NOTHING_ELSE, UNREAD, counting_all, outputs
from cellops.records.cell import CellRecord, Outcome
from cellops.records.output import OutputSeen
from cellops.records.proof import Comparison, Verdict
from cellops.records.value import Covered, ValueSeen

IDENTICAL, WITHIN, DIVERGED, UNTOLD = (
    Verdict.IDENTICAL,
    Verdict.WITHIN_TOLERANCE,
    Verdict.DIVERGED,
    Verdict.NOT_COMPARED,
)


def printed(text: str) -> OutputSeen:
    return said("stdout", "text/plain", text)


def compared(before: str, after: str, *, counts: bool = True, timed: bool = True) -> Comparison:
    (found,) = outputs([printed(before)], [printed(after)], 1e-6, counts=counts, timed=timed)
    return found


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("0.91", "0.91", IDENTICAL),
        ("0.91", "0.84", DIVERGED),
        ("0.91", "0.9100000001", WITHIN),
        ("[ 0.5  1. ]", "[0.50000000001 1.        ]", WITHIN),
        ("100 rows", "101 rows", DIVERGED),
        ("1000000000 rows", "1000000001 rows", DIVERGED),
        ("0.5 won", "0.5 lost", DIVERGED),
        ("0.5", "nan", DIVERGED),
        ("nan", "nan", IDENTICAL),
        ("took 0.31 s", "took 0.44 s", UNTOLD),
        ("Wall time: 1min 3s", "Wall time: 59.2 s", UNTOLD),
        ("took 0.31 s, score 0.9", "took 0.44 s, score 0.8", DIVERGED),
        ("Date: Sat, 21 Nov 2026 Time: 13:05:22", "Date: Sun, 22 Nov 2026 Time: 09:15:20", UNTOLD),
        ("2026-11-21 13:05:22,123 fit", "2026-11-22 13:05:23,456 fit", UNTOLD),
        ("100%|##| 3/3 [00:01<00:00, 2.5it/s]", "100%|##| 3/3 [00:02<00:00, 1.5it/s]", UNTOLD),
        ("3 samples", "4 samples", DIVERGED),
        ("score (number)", "score 5", DIVERGED),
        ("{'b', 'a'}", "{'a', 'b'}", IDENTICAL),
        ("{('b', 1), ('a', 2)}", "{('a', 2), ('b', 1)}", UNTOLD),
        ("{1.5, 2.5}", "{2.5, 1.5}", UNTOLD),
        ("{1.5, 2.5}", "{2.5, 1.6}", DIVERGED),
        ("(number) 5", "5 (number)", DIVERGED),
        ("took (time)", "took 3 s", DIVERGED),
    ],
)
def test_each_pair_of_texts_compares_as_it_is(before: str, after: str, verdict: Verdict) -> None:
    assert compared(before, after).verdict is verdict
    assert compared(before, after, counts=False).verdict is (IDENTICAL if verdict is IDENTICAL else UNTOLD)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("mean delay 453.92 min", "mean delay 172.75 min", DIVERGED),
        ("mean delay 453.92 min", "mean delay 453.9200001 min", WITHIN),
        ("worst day 2020-04-01", "worst day 2020-06-11", DIVERGED),
        ("at 13:05:22", "at 13:05:23", DIVERGED),
        ("Date: Sat, 21 Nov 2026 Time: 13:05:22", "Date: Sun, 22 Nov 2026 Time: 09:15:20", UNTOLD),
        ("2026-11-21 13:05:22,123 fit", "2026-11-22 13:05:23,456 fit", UNTOLD),
        ("100%|##| 3/3 [00:01<00:00, 2.5it/s]", "100%|##| 3/3 [00:02<00:00, 1.5it/s]", UNTOLD),
        ("0/3 [00:00<?, ?it/s, loss=0.5]", "0/3 [00:01<?, ?it/s, loss=0.5]", UNTOLD),
        ("3/3 [00:01<00:00, 2.5it/s, loss=0.5]", "3/3 [00:02<00:00, 1.5it/s, loss=0.4]", DIVERGED),
        ("10/10 1s 3ms/step - loss: 0.5", "10/10 2s 4ms/step - loss: 0.5", UNTOLD),
        ("10/10 1s 3ms/step - loss: 0.5", "10/10 1s 4ms/step - loss: 0.4", DIVERGED),
        ("0: learn: 0.5 total: 52ms remaining: 1.2s", "0: learn: 0.5 total: 48ms remaining: 1.1s", UNTOLD),
    ],
)
def test_without_a_clock_only_what_is_always_a_time_is_excused(before: str, after: str, verdict: Verdict) -> None:
    assert compared(before, after, timed=False).verdict is verdict


def test_the_difference_is_measured_and_shown_where_it_is() -> None:
    found = compared("epoch " * 50 + "loss 0.5", "epoch " * 50 + "loss 0.25")
    assert found.difference == 0.5
    assert found.before.startswith("…")
    assert (found.before[-8:], found.after[-9:]) == ("loss 0.5", "loss 0.25")


def test_a_text_that_is_not_kept_whole_is_not_measured() -> None:
    found = compared("=" * LONGEST + "0.5", "=" * LONGEST + "0.5000000001")
    assert (found.verdict, found.difference) == (DIVERGED, None)
    assert "not measured" in found.note


def test_what_nobody_reads_is_listed() -> None:
    found = compared("0.5", "0.25", counts=False)
    assert (found.note, found.before, found.after) == (UNREAD, "0.5", "0.25")


def test_what_is_missing_has_diverged_and_what_could_not_be_read_is_said() -> None:
    assert [one.verdict for one in outputs([printed("a")], [], 0.0, counts=True, timed=True)] == [DIVERGED]
    assert [one.verdict for one in outputs([], [printed("a")], 0.0, counts=True, timed=True)] == [DIVERGED]
    unread = OutputSeen(origin="display", kind="", reason="it is too large")
    for then, now in (([unread], [unread]), ([unread], []), ([unread], [unread.replace(digest="a")])):
        assert [(one.verdict, one.note) for one in outputs(then, now, 0.0, counts=True, timed=True)] == [
            (UNTOLD, "it is too large")
        ]
    figure = OutputSeen(origin="display", kind="image/png", digest="a")
    assert [one.verdict for one in outputs([figure], [figure.replace(digest="b")], 0.5, counts=True, timed=True)] == [
        DIVERGED
    ]


def test_html_of_which_only_the_text_is_the_same_is_not_identical() -> None:
    then = said("result", "text/html", "score 0.5").replace(markup="a")
    now = then.replace(markup="b")
    (found,) = outputs([then], [now], 1e-6, counts=True, timed=False)
    assert (found.verdict, found.note) == (UNTOLD, MARKUP)
    (alone,) = counting_all([found])
    assert (alone.verdict, alone.note) == (DIVERGED, f"{MARKUP}, {NOTHING_ELSE}")
    (close,) = outputs([then], [said("result", "text/html", "score 0.5000000001")], 1e-6, counts=True, timed=False)
    assert (close.verdict, close.note) == (WITHIN, "its pictures, styles or scripts differ too")
    (older,) = outputs([then.replace(markup=None)], [now], 1e-6, counts=True, timed=False)
    assert (older.verdict, older.note) == (UNTOLD, NO_MARKUP)
    (same,) = outputs([then], [then], 1e-6, counts=True, timed=False)
    assert (same.verdict, same.note) == (IDENTICAL, "")


def test_more_that_was_not_read_is_another_display() -> None:
    whole = printed("x" * LARGEST)
    cut = said("stdout", "text/plain", "x" * LARGEST, cut=True)
    (found,) = outputs([whole], [cut], 0.0, counts=True, timed=False)
    assert found.verdict is DIVERGED


def test_another_kind_of_display_has_diverged() -> None:
    (found,) = outputs(
        [said("result", "text/plain", "1")], [said("result", "text/html", "2")], 1.0, counts=True, timed=True
    )
    assert (found.verdict, found.note) == (DIVERGED, "text/plain then, text/html now")


def test_several_displays_are_compared_in_their_order() -> None:
    then, now = ([said("display", "text/plain", text) for text in texts] for texts in ("ab", "ac"))
    found = [(one.name, one.verdict) for one in outputs(then, now, 0.0, counts=True, timed=True)]
    assert found == [("display", IDENTICAL), ("display 2", DIVERGED)]


def record(text: str, source: str = "", value: ValueSeen | None = None) -> CellRecord:
    return CellRecord(
        session="s",
        order=1,
        source=source,
        started=0.0,
        duration=0.0,
        overhead=0.0,
        outcome=Outcome.OK,
        values=() if value is None else (value,),
        outputs=(printed(text),),
    )


@pytest.mark.parametrize(
    ("source", "clock_read", "verdict"),
    [
        ("print(delay)", False, DIVERGED),
        ("print(delay)", True, UNTOLD),
        ("%%time\nprint(delay)", False, UNTOLD),
        ("for x in tqdm(xs): print(delay)", False, UNTOLD),
        ("t = time()\nprint(delay)", False, UNTOLD),
        ("timeout = 3\nprint(delay)", False, DIVERGED),
    ],
)
def test_a_time_is_excused_where_the_clock_is_read(source: str, *, clock_read: bool, verdict: Verdict) -> None:
    comparing = Comparing(1e-9, lambda _: None, lambda _: None, clock_read=clock_read)
    proof = comparing.cell(record("3 folds, 0.5 s", source), record("3 folds, 0.4 s", source), ())
    assert [one.verdict for one in proof.comparisons if one.kind == "output"] == [verdict]


def test_a_run_that_tells_nothing_but_a_time_is_not_identical() -> None:
    comparing = Comparing(1e-9, lambda _: None, lambda _: None, clock_read=True)
    then, now = record("took 0.5 s"), record("took 0.4 s")
    assert comparing.cell(then, now, ()).verdict is DIVERGED
    assert comparing.cell(then, now).verdict is IDENTICAL
    assert comparing.cell(record("{1.5, 2.5}"), record("{2.5, 1.5}"), ()).verdict is DIVERGED
    metric = Comparison(kind="metric", name="score", verdict=IDENTICAL)
    assert comparing.cell(then, now, [metric]).verdict is IDENTICAL


VALUE = ValueSeen(name="x", type="builtins.int", covered=Covered.FULL, digest="1")


@pytest.mark.parametrize(
    ("value", "is_run", "verdict"),
    [
        (None, False, DIVERGED),
        (None, True, DIVERGED),
        (VALUE, True, DIVERGED),
        (VALUE, False, UNTOLD),
        (VALUE.replace(covered=Covered.SAMPLED), False, UNTOLD),
        (VALUE.replace(covered=Covered.CODE), False, DIVERGED),
        (VALUE.replace(covered=Covered.NOTHING, digest=None), False, DIVERGED),
    ],
)
def test_a_display_counts_in_the_run_and_where_nothing_else_is_left(
    value: ValueSeen | None, is_run: bool, verdict: Verdict
) -> None:
    then, now = record("0.5", value=value), record("0.4", value=value)
    comparing = Comparing(1e-9, lambda _: None, lambda _: None)
    proof = comparing.cell(then, now, () if is_run else None)
    assert [one.verdict for one in proof.comparisons if one.kind == "output"] == [verdict]
    older = comparing.cell(then.replace(outputs=None), now, ())
    assert [one for one in older.comparisons if one.kind == "output"] == []


def test_what_loading_cellops_prints_is_no_output_of_the_cell() -> None:
    loaded, again = (
        "cellops 0.1.0 captures this session's cells · x\n",
        ("The cellops extension is already loaded. To reload it, use:\n  %reload_ext cellops\n"),
    )
    assert not list(outputs([printed(loaded)], [printed(again)], 0.0, counts=True, timed=False))
    (same,) = outputs([printed(f"{loaded}5\n")], [printed(f"{again}5\n")], 0.0, counts=True, timed=False)
    assert same.verdict is Verdict.IDENTICAL
    (other,) = outputs([printed(f"{loaded}5\n")], [printed(f"{again}6\n")], 0.0, counts=True, timed=False)
    assert other.verdict is Verdict.DIVERGED
    (long,) = outputs([printed(loaded + "x" * LARGEST)], [printed(again)], 0.0, counts=True, timed=False)
    assert long.verdict is Verdict.NOT_COMPARED
