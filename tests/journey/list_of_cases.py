"""A reader's list of cases in the browser, for journeys from one case to the next."""

import re
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Page, expect

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.models import Reading
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Study
from tests.browser import open_as
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.reviews import complete
from tests.factories.studies import store_phantom

SIZE = 128
HEART = ("The heart is enlarged.", [(48.0, 64.0, 88.0, 104.0)])
MARKED = "([name, uid]) => performance.getEntriesByName(name).some(mark => mark.detail === uid)"
PICTURE = re.compile(r"/api/instances/.+/picture/")
SIGN = re.compile(r"/api/readings/.+/sign/")


@dataclass
class Room:
    page: Page
    url: str
    reader: User

    def open(self) -> list[Reading]:
        mine = Reading.objects.filter(assignment__reader=self.reader).order_by("assignment__position")
        readings = list(mine)
        self.page.goto(f"{self.url}/readings/{readings[0].uid}/")
        expect(self.page.get_by_role("toolbar", name="Film tools")).to_be_visible(timeout=60_000)
        return readings

    def wait_until_ready(self, reading: Reading) -> None:
        """Its film is decoded and drawn behind the one that is read."""
        self.page.wait_for_function(MARKED, arg=["next-case-ready", str(reading.uid)], timeout=60_000)

    def was_swapped_in(self, reading: Reading) -> bool:
        return bool(self.page.evaluate(MARKED, ["next-case-shown", str(reading.uid)]))

    def wait_for_case(self, reading: Reading) -> None:
        label = reading.assignment.label
        expect(self.page.get_by_role("heading", level=1)).to_have_text(f"Reading of {label}")
        expect(self.page).to_have_url(re.compile(str(reading.uid)))

    def expect_no_film(self) -> None:
        expect(self.page.locator(".film-canvas:visible")).to_have_count(0)
        expect(self.page.locator("[data-region]")).to_have_count(0)


def enter_list(
    *,
    url: str,
    context: BrowserContext,
    num_cases: int,
    rated: tuple[int, ...] = (1,),
    num_steps: int = 1,
) -> Room:
    """The reader's cases have one output each, of one step or more; those named by `rated` are complete."""
    reader, model_version = ExpertFactory.create(), ServingModelFactory.create()
    studies: list[Study] = []
    for seed in range(1, num_cases + 1):
        film = store_phantom(seed=seed, size=SIZE)
        say(film, steps=[HEART] * num_steps, answer="cardiomegaly", model_version=model_version)
        studies.append(film.study)
    create_reader_study(title="One by one", studies=studies, readers=[reader], actor=None, seed=1)
    for position in rated:
        complete(Reading.objects.get(assignment__position=position))
    return Room(open_as(reader, context=context, url=url), url, reader)
