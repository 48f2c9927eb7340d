"""A web server that a test may kill, and readers who sit down at it."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from playwright.sync_api import BrowserContext

from deepmedix_review.config import postgres
from deepmedix_review.reviews.models import Reading
from deepmedix_review.reviews.study_services import create_reader_study
from tests.browser import open_as
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import store_phantom
from tests.home import HOME
from tests.journey.desk import STEPS, Desk, let_log_in
from tests.servers import WebServer


@pytest.fixture(scope="module")
def _web_server(django_db_setup: None) -> Iterator[WebServer]:
    name = str(connection.settings_dict["NAME"])
    web = WebServer(home=HOME, database_url=postgres.database_url(postgres.cluster_in(HOME), name=name))
    yield web
    web.stop()


@pytest.fixture
def server(transactional_db: None, _web_server: WebServer) -> WebServer:
    if _web_server.process is None:
        _web_server.start()
    return _web_server


@pytest.fixture
def sit_down(server: WebServer, context: BrowserContext) -> Callable[..., Desk]:
    """A reader at the first of their cases, each with one output."""

    def make(*, num_cases: int = 1) -> Desk:
        reader = ExpertFactory.create()
        let_log_in(reader)
        model_version = ServingModelFactory.create()
        studies = []
        for seed in range(1, num_cases + 1):
            film = store_phantom(seed=seed, size=128)
            say(film, steps=STEPS, answer="cardiomegaly", model_version=model_version)
            studies.append(film.study)
        create_reader_study(title="Storms", studies=studies, readers=[reader], actor=None, seed=1)
        reading = Reading.objects.get(assignment__reader=reader, assignment__position=1)
        desk = Desk(open_as(reader, context=context, url=server.url), server, reading)
        desk.open()
        return desk

    return make
