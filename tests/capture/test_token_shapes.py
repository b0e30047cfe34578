"""Tokens are known by their shape, in texts and within a pickle; other words stay."""

import pickle
import secrets
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.capture.token_shapes import TOKENS, token_in, without_tokens
from support.kernel import Kernel

LETTERS = string.ascii_letters + string.digits
MADE = {
    "private key-": "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
    "akia": "AKIA" + "Q7" * 8,
    "ghp_": "ghp_" + "a1B2" * 9,
    "github_pat_": "github_pat_" + "a1B2_" * 12,
    "glpat-": "glpat-" + "a1-B2" * 4,
    "hf_": "hf_" + "a1B2c" * 7,
    "aiza": "AIza" + "a1_B2" * 7,
    "sk-": "sk-" + "a1-B2c" * 8,
    "xox": "xoxb-" + "-12ab" * 4,
    "dapi": "dapi" + "0af9" * 8,
    "eyj": "eyJ" + "hbGciOi" * 3 + ".eyJ" + "zdWIiOi" * 3 + "." + "s1gN_-" * 5,
}
"""Texts of the shape of each token, by its first mark; they open nothing."""


def test_each_shape_has_a_text_here() -> None:
    assert set(MADE) == {marks[0] for marks, _ in TOKENS}


@pytest.mark.parametrize("token", MADE.values(), ids=MADE)
def test_a_token_goes_from_a_text_and_is_found_in_a_pickle(token: str) -> None:
    assert without_tokens(f"before {token} after") == "before [redacted] after"
    for holder in (token, [f"x {token}"], {"names": np.array(["a", token, "b"], dtype=object)}, {token: 1}):
        assert token_in(pickle.dumps(holder, protocol=5))


@given(st.integers(0, 300), st.sampled_from(sorted(MADE.values())))
def test_a_token_is_found_at_any_length_of_its_text(more: int, token: str) -> None:
    assert token_in(pickle.dumps([f"{token} {'x' * more}"], protocol=5))


@pytest.mark.parametrize(
    "text",
    [
        "Basic understanding of the data",
        "bearer certificates are listed",
        "a task-based-classification-of-documents",
        "risk-adjusted-and-hyphenated-column-name",
        "ask-me-anything-about-the-categories",
        "dapiffffffffffffffffffffffffffffffff0",
    ],
)
def test_words_are_no_tokens(text: str) -> None:
    assert without_tokens(text) == text
    assert not token_in(pickle.dumps([text, {text: 1}], protocol=5))


@pytest.mark.parametrize("text", ["Authorization: Basic dXNlcjpwYXNzd29yZA==", "bearer 0123456789abcdef"])
def test_what_follows_the_name_of_a_scheme_goes(text: str) -> None:
    assert without_tokens(text).endswith(" [redacted]")


def test_numbers_are_no_tokens() -> None:
    assert not token_in(pickle.dumps(np.frombuffer(secrets.token_bytes(1 << 20), dtype=np.uint8), protocol=5))


def test_a_model_that_was_fitted_on_a_column_named_by_a_token_is_not_kept(kernel: Kernel) -> None:
    token = MADE["hf_"]
    kernel.run("%load_ext cellops\nimport pandas as pd\nfrom sklearn.linear_model import LinearRegression")
    kernel.run(f"name = 'hf_' + {token[3:]!r}\nX = pd.DataFrame({{name: [1.0, 2.0, 3.0], 'b': [1.0, 0.0, 2.0]}})")
    kernel.run("%%mlops run\nmodel = LinearRegression().fit(X, [1.0, 2.0, 3.0])")
    (run,) = kernel.closed()
    assert run.models == ()
    assert [f.seen for f in run.findings if "access token" in f.seen] == [
        "model was not kept: a text in it has the shape of an access token or a private key"
    ]
    kept = [p for p in (kernel.project / ".cellops").rglob("*") if p.is_file()]
    assert [p.name for p in kept if token.encode() in p.read_bytes()] == []
