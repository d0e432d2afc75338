"""The demo's ledger, with its switch."""

import urllib.error
import urllib.request

import pytest

from monitor.maintain.demo.ledger import Ledger


def book(url: str) -> int:
    with urllib.request.urlopen(urllib.request.Request(url, b"{}", method="POST"), timeout=5) as answer:
        return int(answer.status)


def test_ledger_books_until_it_is_broken_and_again_once_it_is_mended() -> None:
    with Ledger() as ledger:
        assert book(ledger.url + "/book") == 204
        ledger.broken.set()
        with pytest.raises(urllib.error.HTTPError, match="503") as failed:
            book(ledger.url + "/book")
        failed.value.close()
        ledger.broken.clear()
        assert book(ledger.url + "/book") == 204
