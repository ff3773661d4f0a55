"""Pages by keyset: a cursor names the last row seen, so that pages neither skip nor repeat rows when others are added.

A cursor is opaque and signed, and belongs to one address with its filters: another account refuses it.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson
from flask import request

from ila import web
from ila.errors import Invalid

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200

_own_key = secrets.token_bytes(32)
"""Signs cursors where no secret key is set; they end with the process."""


class CursorInvalid(Invalid):
    """The cursor was not made by this service for this address."""

    code = "cursor_invalid"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: after (or, backwards, before) the row with this key."""

    key: tuple[int, ...]
    backwards: bool = False


def cursor_text(cursor: Cursor) -> str:
    """Return a cursor as opaque text, signed for the present address."""
    payload = orjson.dumps([*cursor.key, cursor.backwards])
    return base64.urlsafe_b64encode(_signature(payload, _key()) + payload).decode().rstrip("=")


def cursor_of(text: str | None, *, length: int) -> Cursor | None:
    """Return the cursor of a text; raises `CursorInvalid` for one that was made elsewhere or for another address."""
    if text is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        signature, payload = raw[:16], raw[16:]
        if any(hmac.compare_digest(signature, _signature(payload, key)) for key in _keys()):
            *key, backwards = orjson.loads(payload)
            if len(key) == length:
                return Cursor(tuple(key), backwards)
    except ValueError:
        pass
    raise CursorInvalid(
        "This cursor does not belong here; begin with the first page, without a cursor.",
        errors=[{"parameter": "cursor", "detail": "Not a cursor of this resource."}],
    )


def _signature(payload: bytes, key: bytes) -> bytes:
    filters = sorted((name, value) for name, value in request.args.items() if name not in ("cursor", "limit"))
    scope = orjson.dumps([request.path, filters])
    return hmac.new(key, scope + b"\n" + payload, hashlib.sha256).digest()[:16]


def _key() -> bytes:
    return _keys()[0]


def _keys() -> Sequence[bytes]:
    named = [hashlib.sha256(b"cursor:" + key.encode()).digest() for key in web.settings().secret_keys]
    return named or [_own_key]


@dataclass(frozen=True, slots=True)
class Links:
    """The neighbours of a page as cursors; None where there is none."""

    next: str | None
    prev: str | None

    def header(self) -> str:
        """Return the header `Link` (RFC 8288) for the neighbours."""
        parts = [(self.next, "next"), (self.prev, "prev")]
        return ", ".join(f'<{_address(cursor)}>; rel="{relation}"' for cursor, relation in parts if cursor)


def _address(cursor: str) -> str:
    kept = {name: value for name, value in request.args.items() if name != "cursor"}
    return f"{request.path}?{urlencode({**kept, 'cursor': cursor})}"


def links(first: tuple[int, ...] | None, last: tuple[int, ...] | None, cursor: Cursor | None, *, more: bool) -> Links:
    """Return the neighbours of a page from the keys of its first and last row.

    `more` says whether rows lie beyond it in the direction it was read; the way back exists where a cursor led here.
    """
    if first is None or last is None:
        return Links(None, None)
    backwards = cursor is not None and cursor.backwards
    has_next = more if not backwards else True
    has_prev = more if backwards else cursor is not None
    return Links(
        cursor_text(Cursor(last)) if has_next else None,
        cursor_text(Cursor(first, backwards=True)) if has_prev else None,
    )
