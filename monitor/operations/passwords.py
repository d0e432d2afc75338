"""Hashing passwords and looking whether one is right, one at a time: each look takes much memory on purpose.

An unknown user costs the same look as a known one, so that the time tells nothing.
"""

import threading

from werkzeug.security import check_password_hash, generate_password_hash

from monitor.errors import Unprocessable

METHOD = "scrypt:131072:8:1"
"""N = 2^17, r = 8, p = 1: 128 MiB a look."""
SHORTEST = 12
LONGEST = 256


class Passwords:
    def __init__(self, method: str = METHOD) -> None:
        self._method = method
        self._one_at_a_time = threading.Lock()
        self._dummy: str | None = None

    def hashed(self, password: str) -> str:
        """What is stored. Raises Unprocessable for one that is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise Unprocessable(
                f"a password has {SHORTEST} to {LONGEST} characters", "take a long one; a few words will do"
            )
        return self._hash(password)

    def is_right(self, password: str, stored: str | None) -> bool:
        """Whether the password is the one that was hashed. stored: None for an unknown user, never right."""
        against = self._unknown() if stored is None else stored
        with self._one_at_a_time:
            matches = check_password_hash(against, password[: LONGEST + 1])
        return matches and stored is not None

    def _unknown(self) -> str:
        if self._dummy is None:
            self._dummy = self._hash("nobody has this password")
        return self._dummy

    def _hash(self, password: str) -> str:
        with self._one_at_a_time:
            return generate_password_hash(password, self._method)
