"""Files at rest under a key that is referred to: whoever writes below a sealed folder seals, whoever reads opens.

secret ─ scrypt ─► opens `sealed.json` ─► key of the folder ─ HKDF with each file's salt ─► chunks, each sealed
"""

from gemel.sealing.content import (
    atomic,
    create,
    end,
    opened,
    read,
    sealed_file,
    stored,
    unsealed,
    write,
    writer,
)
from gemel.sealing.folder import (
    MARK,
    Keys,
    Seal,
    folder_of,
    opened_keys,
    read_keys,
    reseal,
    seal,
    seal_in,
    seal_of,
)
from gemel.sealing.secrets import secret

__all__ = [
    "MARK",
    "Keys",
    "Seal",
    "atomic",
    "create",
    "end",
    "folder_of",
    "opened",
    "opened_keys",
    "read",
    "read_keys",
    "reseal",
    "seal",
    "seal_in",
    "seal_of",
    "sealed_file",
    "secret",
    "stored",
    "unsealed",
    "write",
    "writer",
]
