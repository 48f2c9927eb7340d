"""Films that came in before searches were answered are found like the others after the update."""

from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps

from deepmedix_review.studies.models import Instance, Study
from deepmedix_review.studies.selectors import film_path
from tests.factories.studies import InstanceFactory, store_phantom

migration = import_module("deepmedix_review.studies.migrations.0011_read_what_searches_answer")


@pytest.mark.django_db
def test_what_a_search_answers_is_read_from_the_files_that_are_there(film_folder: Path) -> None:
    film = store_phantom(size=64, PatientSex="F")
    wanted = (film.sop_class_uid, film.bits_allocated, film.study.patient_sex)
    absent, damaged = InstanceFactory.create(), InstanceFactory.create(file_path="damaged.dcm")
    content = film_path(film).read_bytes()
    Instance.objects.update(sop_class_uid="", bits_allocated=16)
    Study.objects.update(patient_sex="")
    for broken in (b"", b"\0" * 400, content[:140], content[:300], content[:132] + b"\xff" * 300):
        (film_folder / "damaged.dcm").write_bytes(broken)
        migration.read_headers(apps, None)
    film = Instance.objects.get(pk=film.pk)
    assert (film.sop_class_uid, film.bits_allocated, film.study.patient_sex) == wanted
    for other in (absent, damaged):
        other.refresh_from_db()
        assert other.bits_allocated == 16
