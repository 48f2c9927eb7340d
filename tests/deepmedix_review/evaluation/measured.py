"""Two versions that wrote of studies with references, for the tests of evaluations."""

from dataclasses import dataclass
from typing import Any

import pytest

from deepmedix_review.evaluation.measuring import running
from deepmedix_review.evaluation.measuring.planning import Wanted
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import CollectionVersion, Instance, Reference, ReferenceRegion
from inference.prompts import template
from tests.factories.collections import picked
from tests.factories.reasoning import say
from tests.factories.registry import ModelVersionFactory
from tests.factories.studies import InstanceFactory

USUAL = template("phantom").default_query
TRUTH = ("Small left pleural effusion. No pneumothorax.", "The heart is enlarged. Lungs are clear.")
BOX = (10.0, 20.0, 110.0, 220.0)
SECRET = "Mondragon"


@pytest.fixture
def few_draws(monkeypatch, settings) -> None:
    """Intervals and p are the library's to test."""
    monkeypatch.setattr(running, "NUM_DRAWS", 20)
    monkeypatch.setattr(running, "NUM_SHUFFLES", 20)
    # The thread that renews the lease does not see the test's transaction.
    settings.LEASE_SECONDS = 3600


@dataclass(frozen=True)
class Measured:
    good: ModelVersion
    bad: ModelVersion
    collection: CollectionVersion
    films: list[Instance]

    def wanted(self, **fields: Any) -> Wanted:
        given = {"title": "Spring", "version": self.good, "collection": self.collection, **fields}
        return Wanted(**given)


def answered(film: Instance, version: ModelVersion, text: str, **fields: Any) -> None:
    fields.setdefault("query", USUAL)
    say(film, steps=[("Here", [BOX])], model_version=version, answer=text, **fields)


def measured(number: int = 8) -> Measured:
    """The good version writes the reference, the bad one turns it round on every other study; each source
    says labels too, and draws a region on every other film. References hold a word that nobody may see."""
    good, bad = ModelVersionFactory.create(name="good"), ModelVersionFactory.create(name="bad")
    films = []
    for place in range(number):
        film = InstanceFactory.create(view_position="PA" if place % 2 else "AP")
        films.append(film)
        truth = TRUTH[place % 2]
        reference = Reference.objects.create(
            study=film.series.study,
            findings=truth,
            impression=f"As said to {SECRET}.",
            labels={
                "Cardiomegaly": "present" if place % 2 else "absent",
                "Effusion": "absent" if place % 2 else "present",
                "Edema": "uncertain",
                "Hernia": "absent",
            },
        )
        if place % 2:
            ReferenceRegion.objects.create(
                reference=reference,
                film=film,
                label="heart",
                **dict(zip(("x_min", "y_min", "x_max", "y_max"), BOX, strict=True)),
            )
        answered(film, good, truth)
        answered(film, bad, "Normal chest." if place % 4 < 2 else truth)
    return Measured(good, bad, picked([film.series.study for film in films]), films)
