"""A case that is read first, with every question that the page has a place for: for tests in a browser."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext

from deepmedix_review.reviews.criteria.versions import Asked, library
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.study_services import create_reader_study
from tests.browser import open_as, watch
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import store_phantom
from tests.reading_room import FILM_SIZE, HEART, LUNG, Room

FIVE_STEPS = [HEART, LUNG, ("The left lung is clear.", [(150.0, 40.0, 220.0, 190.0)]), HEART, LUNG]
BUILT_IN = ("plausibility", "region-verdict", "relevance", "correctness", "completeness", "harm")
VOTES = ("better-grounded", "better-overall")

EnterDesigned = Callable[..., Room]


def entering_designed(live_server: Any, context: BrowserContext) -> EnterDesigned:
    """Takes a new reader to one case of five steps an output."""

    def make(
        *, num_outputs: int = 2, keys: tuple[str, ...] = (*BUILT_IN, *VOTES), choices: tuple[str, ...] = ()
    ) -> Room:
        reader = ExpertFactory.create()
        model_version = ServingModelFactory.create()
        film = store_phantom(seed=1, size=FILM_SIZE)
        for _ in range(num_outputs):
            say(film, steps=FIVE_STEPS, answer="cardiomegaly", model_version=model_version)
        asked = [criterion for key in keys for criterion in library().filter(key=key)]
        study = create_reader_study(
            title="Read first",
            studies=[film.study],
            readers=[reader],
            actor=None,
            seed=1,
            design=ReaderStudyDesign(shows="one" if num_outputs == 1 else "two_samples", first_reads="on"),
            asked=[Asked(criterion) for criterion in asked],
        )
        ReaderStudy.objects.filter(pk=study.pk).update(first_read_choices=list(choices))
        page = open_as(reader, context=context, url=live_server.url)
        return Room(page=page, url=live_server.url, reader=reader, problems=watch(page))

    return make
