"""On which side of the split a patient is: drawn from the pseudonym under a key, once and for ever.

Draws run from 0 to 99. Train takes the lowest, test the highest, tune what lies between: so two collections
with the same shares agree on every patient, and with others a patient moves only where a border moved.
"""

import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings
from django.db.models import BinaryField, CharField, F, Func, Value

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.models import Split

_BLOCK = 64  # of SHA-256, in bytes (RFC 2104)
_DRAW_BYTES = 6


@dataclass(frozen=True)
class Shares:
    """Per cent of patients; they come to 100."""

    train: int = 70
    tune: int = 10
    test: int = 20

    def __post_init__(self) -> None:
        if min(self.train, self.tune, self.test) < 0 or self.train + self.tune + self.test != 100:
            raise RefusedByRule(
                f"The shares come to {self.train + self.tune + self.test} %. Make train, tune and test 100 %."
            )

    def __str__(self) -> str:
        return f"{self.train} / {self.tune} / {self.test}"


def side_of(patient_pseudonym: str, *, shares: Shares) -> Split:
    """Of one patient."""
    draw = patient_draw(patient_pseudonym)
    if draw < shares.train:
        return Split.TRAIN
    return Split.TUNE if draw < shares.train + shares.tune else Split.TEST


def patient_draw(patient_pseudonym: str) -> int:
    """0 to 99, by HMAC-SHA256 of the pseudonym."""
    digest = hmac.new(_key(), patient_pseudonym.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:_DRAW_BYTES]) % 100


def side_of_patient(shares: Shares) -> Func:
    """The same for each row of a query on studies, so that no row travels to be dealt.

    The database sees a key made for this alone, never the one that names patients.
    """
    key = _key().ljust(_BLOCK, b"\0")
    pseudonym = Func(F("patient_pseudonym"), Value("UTF8"), function="convert_to")
    digest = _sha256(
        bytes(byte ^ 0x5C for byte in key), _sha256(bytes(byte ^ 0x36 for byte in key), pseudonym)
    )
    number = Func(
        digest,
        template=f"('x' || encode(substr(%(expressions)s, 1, {_DRAW_BYTES}), 'hex'))"
        f"::bit({8 * _DRAW_BYTES})::bigint",
    )
    sides = ", ".join(f"'{side}'" for side in (Split.TRAIN, Split.TUNE, Split.TEST))
    borders = f"{shares.train}, {shares.train + shares.tune}"
    return Func(
        Func(number, Value(100), function="mod"),
        template=f"(ARRAY[{sides}])[1 + width_bucket(%(expressions)s, ARRAY[{borders}]::bigint[])]",
        output_field=CharField(),
    )


def _sha256(block: bytes, message: Func) -> Func:
    """Half of an HMAC (RFC 2104): SHA-256 of a key block and what follows it."""
    both = Func(
        Value(block, output_field=BinaryField()), message, template="(%(expressions)s)", arg_joiner=" || "
    )
    return Func(both, function="sha256", output_field=BinaryField())


def _key() -> bytes:
    """Of this installation, for splits alone."""
    return hmac.new(settings.DEIDENTIFICATION_KEY.encode(), b"sides of patients", hashlib.sha256).digest()
