"""A signature in a header under a provider's public key: Discord (Ed25519), SendGrid (ECDSA).

Needs the `crypto` extra. The reading is that of every header; only the matching differs.
"""

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional, Tuple, Union

from hookvitals.schemes.errors import only_the_provider
from hookvitals.schemes.header_scheme import HeaderScheme
from hookvitals.schemes.public_keys import PublicKey, ecdsa_key, ed25519_key, rsa_key


def _ed25519(text: Union[str, bytes]) -> PublicKey:
    try:
        return ed25519_key(bytes.fromhex(text if isinstance(text, str) else text.decode("ascii")))
    except ValueError as exc:
        raise ValueError("an Ed25519 public key is 32 bytes in hexadecimal") from exc


_LOADERS: Dict[str, Callable[[Union[str, bytes]], PublicKey]] = {
    "ed25519": _ed25519,
    "ecdsa": ecdsa_key,
    "rsa": rsa_key,
}


@dataclass(frozen=True)
class PublicKeyScheme(HeaderScheme):
    """secrets: the provider's public keys: hexadecimal for ed25519, PEM or bare base64 for ecdsa and rsa.

    signer: signs in trials, with a private key of your own whose public half is in `secrets`.
    """

    algorithm: str = "ed25519"
    signer: Optional[Callable[[bytes], bytes]] = field(default=None, repr=False)
    _keys: Tuple[PublicKey, ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.algorithm not in _LOADERS:
            raise ValueError(f"unknown algorithm {self.algorithm!r}; use {', '.join(_LOADERS)}")
        if not self.secrets:
            raise ValueError("at least one public key is needed")
        keys = tuple(_LOADERS[self.algorithm](text) for text in self.secrets)
        object.__setattr__(self, "_keys", keys)

    def _matched(self, content: bytes, given: List[bytes]) -> Optional[str]:
        for key in self._keys:
            if any(key.holds(one, content) for one in given):
                return key.id
        return None

    def _made(self, content: bytes) -> bytes:
        if self.signer is None:
            raise only_the_provider("so")
        return self.signer(content)

    def _length(self) -> Optional[int]:
        return 64 if self.algorithm == "ed25519" else None
