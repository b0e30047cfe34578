"""What somebody calls a Secret is one: known however it is written, and unharmed for the code that uses it."""

import html
import json
import pickle
from urllib.parse import quote

import pytest

from cellops import Secret
from cellops.capture.secrets import REDACTED, KnownSecrets, annotated, literals
from cellops.errors import UsageError

VALUE = "a\"b'c\\d&é /nöt#a*word"


def _knowing(*values: str) -> KnownSecrets:
    known = KnownSecrets()
    for value in values:
        known.add(value)
    return known


@pytest.mark.parametrize(
    "written",
    [VALUE, repr(VALUE), json.dumps(VALUE), json.dumps(VALUE, ensure_ascii=False), html.escape(VALUE), quote(VALUE)],
)
def test_a_known_value_goes_however_it_is_written(written: str) -> None:
    said = _knowing(VALUE).without(f"before{written}behind")
    assert REDACTED in said
    assert "word" not in said
    assert (said.startswith("before"), said.endswith("behind")) == (True, True)


def test_a_short_value_goes_only_as_a_word() -> None:
    assert _knowing("1234").without("pin 1234, 0.12345") == f"pin {REDACTED}, 0.12345"


def test_the_longer_of_two_values_goes_first() -> None:
    assert _knowing("abcdef", "abcdefghij").without("abcdefghij abcdef") == f"{REDACTED} {REDACTED}"


def test_each_line_of_a_long_secret_goes() -> None:
    known = _knowing("first line of a key\nsecond line of a key\n")
    assert known.without("  second line of a key  ") == f"  {REDACTED}  "


@pytest.mark.parametrize("value", ["", "  ", "redacted", "[redacted]"])
def test_what_cannot_be_told_from_other_text_is_not_known(value: str) -> None:
    known = _knowing(value)
    assert not known
    assert known.without("a redacted text") == "a redacted text"


def test_a_secret_is_the_text_itself_and_shows_nothing() -> None:
    secret = Secret("correct horse battery")
    assert (secret, f"{secret}", str(secret)) == ("correct horse battery",) * 3
    assert repr([secret]) == f"[Secret('{REDACTED}')]"
    assert pickle.loads(pickle.dumps(secret)) == secret


def test_what_is_no_text_is_refused_without_being_shown() -> None:
    with pytest.raises(UsageError, match="NoneType was received"):
        Secret(None)
    with pytest.raises(UsageError) as caught:
        Secret(8_274_913)
    assert "8274913" not in str(caught.value)


def test_a_parameter_that_nobody_gave() -> None:
    with pytest.raises(UsageError, match="no value for the Secret parameter token"):
        Secret.given("token")


def test_a_source_says_what_is_secret() -> None:
    source = "a: Secret = 'one'\nb: 'Secret | None' = f()\nc: cellops.Secret = Secret('two')\nd: int = 3\nSecret(x)"
    assert annotated(source) == ("a", "b", "c")
    assert set(literals(source)) == {"one", "two"}
    assert (annotated("Secret ="), literals("Secret =")) == ((), ())
