"""Studies that came in before their date was kept get it from their own display files, where it is shifted."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import migrations
from pydicom import dcmread
from pydicom.errors import InvalidDicomError

DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")


def read_dates(apps: Any, _schema_editor: Any) -> None:
    films = apps.get_model("studies", "Instance").objects.filter(series__study__study_date=None)
    firsts = films.order_by("series__study_id", "pk").distinct("series__study_id").select_related("series")
    studies = apps.get_model("studies", "Study").objects
    for film in firsts.iterator():
        found = date_in(Path(settings.FILM_FOLDER) / film.file_path)
        if found is not None:
            studies.filter(pk=film.series.study_id).update(study_date=found)


def date_in(path: Path) -> date | None:
    """Of a display file; None where there is none to read."""
    try:
        header = dcmread(path, stop_before_pixels=True, specific_tags=list(DATES))
    except (OSError, InvalidDicomError):
        return None
    for keyword in DATES:
        try:
            return datetime.strptime(str(header.get(keyword, "")), "%Y%m%d").date()
        except ValueError:
            continue
    return None


class Migration(migrations.Migration):
    dependencies = [("studies", "0002_study_date")]

    operations = [migrations.RunPython(read_dates, migrations.RunPython.noop)]
