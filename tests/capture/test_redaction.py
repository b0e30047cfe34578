"""No secret reaches a record, by its shape or by its name; what is no secret stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.capture.redaction import redact, redact_source, redact_value
from cellops.capture.secrets import REDACTED
from support.kernel import Kernel

SECRET = "hunter2hunter2"
AT_NAMES = (
    "password = '{}'",
    "db_password: str = '{}'",
    'API_KEY = """{}"""',
    "HF_TOKEN = b'{}'",
    "os.environ['MY_TOKEN'] = '{}'",
    "os.environ.setdefault('AWS_SECRET_ACCESS_KEY', '{}')",
    "options = {{'password': '{}', 'user': 'me'}}",
    "connect(host='h', password='{}')",
    "user, password = 'me', '{}'",
    "passwords = secrets = ['{}']",
    "def connect(host, password='{}'): ...",
    "self.token = '{}'",
    "token = os.environ.get('X') or '{}'",
    "token = f'{}{{x}}'",
    "%env API_KEY={}",
    "%env API_KEY {}",
    "!mysql --password={} -u me",
    "# the old password: '{}'",
    "%%mlops run\npassword = '{}'",
    "x = 1 +\npassword = '{}'",
    "if password == '{}': pass",
    "requests.get(url, headers={{'Authorization': 'Bearer {}'}})",
    "engine = 'postgresql://me:{}@host/db'",
    "text = 'AccountKey={}abcdefgh=='",
    "headers = {{'x-api-key': '{}'}}",
    "password = SecretStr('{}')",
    "TOKEN = b64decode('{}')",
    "password = '{}'.encode()",
    "token += '{}'",
    "githubToken = '{}'",
    "OPENAI_KEY = '{}'",
    "password1 = '{}'",
    "headers = {{'Authorization': 'Token {}'}}",
    "get(url, auth=('bob', '{}'))",
    "!tool --token {} run",
    '+    "api_key = \\"{}\\"\\n",',
)


@pytest.mark.parametrize("template", AT_NAMES)
def test_a_value_beside_the_name_of_a_secret_goes(template: str) -> None:
    said = redact_source(template.format(SECRET))
    assert SECRET not in said
    assert REDACTED in said


@pytest.mark.parametrize(
    "source",
    [
        "vectorizer = Vectorizer(token_pattern='[a-z]+')",
        "max_tokens = 512",
        "key = 'name'; keys = ['a', 'b']",
        "author = 'someone'; passes = 'three'",
        "token = os.environ['MY_TOKEN']",
        "password = getpass('Your password: ')",
        "frame.sort_values(by='key')",
        "primary_key = 'id'",
        "PRIMARY_KEY = 'id'",
        "getpass('password: ') ; x = 'v'",
        "x = input('Your token: '); y = 'abc'",
        "max_token = 4096",
    ],
)
def test_what_is_no_secret_stays(source: str) -> None:
    assert redact_source(source) == source


def test_parameters_are_redacted_by_name_and_by_shape() -> None:
    assert redact_value("password", SECRET) == REDACTED
    assert redact_value("model.api_key", [SECRET]) == [REDACTED]
    assert redact_value("note", ["ghp_" + "a" * 36, 3]) == [REDACTED, 3]
    assert redact_value("token", 3) == 3
    assert redact_value("token", "") == ""
    assert redact_value("password", 12345678) == REDACTED
    assert redact_value("max_token", 4096) == 4096


@given(st.text(st.sampled_from("password='\"\\[]{}():=-%\n é."), max_size=200))
def test_any_text_can_be_redacted(text: str) -> None:
    assert isinstance(redact(text), str)
    assert isinstance(redact_source(text), str)


@pytest.mark.parametrize(
    "part", ["password", "token ", "token: ", "token='", "key[ ", "://a:", "bearer ", "eyJaaaaaaaaaaa."]
)
def test_a_long_text_takes_time_in_proportion_to_its_length(part: str) -> None:
    """A pattern that looks back over a long text again and again would not come to an end here."""
    assert redact(part * 200_000)


def test_an_error_that_repeats_a_secret_of_an_earlier_cell_is_recorded_without_it(loaded: Kernel) -> None:
    loaded.run(f"password = {SECRET!r}")
    done = loaded.run("raise ValueError(f'no {password}')")
    assert SECRET in done.traceback
    error = loaded.cells()[-1].error
    assert error is not None
    assert error.message == "no [redacted]"
