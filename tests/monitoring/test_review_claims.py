from concurrent.futures import ThreadPoolExecutor

from cellops.monitoring.review_claims import FILE, Claims

NAMES = [f"p:{row}" for row in range(100)]


def test_two_reviewers_never_have_the_same_row(tmp_path):
    ada, bob = Claims(tmp_path, "Ada"), Claims(tmp_path, "Bob")
    assert ada.take(NAMES, 3) == ["p:0", "p:1", "p:2"]
    assert bob.take(NAMES, 2) == ["p:3", "p:4"]
    assert bob.others() == dict.fromkeys(["p:0", "p:1", "p:2"], "Ada")
    ada.release(["p:1", "p:3"])
    assert bob.take(NAMES, 2) == ["p:1", "p:3"]


def test_a_reviewer_has_the_same_rows_in_another_session(tmp_path):
    Claims(tmp_path, "Ada").take(NAMES, 2)
    assert Claims(tmp_path, "Ada").take(NAMES, 2) == ["p:0", "p:1"]
    assert Claims(tmp_path, "Ada").others() == {}


def test_claims_end_by_themselves(tmp_path):
    now = [1000.0]
    Claims(tmp_path, "Ada", lambda: now[0]).take(NAMES, 1, seconds=10)
    bob = Claims(tmp_path, "Bob", lambda: now[0])
    now[0] = 1009.0
    assert bob.take(NAMES, 1) == ["p:1"]
    now[0] = 1011.0
    assert bob.take(NAMES, 1) == ["p:0"]


def test_many_at_once_share_the_rows_out(tmp_path):
    with ThreadPoolExecutor(10) as pool:
        taken = list(pool.map(lambda number: Claims(tmp_path, f"r{number}").take(NAMES, 10), range(10)))
    assert sorted(name for part in taken for name in part) == sorted(NAMES)


def test_a_damaged_file_keeps_nobody_from_working(tmp_path):
    (tmp_path / FILE).write_bytes(b'{"p:0": \xff')
    assert Claims(tmp_path, "Ada").take(NAMES, 1) == ["p:0"]
