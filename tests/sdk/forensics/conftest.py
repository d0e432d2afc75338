"""What the tests of forensics share: nobody else's receivers."""

import gc

import pytest


@pytest.fixture(autouse=True, scope="module")
def no_others() -> None:
    """Receivers of tests that went before are suspects, and cost guesses, until they are collected."""
    gc.collect()
