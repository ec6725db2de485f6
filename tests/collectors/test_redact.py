from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.redact import Redactor, redact_url


@pytest.mark.parametrize(
    ("url", "redacted"),
    [
        ("http://user:pw@h:80/x", "http://h:80/x"),
        ("http://a@b@h/", "http://h/"),
        ("http://h/?a=1&b&c=&d=2", "http://h/?a=…&…&c=&d=…"),
        ("http://h/p#access_token=abc&x", "http://h/p#access_token=…&x"),
        ("http://h/p#/route", "http://h/p#/route"),
        ("http://h/a@b?mail=a@b", "http://h/a@b?mail=…"),
        ("/items?id=5", "/items?id=…"),
        ("GET /items?id=5", "GET /items?id=…"),
        ("is it ready?", "is it ready?"),
        ("ws://h/s", "ws://h/s"),
        ("", ""),
    ],
)
def test_values_go_and_names_stay(url: str, redacted: str) -> None:
    """User information and values are masked, what tells requests apart is kept."""
    assert redact_url(url) == redacted


@given(st.text(max_size=60))
def test_redacting_again_changes_nothing(text: str) -> None:
    """A redacted text is stable."""
    assert redact_url(redact_url(text)) == redact_url(text)


@pytest.mark.parametrize("secret", ["hunter22", "abc.def.ghi"])
@pytest.mark.parametrize(
    "text",
    [
        'Get "http://u:{}@h/x?k={}": connection refused',
        "authorization: Bearer {}",
        '{{"Authorization":"Basic {}"}}',
        r"{{\"Cookie\":\"{}\"}}",
        "token {} in the middle",
        "GET /login?password={}",
    ],
)
def test_no_secret_survives_in_a_text(text: str, secret: str) -> None:
    """URLs, authorization values and known secrets are masked wherever they stand."""
    redactor = Redactor(secrets=[secret, "5"])
    assert secret not in redactor.text(text.format(secret, secret))


def test_short_values_are_no_secrets() -> None:
    """`-e VUS=10` must not blank every 10 in the log."""
    assert Redactor(secrets=["10", ""]).text("10 VUs") == "10 VUs"


def test_switched_off_nothing_changes() -> None:
    """Without redaction every text comes back as it is."""
    redactor = Redactor(enabled=False, secrets=["hunter22"])
    text = "http://u:hunter22@h/?a=b authorization: x"
    assert redactor.text(text) == text
    assert redactor.url(text) == text
