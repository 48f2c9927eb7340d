"""The process that turns stored codestreams into pixels: what was compressed once is opened beside no secret.

`python -m deepmedix_review.studies.dicomweb.unpacking_process MEMORY_BYTES`. Asked on its standard input, one
frame at a time: eight bytes of length (little endian), then the codestream. It answers a line of JSON, with
the pixels' type and shape or with an error, then the pixels row by row, little endian.
"""

import json
import sys
from typing import Any, BinaryIO


def main(memory_bytes: int, asked: BinaryIO, answers: BinaryIO) -> None:
    _restrain(memory_bytes)
    import imagecodecs
    import numpy as np

    while length := asked.read(8):
        codestream = asked.read(int.from_bytes(length, "little"))
        try:
            frame: Any = np.asarray(imagecodecs.htj2k_decode(codestream))
            pixels = np.ascontiguousarray(frame, dtype=frame.dtype.newbyteorder("<"))
        except Exception as error:
            _answer(answers, {"error": type(error).__name__})
            continue
        _answer(answers, {"dtype": pixels.dtype.str, "shape": pixels.shape})
        answers.write(pixels.data)
        answers.flush()


def _answer(answers: BinaryIO, said: dict[str, Any]) -> None:
    answers.write(json.dumps(said).encode() + b"\n")
    answers.flush()


def _restrain(memory_bytes: int) -> None:
    """macOS accepts but does not hold RLIMIT_AS."""
    try:
        import resource
    except ImportError:
        return
    for kind, value in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(kind, (value, value))
        except (ValueError, OSError):
            continue


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
