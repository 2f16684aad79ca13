"""How a back-up, or the key of data at rest, is sealed: AES-256-GCM under keys derived from one secret, or not at all.

secret ─ scrypt (RFC 7914), salt of the back-up ─► HKDF-SHA-256 (RFC 5869) ─► one key to seal, one to name chunks
"""

import hashlib
import hmac
import os
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gemel.errors import ConfigError, StorageError

NONCE: Final = 12  # bytes; NIST SP 800-38D, section 8.2: 96 random bits, good for 2^32 seals under one key
SCRYPT: Final = {"n": 1 << 15, "r": 8, "p": 1}  # 32 MiB and about a tenth of a second
_CHECK: Final = b"gemel back-up key 1"


class Cipher(Protocol):
    """Seals and names what is stored."""

    header: dict[str, Any]  # what the back-up's folder must say, so that the same cipher can be made again

    def name(self, plain: bytes) -> str:
        """Give the name of a chunk (hex): the same content, the same name."""

    def seal(self, plain: bytes, about: bytes) -> bytes:
        """Give what is stored; `about` must be the same when it is opened."""

    def open(self, stored: bytes, about: bytes) -> bytes:
        """Give the content back; raises StorageError where it was changed."""


class Plain:
    """Nothing is hidden; changes are found by SHA-256."""

    def __init__(self) -> None:
        self.header: dict[str, Any] = {"cipher": "none"}

    def name(self, plain: bytes) -> str:
        """Give SHA-256."""
        return hashlib.sha256(plain).hexdigest()

    def seal(self, plain: bytes, about: bytes) -> bytes:
        """Put the digest before it."""
        return hashlib.sha256(about + plain).digest() + plain

    def open(self, stored: bytes, about: bytes) -> bytes:
        """Check the digest."""
        plain = stored[32:]
        if hashlib.sha256(about + plain).digest() != stored[:32]:
            raise damaged("its digest differs")
        return plain


class Sealed:
    """AES-256-GCM; names are HMAC-SHA-256, so that they do not tell what lies there."""

    def __init__(self, secret: str, key: str, header: dict[str, Any] | None = None) -> None:
        """Derive the keys.

        Args:
            secret: the secret's text; how strong the seal is depends on it.
            key: the secret's name, written into the folder.
            header: of the folder; None makes a new one.

        Raises ConfigError where the folder was sealed under another secret.

        """
        fresh = header is None
        header = dict(header or {"cipher": "AES-256-GCM", "key": key, "salt": os.urandom(16).hex(), **SCRYPT})
        root = Scrypt(bytes.fromhex(header["salt"]), 32, header["n"], header["r"], header["p"]).derive(
            secret.encode()
        )
        self._root = root
        self._seal = AESGCM(_derived(root, b"gemel back-up seal"))
        self._name = _derived(root, b"gemel back-up names")
        check = hmac.digest(_derived(root, b"gemel back-up check"), _CHECK, "sha256").hex()
        if not fresh and not hmac.compare_digest(check, header["check"]):
            raise ConfigError(
                f"the secret {key!r} is not the one that this was sealed with", code="backup-key",
                remedy="give the secret of that day: --key NAME, and GEMEL_SECRET_<NAME>",
            )  # fmt: skip
        self.header: dict[str, Any] = {**header, "check": check}

    def derived(self, purpose: bytes) -> str:
        """Give another key under the same secret (hex), for one purpose."""
        return _derived(self._root, purpose).hex()

    def name(self, plain: bytes) -> str:
        """Give HMAC-SHA-256."""
        return hmac.digest(self._name, plain, "sha256").hex()

    def seal(self, plain: bytes, about: bytes) -> bytes:
        """Give nonce and ciphertext."""
        nonce = os.urandom(NONCE)
        return nonce + self._seal.encrypt(nonce, plain, about)

    def open(self, stored: bytes, about: bytes) -> bytes:
        """Decipher and authenticate."""
        try:
            return self._seal.decrypt(stored[:NONCE], stored[NONCE:], about)
        except (InvalidTag, ValueError):
            raise damaged("its seal is broken") from None


def damaged(why: str) -> StorageError:
    """Give the error that says that stored content is not as it was written."""
    return StorageError(
        f"content of the back-up is damaged: {why}", code="backup-damaged",
        remedy="use another back-up; gemel verify FOLDER says which are whole",
    )  # fmt: skip


def _derived(root: bytes, info: bytes) -> bytes:
    return HKDFExpand(SHA256(), 32, info).derive(root)
