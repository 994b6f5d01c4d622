# SPDX-License-Identifier: Apache-2.0
"""An API key leaves this machine through TLS, or not at all."""

import pytest

from homeport.api.client.remote import Remote
from homeport.errors import MalformedError


@pytest.mark.parametrize(
    "url",
    [
        "http://platform.example:8443", "HTTP://platform.example", "http://127.0.0.1:8000",
        "platform.example:8443", "//platform.example", "https://", "ftp://x", "", "https://x:y",
    ],
)  # fmt: skip
def test_without_tls_no_key_is_sent(url):
    with pytest.raises(MalformedError) as caught, Remote(url, "hpk_secret"):
        pass
    assert "https" in caught.value.detail
    assert "hpk_secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://platform.example:8443", "https://[::1]", "HTTPS://x"])
def test_with_tls_it_may_be(url):
    with Remote(url, "hpk_secret"):
        pass


def test_neither_is_it_at_an_address_without_tls():
    with pytest.raises(MalformedError):
        Remote("https://platform.example", "hpk_secret", address="http://192.0.2.10:8443")
