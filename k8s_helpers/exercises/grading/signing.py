"""The teacher's key: what it has signed can be recognised later, and nobody else can sign in its place (Ed25519)."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import _paths
from ..._errors import ResourceError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY = "enseignant/signature.pem"


def key_file() -> Path:
    """Return where the key is kept, in the state folder of whoever makes copies."""
    return _paths.state_dir() / KEY


def teacher_key(*, make: bool = False) -> Ed25519PrivateKey | None:
    """Return the teacher's key; None where there is none and it shall not be made.

    Raises
    ------
    ResourceError
        The file is no such key: it is not replaced, since copies signed by it may be in students' hands.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    file = key_file()
    if file.exists():
        try:
            key = serialization.load_pem_private_key(file.read_bytes(), None)
        except (ValueError, TypeError):
            key = None
        if isinstance(key, Ed25519PrivateKey):
            return key
        raise ResourceError(
            f"Lire votre clé de signature ({file})",
            "ce fichier n’est pas une clé Ed25519",
            "Remettez la vôtre. Si elle est perdue, effacez-le et refaites les copies des étudiants.",
        )
    if not make:
        return None
    made = Ed25519PrivateKey.generate()
    pem = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(pem)
    return made


def canonical(value: Mapping[str, Any]) -> bytes:
    """Return the one text of plain JSON values: keys in order, no space, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign(key: Ed25519PrivateKey, value: Mapping[str, Any]) -> str:
    """Return the signature of plain values, in base64."""
    return base64.b64encode(key.sign(canonical(value))).decode()


def is_signed(key: Ed25519PrivateKey, value: Mapping[str, Any], signature: object) -> bool:
    """Return whether this key has signed these values."""
    from cryptography.exceptions import InvalidSignature

    try:
        key.public_key().verify(base64.b64decode(str(signature), validate=True), canonical(value))
    except (InvalidSignature, ValueError):
        return False
    return True
