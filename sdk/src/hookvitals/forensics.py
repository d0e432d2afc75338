"""Why a signature did not hold: a bounded search through the faults that honest senders and receivers make.

Runs after a request was refused, and gives a word for its record. It cannot accept anything: what a guess
verifies is thrown away. No secret, no signature and no body leaves it.
"""

import logging
import re
import weakref
from contextlib import suppress
from functools import lru_cache
from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from hookvitals.causes import Cause
from hookvitals.limits import TokenBucket
from hookvitals.schemes import SCHEMES, HeaderItems, Scheme, VerificationError, Verified, make
from hookvitals.schemes.errors import (
    MALFORMED_SIGNATURE,
    MISSING_SIGNATURE,
    TIMESTAMP_IN_FUTURE,
    TIMESTAMP_TOO_OLD,
    UNKNOWN_KEY,
)

log = logging.getLogger("hookvitals")

Secret = Union[str, bytes]
PER_MINUTE = 10
WORK_BYTES = 2 << 20
"""What one search verifies at most, over all its guesses."""
_OTHERS = 16
_CAUSE_CHARS = 256
_STAMPS = 8
_STAMP = r"(?a)(?<![0-9A-Za-z+/])(\d{10}|\d{13})(?![0-9A-Za-z+/])"
_CODINGS = {"gzip": b"\x1f\x8b", "deflate": b"\x78", "br": None, "zstd": b"\x28\xb5"}
_NOBODYS = "0f" * 32  # hex, base64 and text at once: a key for most schemes


class Forensics:
    """What one receiver knows about its own mistakes.

    place: (environment, source, endpoint). previous: secrets that were valid once. elsewhere: environment →
    its secrets; both are passed over where a request names its key. per_minute: how many refused requests a
    minute are looked into. Raises ValueError for a secret that the scheme cannot have.
    """

    def __init__(
        self,
        place: Tuple[str, str, str],
        scheme_name: str,
        scheme_settings: Mapping[str, Any],
        secrets: Sequence[Secret],
        *,
        previous: Sequence[Secret] = (),
        elsewhere: Optional[Mapping[str, Sequence[Secret]]] = None,
        per_minute: float = PER_MINUTE,
    ) -> None:
        self.place = place
        self._name = scheme_name
        self._settings = dict(scheme_settings)
        self._secrets = tuple(secrets)
        self.scheme = self._made(self._secrets)
        self._fetches = _fetches_keys(self.scheme)
        self._signs_url = "{url}" in self._settings.get("template", SCHEMES[scheme_name].signed)
        self._suspects: List[Tuple[str, Scheme]] = []
        retired = {Cause.PREVIOUS_SECRET.value: previous} if previous else {}
        for environment, theirs in (elsewhere or {}).items():
            retired[f"{Cause.OTHER_ENVIRONMENT.value}: {environment}"] = theirs
        for named, theirs in retired.items():
            try:
                self._suspects.append((named, self._made(theirs)))
            except ValueError as exc:
                raise ValueError(f"{named.replace('_secret', '_secrets')}: {exc}") from exc
        for form in () if self._fetches else _other_forms(self._secrets):
            with suppress(Exception):  # no key of this scheme looks like that
                self._suspects.append((Cause.SECRET_ENCODING.value, self._made([form])))
        self._share = TokenBucket(per_minute)
        _register(self)

    def cause(
        self,
        error: VerificationError,
        headers: HeaderItems,
        body: bytes,
        now: float,
        url: str = "",
        method: str = "POST",
        *,
        monotonic: float,
    ) -> Optional[str]:
        """The cause of this refusal, as it is recorded; None once this minute's share is used up.

        headers: with names in lower case. monotonic: seconds of a clock that never jumps. Never raises.
        """
        try:
            if self._share.wait_s(monotonic) > 0:
                return None
            search = _Search(self.scheme, headers, body, now, url, method)
            return self._found(error, search)[:_CAUSE_CHARS]
        except Exception:
            log.exception("hookvitals: the cause of a refusal could not be looked for")
            return Cause.UNKNOWN.value

    def _found(self, error: VerificationError, search: "_Search") -> str:
        if error.reason in (TIMESTAMP_TOO_OLD, TIMESTAMP_IN_FUTURE):
            return search.skew()
        found: Optional[str] = None
        try:
            if error.reason != MISSING_SIGNATURE and not (self._fetches and error.reason == UNKNOWN_KEY):
                found = self._proven(search)
            found = found or self._shape(error, search)
        except _Exhausted:  # a large body: what its headers say costs nothing
            pass
        return found or search.evidence() or Cause.UNKNOWN.value

    def _proven(self, search: "_Search") -> Optional[str]:
        """A cause under which the signature holds. Where a request names the key, no guess changes the name:
        somebody would be asked for each."""
        suspects = [] if self._fetches else self._suspects
        for named, scheme in (*suspects, *self._others()):
            if search.holds(scheme=scheme):
                return named
        if self._fetches:
            return self._proven_by_content(search)
        from hookvitals.rewritings import spellings  # noqa: PLC0415  # once something was refused

        header = str(getattr(self.scheme, "header", "")).lower()
        for cause, headers in spellings(search.headers, header, str(getattr(self.scheme, "prefix", ""))):
            if search.holds(headers=headers):
                return cause.value
        return self._proven_by_content(search)

    def _proven_by_content(self, search: "_Search") -> Optional[str]:
        from hookvitals.rewritings import bodies, other_urls  # noqa: PLC0415

        for url in other_urls(search.headers, search.url) if self._signs_url else ():
            if search.holds(url=url):
                return Cause.OTHER_URL.value
        for cause, body in bodies(search.headers, search.body):
            if search.holds(body=body):
                return cause.value
        return None

    def _others(self) -> Iterator[Tuple[str, Scheme]]:
        """The other receivers of this process: their secrets under their schemes."""
        live = [found for found in (reference() for reference in list(_LIVE.values())) if found is not None]
        tried = 0
        for other in sorted(live, key=lambda one: one.place):
            if (
                other.place == self.place
                or other._secrets == self._secrets
                or not _is_symmetric(other.scheme)
            ):
                continue
            tried += 1
            if tried > _OTHERS:
                return
            environment, source, endpoint = other.place
            if environment != self.place[0]:
                yield f"{Cause.OTHER_ENVIRONMENT.value}: {environment}", other.scheme
            else:
                yield f"{Cause.OTHER_ENDPOINT.value}: {source}/{endpoint}", other.scheme

    def _shape(self, error: VerificationError, search: "_Search") -> Optional[str]:
        """Another scheme of the table: one under which the signature holds with our secret, else, where ours
        finds no signature that it could read, one whose headers these are."""
        given = {name for name, _ in search.headers}
        likely = [name for name, needs in _shapes().items() if name != self._name and needs <= given]
        likely.sort(key=lambda name: (-len(_shapes()[name]), name == "hmac"))  # the general one last
        unreadable = error.reason in (MISSING_SIGNATURE, MALFORMED_SIGNATURE)
        readable = None
        for name in likely:
            with_ours = _made_or_none(name, self._secrets)
            if with_ours is not None and search.holds(scheme=with_ours):
                return f"{Cause.OTHER_SCHEME.value}: {name}"
            if unreadable and readable is None and self._could_be(name, error, search):
                readable = f"{Cause.OTHER_SCHEME.value}: {name}"
        return readable

    def _could_be(self, name: str, error: VerificationError, search: "_Search") -> bool:
        """Whether this scheme would read the signature; of one that cannot be tried, whether its header is
        there and ours is not."""
        nobodys = _made_or_none(name, [_NOBODYS])
        return error.reason == MISSING_SIGNATURE if nobodys is None else search.reads(nobodys)

    def _made(self, secrets: Sequence[Secret]) -> Scheme:
        return make(self._name, secrets, **self._settings)


class _Exhausted(Exception):
    """The search has done as much as it may."""


class _Search:
    """One refused request, and how much work may still be put into it."""

    def __init__(
        self, scheme: Scheme, headers: HeaderItems, body: bytes, now: float, url: str, method: str
    ) -> None:
        self.headers = headers
        self.body = body
        self._scheme = scheme
        self._now = now
        self.url = url
        self._method = method
        self._left = WORK_BYTES

    def holds(
        self,
        *,
        scheme: Optional[Scheme] = None,
        headers: Optional[HeaderItems] = None,
        body: Optional[bytes] = None,
        url: Optional[str] = None,
    ) -> bool:
        """Whether the signature holds when these are put in place of what was given."""
        return self._verified(scheme, headers, body, url) is not None

    def _verified(
        self,
        scheme: Optional[Scheme] = None,
        headers: Optional[HeaderItems] = None,
        body: Optional[bytes] = None,
        url: Optional[str] = None,
        now: Optional[float] = None,
    ) -> Optional[Verified]:
        content = self.body if body is None else body
        self._left -= len(content)
        if self._left < 0:
            raise _Exhausted
        try:
            return (scheme or self._scheme).verify(
                self.headers if headers is None else headers,
                content,
                self._now if now is None else now,
                self.url if url is None else url,
                self._method,
            )
        except VerificationError:
            return None

    def reads(self, scheme: Scheme) -> bool:
        """Whether the scheme finds a signature of its own form, whoever made it."""
        try:
            scheme.verify(self.headers, self.body, self._now, self.url, self._method)
        except VerificationError as exc:
            return exc.reason not in (MISSING_SIGNATURE, MALFORMED_SIGNATURE)
        return True

    def skew(self) -> str:
        """The signature is right, its time is not: by how much, where the time can be found."""
        for stamp in self._stamps():
            at = int(stamp) / (1000 if len(stamp) > 10 else 1)
            verified = self._verified(now=at)
            if verified is not None:
                off_s = (verified.signed_at or at) - self._now
                side = "ahead" if off_s > 0 else "behind"
                return f"{Cause.CLOCK_SKEW.value}: {abs(off_s):.0f} s {side}"
        return Cause.CLOCK_SKEW.value

    def _stamps(self) -> List[str]:
        found: List[str] = []
        for _, value in self.headers:
            found += re.findall(_STAMP, value[:1024])
        return list(dict.fromkeys(found))[:_STAMPS]

    def evidence(self) -> Optional[str]:
        """What the headers say of a body that can no longer be put right."""
        length, coding = self._header("content-length"), self._header("content-encoding").lower()
        if coding in _CODINGS and not self._looks(coding):
            return Cause.BODY_DECOMPRESSED.value
        if length.isascii() and length.isdigit() and len(length) < 16 and int(length) > len(self.body):
            return Cause.BODY_TRUNCATED.value
        return None

    def _looks(self, coding: str) -> bool:
        """Whether the body may be compressed so; brotli has no mark of its own."""
        mark = _CODINGS[coding]
        return self.body.startswith(mark) if mark else self.body[:1] not in (b"{", b"[")

    def _header(self, name: str) -> str:
        return next((value.strip() for found, value in self.headers if found == name), "")


def _other_forms(secrets: Sequence[Secret]) -> Iterator[Secret]:
    """What was perhaps meant by these secrets. None is one of them."""
    import base64  # noqa: PLC0415  # once a receiver

    for secret in secrets:
        raw = secret.encode() if isinstance(secret, str) else bytes(secret)
        bare = raw.strip().strip(b"'\"")
        tail = bare[len(b"whsec_") :] if bare.startswith(b"whsec_") else bare
        forms = [
            bare,
            tail,
            bare + b"\n",
            b"whsec_" + base64.b64encode(bare),
            b"whsec_" + base64.b64encode(tail),
        ]
        for decode in (
            bytes.fromhex,
            lambda text: base64.b64decode(text + "=" * (-len(text) % 4), validate=True),
        ):
            try:
                forms.append(decode(tail.decode("ascii")))
            except ValueError:
                continue
        yield from [form for form in dict.fromkeys(forms) if form.strip() and form != raw]


@lru_cache(maxsize=1)
def _shapes() -> Dict[str, FrozenSet[str]]:
    """Scheme → the headers it signs with, in lower case; without the schemes that leave none to see."""
    found: Dict[str, FrozenSet[str]] = {}
    for name, kind in SCHEMES.items():
        scheme = None if kind.extra else _made_or_none(name, [_NOBODYS])  # cryptography's: others sign them
        headers = _signed_headers(scheme) if scheme is not None else [kind.header]
        named = frozenset(header.lower() for header in headers if header)
        if named:
            found[name] = named
    return found


def _signed_headers(scheme: Scheme) -> Sequence[str]:
    try:
        return [name for name, _ in scheme.sign(b"{}", 1_000_000_000.0)]
    except Exception:  # only the provider can sign so
        return ()


def _fetches_keys(scheme: Scheme) -> bool:
    """Whether verifying may ask a provider for the key that a request names. Orum's has no name."""
    if not hasattr(scheme, "fetch"):
        return False
    from hookvitals.schemes.orum import OrumScheme  # noqa: PLC0415  # where a scheme fetches, it is small beer

    return not isinstance(scheme, OrumScheme)


def _is_symmetric(scheme: Scheme) -> bool:
    """Whether who verifies can sign: such a scheme never asks anybody for a key."""
    return bool(_signed_headers(scheme))


def _made_or_none(name: str, secrets: Sequence[Secret]) -> Optional[Scheme]:
    """A scheme that can sign, under these secrets, or None: one that cannot may ask somebody for a key."""
    try:
        scheme = make(name, secrets)
    except Exception:  # these are no keys of that scheme, or it needs a package that is not there
        return None
    return scheme if _is_symmetric(scheme) else None


_LIVE: "Dict[int, weakref.ref[Forensics]]" = {}
"""All there are in this process, for as long as their receivers live. No lock: a fork could copy it held."""


def _register(forensics: Forensics) -> None:
    for number, reference in list(_LIVE.items()):
        if reference() is None:
            _LIVE.pop(number, None)
    _LIVE[id(forensics)] = weakref.ref(forensics)
