"""Back-ups: a twin at one position of its log, copied without stopping it, and put back elsewhere.

twin saves a snapshot ─► catalogue copied, files held ─► log up to a tick, record up to what that tick knew
─► vault: chunks by digest, then one manifest
"""

from gemel.operate.backup.manifest import Entry, Manifest, Point, Stretch
from gemel.operate.backup.put_back import put_back
from gemel.operate.backup.take import Source, take
from gemel.operate.backup.vault import Vault
from gemel.sealing.cipher import Cipher, Plain, Sealed

__all__ = [
    "Cipher",
    "Entry",
    "Manifest",
    "Plain",
    "Point",
    "Sealed",
    "Source",
    "Stretch",
    "Vault",
    "put_back",
    "take",
]
