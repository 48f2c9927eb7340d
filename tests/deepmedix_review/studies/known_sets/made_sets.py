"""Small folders laid out as the data sets are, with drawn films, and the command that brings them in."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from django.core.management import call_command
from PIL import Image

from inference.phantoms import draw_phantom


def write_picture(path: Path, *, seed: int, size: int = 96) -> Path:
    """A drawn film as PNG or JPEG, by the name's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = draw_phantom(seed=seed, width=size, height=size).to_uint8()
    Image.fromarray(grey).save(path)
    return path


def write_rows(path: Path, *rows: Sequence[Any]) -> Path:
    """A CSV file, header first; compressed where its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def brought_in(
    layout: str, folder: Path, capsys: pytest.CaptureFixture[str], *, fails: bool = False, **options: Any
) -> str:
    """What the command said; `fails`: whether it must end with 1."""
    capsys.readouterr()
    if fails:
        with pytest.raises(SystemExit) as ended:
            call_command("import_dataset", layout, folder, **options)
        assert ended.value.code == 1
    else:
        call_command("import_dataset", layout, folder, **options)
    return capsys.readouterr().out


def picture_bytes(*, seed: int) -> bytes:
    """A drawn film as the content of a PNG file."""
    content = io.BytesIO()
    Image.fromarray(draw_phantom(seed=seed, width=96, height=96).to_uint8()).save(content, "PNG")
    return content.getvalue()


def write_parquet(path: Path, *rows: dict[str, Any], rows_a_group: int = 2) -> Path:
    """A Parquet file, of several groups of rows as the hub has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path, row_group_size=rows_a_group)
    return path


def write_lines(path: Path, *rows: Any) -> Path:
    """A file of JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return path
