"""Names of readers, readings and patients that hold in one export alone: nobody links two exports by them."""

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.conf import settings

BLOCK_BYTES = 64
# Of the hash, in hexadecimal digits: for thousands of readers and millions of patients no two are alike.
READER_DIGITS, PATIENT_DIGITS = 12, 16
# Of readings, and of what is said in them, there may be a thousand times as many.
READING_DIGITS = 20
FILM_DIGITS = 16


def export_secret(reader_studies: list[UUID] | None, *, as_of: datetime) -> bytes:
    """Of what was asked for, so that the same request names everybody alike and another one does not."""
    asked = {
        "reader_studies": None if reader_studies is None else sorted(map(str, reader_studies)),
        "as_of": as_of.isoformat(),
    }
    text = "export " + json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return hmac.digest(settings.DEIDENTIFICATION_KEY.encode(), text.encode(), "sha256")


def data_set_secret(data_set: UUID) -> bytes:
    """Of a frozen data set: whoever asks for it, its films have the same names, and in no other."""
    return hmac.digest(settings.DEIDENTIFICATION_KEY.encode(), f"data set {data_set}".encode(), "sha256")


def film_name(secret: bytes, uid: str) -> str:
    return "film-" + hmac.new(secret, f"film {uid}".encode(), sha256).hexdigest()[:FILM_DIGITS]


def reader_name(secret: bytes, uid: UUID) -> str:
    return "R-" + hmac.new(secret, f"reader {uid}".encode(), sha256).hexdigest()[:READER_DIGITS]


def reading_name(secret: bytes, uid: UUID) -> str:
    return "A-" + hmac.new(secret, f"reading {uid}".encode(), sha256).hexdigest()[:READING_DIGITS]


def object_uid(secret: bytes, what: str) -> str:
    """A UID under 2.25 (PS3.5 annex B.2) that holds in this export alone."""
    return f"2.25.{UUID(bytes=hmac.digest(secret, f'object {what}'.encode(), 'sha256')[:16], version=5).int}"


def hmac_pads(secret: bytes) -> Mapping[str, bytes]:
    """The two keys with which SQL computes an HMAC of SHA-256 (RFC 2104, section 2)."""
    key = secret.ljust(BLOCK_BYTES, b"\0")
    return {"inner": bytes(byte ^ 0x36 for byte in key), "outer": bytes(byte ^ 0x5C for byte in key)}


def reader_sql(uid: str) -> str:
    """`reader_name` in SQL, of the column of the reader's uid."""
    return _sql("R", "reader", uid, READER_DIGITS)


def reading_sql(uid: str) -> str:
    """`reading_name` in SQL: the uid would tell which readers of two exports are one."""
    return _sql("A", "reading", uid, READING_DIGITS)


def missed_finding_sql(uid: str) -> str:
    """A missed finding's name: its uid would tell whose it is, as that of its reading."""
    return _sql("F", "missed finding", uid, READING_DIGITS)


def patient_sql(pseudonym: str) -> str:
    """A patient's name, of the column of what the platform calls the patient."""
    return _sql("P", "patient", pseudonym, PATIENT_DIGITS)


def _sql(letter: str, kind: str, column: str, num_digits: int) -> str:
    inner = f"sha256(%(inner)s::bytea || convert_to('{kind} ' || {column}, 'UTF8'))"
    return f"'{letter}-' || left(encode(sha256(%(outer)s::bytea || {inner}), 'hex'), {num_digits})"
