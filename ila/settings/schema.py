"""Types, ranges and cross-checks of the settings, for `ila.settings`."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length, OneOf, Range, Regexp

ENVIRONMENTS = ("development", "test", "demo", "production")
KEY_BYTES = 32

_POSTGRESQL = Regexp(r"(postgresql://.+)?\Z", error="Must be empty or begin with postgresql://.")


class DirectoryPath(fields.String):
    """An absolute path; it need not exist yet."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not text or "\0" in text:
            raise ValidationError("Must be a path.")
        return Path(text)


class Key(fields.String):
    """32 bytes, written as base64 or as 64 hexadecimal digits; None where it is empty."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not text:
            return None
        try:
            padded = text + "=" * (-len(text) % 4)
            key = bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else base64.b64decode(padded, b"-_", validate=True)
        except (ValueError, binascii.Error):
            key = b""
        if len(key) != KEY_BYTES:
            raise ValidationError("Must be 32 bytes, as base64 or as 64 hexadecimal digits.")
        return key


class SecretTexts(fields.List[Any]):
    """A tuple of texts."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(value, attr, data, **kwargs))


def _number(least: int, most: int) -> fields.Integer:
    return fields.Integer(required=True, strict=True, validate=Range(least, most))


class SettingsSchema(Schema):
    """What each setting may be. Bounds are wide: they refuse slips, not choices."""

    env = fields.String(required=True, validate=OneOf(ENVIRONMENTS))
    service_name = fields.String(required=True, validate=Length(1, 100))
    base_url = fields.String(required=True, validate=Regexp(r"(https?://[^\s/]+)?\Z", error="Must be an http(s) URL."))
    data_directory = DirectoryPath(required=True)
    scheme_directory = DirectoryPath(required=True)
    maintenance = fields.Boolean(required=True, truthy={True}, falsy={False})

    host = fields.String(required=True, validate=Regexp(r"[^\s/]+\Z", error="Must be a host name or address."))
    port = _number(1, 65535)
    web_workers = _number(1, 256)
    web_threads = _number(1, 256)
    secret_keys = SecretTexts(fields.String(validate=Length(min=32)), required=True)

    database_url = fields.String(required=True, validate=_POSTGRESQL)
    database_owner_url = fields.String(required=True, validate=_POSTGRESQL)
    database_job_url = fields.String(required=True, validate=_POSTGRESQL)
    database_direct_url = fields.String(required=True, validate=_POSTGRESQL)
    database_pooler = fields.String(required=True, validate=OneOf(["", "transaction"]))

    identity_pepper = Key(required=True)
    encryption_key = Key(required=True)

    allocation_workers = _number(1, 256)
    allocation_slice_citizens = _number(1, 10_000_000)
    import_batch_rows = _number(1, 10_000_000)
    forecast_years = _number(1, 80)
    scheduler_tick_seconds = _number(1, 3600)

    log_level = fields.String(required=True, validate=OneOf(["debug", "info", "warning", "error"]))
    log_format = fields.String(required=True, validate=OneOf(["json", "console"]))

    @validates_schema(skip_on_field_errors=True)
    def _fit_together(self, data: dict[str, Any], **_: Any) -> None:
        if data["env"] == "production" and not data["base_url"].startswith("https://"):
            raise ValidationError("Must be set and begin with https:// in production.", "base_url")
        if not data["database_url"]:
            for name in ("database_owner_url", "database_job_url", "database_direct_url"):
                if data[name]:
                    raise ValidationError("Needs database_url to be set as well.", name)
        if data["identity_pepper"] is not None and data["identity_pepper"] == data["encryption_key"]:
            raise ValidationError("Must differ from identity_pepper.", "encryption_key")
