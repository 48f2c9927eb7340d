"""Films that came in before get it from their own display files."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import migrations
from pydicom import Dataset, dcmread

WANTED = ["SOPClassUID", "BitsAllocated", "PatientSex"]


def read_headers(apps: Any, _schema_editor: Any) -> None:
    films = apps.get_model("studies", "Instance").objects.filter(sop_class_uid="").order_by("-pk")
    studies = apps.get_model("studies", "Study").objects
    for film in films.select_related("series").iterator():
        header = header_of(Path(settings.FILM_FOLDER) / film.file_path)
        if header is None:
            continue
        film.sop_class_uid = str(header.get("SOPClassUID") or "")
        film.bits_allocated = header.get("BitsAllocated") or 16
        film.save(update_fields=["sop_class_uid", "bits_allocated"])
        # The first film comes last.
        studies.filter(pk=film.series.study_id).update(patient_sex=header.get("PatientSex") or "")


def header_of(path: Path) -> Dataset | None:
    """Of a display file; None where there is none to read."""
    try:
        return dcmread(path, stop_before_pixels=True, specific_tags=list(WANTED))
    except Exception:
        # A damaged file stops no update, and pydicom's parsers raise whatever they meet.
        return None


class Migration(migrations.Migration):
    dependencies = [("studies", "0010_what_searches_answer")]

    operations = [migrations.RunPython(read_headers, migrations.RunPython.noop)]
