"""How often a login may be tried. Pure: earlier tries and the time in, a wait or the next state out.

Counted twice: for the account from one address, and for the account from anywhere. The second lock spares
addresses from which the account has logged in lately, so that an attacker cannot shut its owner out.
"""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.store.control.accounts import Tries

FREE_TRIES = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
ACCOUNT_TRIES = 15
WINDOW = timedelta(hours=1)
KNOWN_FOR = timedelta(days=30)


def pair_subject(name: str, address: str) -> str:
    """The key of an account at an address; hashed, since people type passwords into the name field."""
    return hashlib.sha256(f"pair\0{name}\0{address}".encode("utf-8", "surrogateescape")).hexdigest()


def account_subject(name: str) -> str:
    return hashlib.sha256(f"account\0{name}".encode("utf-8", "surrogateescape")).hexdigest()


def wait(pair: Tries | None, account: Tries | None, now: datetime) -> timedelta:
    """How long until a try will be looked at; zero for now."""
    waits = [timedelta(0)]
    if pair is not None:
        waits.append(pair.until_at - now)
    if account is not None and not is_known(pair, now):
        waits.append(account.until_at - now)
    return max(waits)


def is_known(pair: Tries | None, now: datetime) -> bool:
    """Whether the account logged in from this address lately."""
    return pair is not None and pair.succeeded_at is not None and now - pair.succeeded_at < KNOWN_FOR


def pair_tried(pair: Tries | None, now: datetime) -> Tries:
    """After one more try at this address, counted as failed until it turns out right: waits double."""
    if pair is None:
        return Tries(1, now, now)
    failures = 1 if now - pair.since_at >= 24 * WINDOW else pair.failures + 1
    since = now if failures == 1 else pair.since_at
    if failures < FREE_TRIES:
        return replace(pair, failures=failures, since_at=since, until_at=now)
    doubled = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures - FREE_TRIES, 16))
    return replace(pair, failures=failures, since_at=since, until_at=now + doubled)


def account_tried(account: Tries | None, now: datetime) -> Tries:
    """After one more try from anywhere: at most ACCOUNT_TRIES in a WINDOW."""
    if account is None or now - account.since_at >= WINDOW:
        return Tries(1, now, now)
    failures = account.failures + 1
    until = account.since_at + WINDOW if failures >= ACCOUNT_TRIES else now
    return replace(account, failures=failures, until_at=until)


def succeeded(now: datetime) -> Tries:
    """The pair after a login."""
    return Tries(0, now, now, now)


def given_back(account: Tries | None, now: datetime) -> Tries:
    """The account after a login: the right try does not count."""
    if account is None:
        return Tries(0, now, now)
    return replace(account, failures=max(0, account.failures - 1))
