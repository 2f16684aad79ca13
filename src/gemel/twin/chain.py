r"""The hash chain over the stored bytes of facts, and its signed head.

    draft ─► append ─► (fact, bytes) ─► bytes of the next fact carry SHA-256 of these
                                    └─► head (seq, hash), signed, kept in a second place

The hash is over the bytes as they are stored, never over what they decode to. JSON is lenient: unknown keys,
repeated keys, white space, escapes (``\u0041`` for ``A``) and spellings of a number all decode to the same fact, so
a hash of the decoded fact would let someone hide text in the record or change its bytes unseen.

A chain alone cannot show a tail cut off, nor a change of the last fact: nothing follows from it. The head can.
Ed25519: RFC 8032; SHA-256: FIPS 180-4.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey as PublicKey

from gemel.errors import ConfigError, StorageError
from gemel.samples.fact import Draft, Fact, decode, encode

GENESIS: Final = "0" * 64  # what the first fact follows from
_DOMAIN: Final = b"gemel record head 1\0"  # so that this signature can stand for nothing else


class Head(msgspec.Struct, frozen=True):
    """Where a record ends: seq of its last fact (0 = none) and SHA-256 (hex) of that fact's stored bytes."""

    seq: int = 0
    hash: str = GENESIS


class SignedHead(msgspec.Struct, frozen=True):
    """A head, its Ed25519 signature, and the public key it was made for (all hex)."""

    seq: int
    hash: str
    signature: str
    public: str

    @property
    def head(self) -> Head:
        """The head that is signed."""
        return Head(self.seq, self.hash)

    def to_bytes(self) -> bytes:
        """Give the stored form: JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """Read a stored head; a torn one raises StorageError."""
        try:
            return msgspec.json.decode(stored, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError) as e:
            raise StorageError(
                f"the record's signed head cannot be read: {e}", code="head-torn",
                remedy="restore head.json from a backup; without it a tail cut off cannot be seen",
            ) from None  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the record found.

    Args:
        ok: whether every byte is as it was written.
        checked: how many facts were found good, from the first.
        broken_at: seq at which the chain stops holding, None where it holds.
        reason: why, in words; empty where it holds.

    """

    ok: bool
    checked: int
    broken_at: int | None = None
    reason: str = ""


def digest(stored: bytes) -> str:
    """Give SHA-256 (hex) of stored bytes."""
    return hashlib.sha256(stored).hexdigest()


def head_of(stored: bytes) -> Head:
    """Give the head of a record whose last fact is stored as these bytes."""
    return Head(decode(stored).seq, digest(stored))


def append(draft: Draft, end: Head | bytes, recorded: int) -> tuple[Fact, bytes]:
    """Make the fact that follows, and the bytes to store.

    Args:
        draft: what happened.
        end: the record's head, or the stored bytes of its last fact.
        recorded: wall time of this machine [ns].

    >>> fact, stored = append(Draft(id="a", kind="PlantApplied", at=1, actor="ann"), Head(), 2)
    >>> fact.seq, fact.previous == GENESIS, verify([stored], head_of(stored)).ok
    (1, True, True)

    """
    head = end if isinstance(end, Head) else head_of(end)
    told = {name: getattr(draft, name) for name in draft.__struct_fields__}
    fact = Fact(**told, seq=head.seq + 1, recorded=recorded, previous=head.hash)
    return fact, encode(fact)


def verify(stored: Iterable[bytes], head: Head | SignedHead | None = None, *, key: PublicKey | None = None,
           after: Head = Head()) -> Verdict:  # noqa: B008 - a frozen value  # fmt: skip
    """Check stored facts, in order, against each other and against the head kept elsewhere.

    Found: any changed byte, a fact removed, put in, or moved, and a tail cut off. Without a head, a change of the
    last fact and a tail cut off cannot be seen. A record may be longer than its head (the head is kept after the
    fact): what follows the head is then held by the chain only.

    Args:
        stored: bytes of the facts, in the order of the record.
        head: where the record ends at least; the signature of a signed one is checked too.
        key: whose signature it must be; without it, the key that the head itself names (shows damage, not forgery).
        after: where the stored facts begin, for a record checked in parts.

    """
    bound = head.head if isinstance(head, SignedHead) else head
    if isinstance(head, SignedHead) and not verify_head(head, key):
        return Verdict(
            False, 0, head.seq, "the signature of the record's head is wrong: the head was changed or forged"
        )
    end = after
    checked = 0
    for data in stored:
        if reason := _broken(data, end):
            return Verdict(False, checked, end.seq + 1, reason)
        end = Head(end.seq + 1, digest(data))
        if bound is not None and end.seq == bound.seq and end.hash != bound.hash:
            return Verdict(
                False,
                checked,
                end.seq,
                f"fact {end.seq} is not the one that the signed head names: it was changed",
            )
        checked += 1
    if bound is not None and end.seq < bound.seq:
        return Verdict(
            False,
            checked,
            end.seq + 1,
            f"the record ends at fact {end.seq}, its signed head at {bound.seq}: a tail was cut off",
        )
    return Verdict(True, checked)


def _broken(data: bytes, end: Head) -> str:
    n = end.seq + 1
    try:
        fact = decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        return f"what is stored as fact {n} cannot be read: {e}"
    if fact.seq != n:
        return f"where fact {n} should stand, fact {fact.seq} stands: a fact was removed, put in, moved or changed"
    if fact.previous != end.hash:
        return f"fact {n} does not follow from what is stored before it: one of the two was changed"
    return ""


def new_key() -> bytes:
    """Make a new private key, as unencrypted PKCS #8 PEM: keep it readable by its owner only."""
    return PrivateKey.generate().private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())


def load_key(stored: bytes) -> PrivateKey:
    """Read a private key that `new_key` made; anything else raises ConfigError."""
    try:
        key = pem.load_pem_private_key(stored, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, PrivateKey):
        raise ConfigError(
            "the record's key cannot be read", code="record-key",
            remedy="restore it from a backup; a new key starts new signatures, the chain stays checkable",
        )  # fmt: skip
    return key


def sign(head: Head, key: PrivateKey) -> SignedHead:
    """Sign a head."""
    public = key.public_key().public_bytes_raw().hex()
    return SignedHead(head.seq, head.hash, key.sign(_message(head)).hex(), public)


def verify_head(signed: SignedHead, key: PublicKey | None = None) -> bool:
    """Tell whether a head is as it was signed, by this key or else by the one it names."""
    try:
        signer = key or PublicKey.from_public_bytes(bytes.fromhex(signed.public))
        signer.verify(bytes.fromhex(signed.signature), _message(signed.head))
    except (InvalidSignature, ValueError):
        return False
    return True


def _message(head: Head) -> bytes:
    return _DOMAIN + f"{head.seq}\0{head.hash}".encode()
