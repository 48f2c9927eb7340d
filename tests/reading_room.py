"""A reader at the reading room, for the tests in a browser."""

import re
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Page, expect

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.models import Reading
from tests.browser import open_as, watch

FILM_SIZE = 256
HEART = ("The heart is enlarged.", [(96.0, 128.0, 176.0, 208.0)])
LUNG = ("The right lung is clear.", [(40.0, 40.0, 110.0, 190.0)])


@dataclass
class Room:
    """The page of a reader's first case; `problems` collects what the browser complained of."""

    page: Page
    url: str
    reader: User
    problems: list[str]
    num_keys: int = 0

    def open(self) -> None:
        reading = self.readings()[0]
        self.page.goto(f"{self.url}/readings/{reading.uid}/")

    def readings(self) -> list[Reading]:
        mine = Reading.objects.filter(assignment__reader=self.reader)
        return list(mine.order_by("assignment__position"))

    def wait_for_film(self) -> None:
        expect(self.page.get_by_role("toolbar", name="Film tools")).to_be_visible(timeout=60_000)

    def wait_until_saved(self) -> None:
        expect(self.page.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible(timeout=30_000)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.num_keys += len(keys)


def enter_first_case(reader: User, *, context: BrowserContext, url: str) -> Room:
    """Logged in, with the film on the screen."""
    page = open_as(reader, context=context, url=url)
    room = Room(page=page, url=url, reader=reader, problems=watch(page))
    room.open()
    room.wait_for_film()
    return room
