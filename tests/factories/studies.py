"""Studies for tests: rows without film files."""

import hashlib
from typing import Any

import factory

from deepmedix_review.studies.models import Instance, Series, Study


class StudyFactory(factory.django.DjangoModelFactory[Study]):
    class Meta:
        model = Study

    study_instance_uid = factory.Sequence(lambda n: f"2.25.{1_000_000 + n}")
    patient_pseudonym = factory.Sequence(lambda n: f"P-{n:06d}")
    is_phantom = True


class SeriesFactory(factory.django.DjangoModelFactory[Series]):
    class Meta:
        model = Series

    study = factory.SubFactory(StudyFactory)
    series_instance_uid = factory.Sequence(lambda n: f"2.25.{2_000_000 + n}")
    modality = "DX"


class InstanceFactory(factory.django.DjangoModelFactory[Instance]):
    """A film of 640 x 480 pixels (rows x columns)."""

    class Meta:
        model = Instance

    series = factory.SubFactory(SeriesFactory)
    sop_instance_uid = factory.Sequence(lambda n: f"2.25.{3_000_000 + n}")
    view_position = "PA"
    rows = 640
    columns = 480
    bits_stored = 12
    photometric_interpretation = "MONOCHROME2"
    row_spacing_mm = 0.4
    column_spacing_mm = 0.4
    pixel_sha256: Any = factory.Sequence(lambda n: hashlib.sha256(f"pixels {n}".encode()).hexdigest())
    file_path = factory.Sequence(lambda n: f"absent/{n}.dcm")
    file_bytes = 1
    file_sha256: Any = factory.Sequence(lambda n: hashlib.sha256(f"file {n}".encode()).hexdigest())
