"""Model versions for tests: rows without weights."""

import factory

from deepmedix_review.registry.models import BoxFrame, ModelVersion


class ModelVersionFactory(factory.django.DjangoModelFactory[ModelVersion]):
    """A candidate; `ServingModelFactory` makes the one that serves."""

    class Meta:
        model = ModelVersion

    name = "test model"
    number = factory.Sequence(lambda n: n + 1)
    state: ModelVersion.State = ModelVersion.State.CANDIDATE
    folder = factory.Sequence(lambda n: f"/absent/model-{n}")
    sha256 = factory.Sequence(lambda n: f"{n:064x}")
    licence = "Apache-2.0"
    box_frame = BoxFrame.PROCESSED
    preset = "phantom"
    dialect = "deepmedix"
    prompt_template = "phantom"
    prompt_version = 1
    size_multiple = 28
    max_pixels = 12_544
    min_pixels = 3_136
    temperature = 0.7
    max_new_tokens = 256


class ServingModelFactory(ModelVersionFactory):
    class Meta:
        model = ModelVersion
        django_get_or_create = ("state",)

    state = ModelVersion.State.SERVING
