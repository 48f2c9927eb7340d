"""A reader at a case, with the keys that they pressed, for journeys in which nothing of that is lost."""

import re
from dataclasses import dataclass, field

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from playwright.sync_api import Page, expect

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.models import Reading, ReadingChange, StepRating
from tests.factories.accounts import PASSWORD
from tests.servers import WebServer

NUM_CHANGES = 200
# With the time at work, which is a change too, where the machine is slow.
WAITING = re.compile(r"\d+ changes wait in this browser")
CHANGES = re.compile(r"/api/readings/.+/changes/")
# Each with a region that is never judged, so that the focus stays where it is.
STEPS = [
    ("The heart is enlarged.", [(48.0, 64.0, 88.0, 104.0)]),
    ("The right lung is clear.", [(20.0, 20.0, 55.0, 95.0)]),
]


@dataclass
class Desk:
    """A reader at a case; `pressed` is what they said so far: (step, plausibility)."""

    page: Page
    server: WebServer
    reading: Reading
    pressed: list[tuple[str, int]] = field(default_factory=list)

    def open(self) -> None:
        self.page.goto(f"{self.server.url}/readings/{self.reading.uid}/")
        expect(self.page.get_by_role("toolbar", name="Film tools")).to_be_visible(timeout=60_000)

    def rate_until(self, number: int) -> None:
        """Keys alone: a rating each, and now and then to the other step and back."""
        steps = [str(step.uid) for step in self.reading.completion_a.steps.order_by("position")]
        self.page.keyboard.press("k")
        at = 0
        for turn in range(len(self.pressed), number):
            if turn % 7 == 0:
                self.page.keyboard.press("j" if at == 0 else "k")
                at = 1 - at
            points = 1 + turn % 5
            self.page.keyboard.press(str(points))
            self.pressed.append((steps[at], points))

    def wait_until_saved(self) -> None:
        expect(self.page.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible(timeout=60_000)

    def expect_exactly_what_was_pressed(self) -> None:
        self.wait_until_saved()
        made = ReadingChange.objects.filter(reading=self.reading, kind="rate_step").order_by("pk")
        rows = list(made.values_list("payload__step", "payload__plausibility"))
        assert rows == self.pressed
        assert len({change.change_id for change in made}) == len(self.pressed) == NUM_CHANGES
        now = StepRating.objects.filter(reading=self.reading).values_list("step__uid", "plausibility")
        assert {str(step): points for step, points in now} == dict(self.pressed)
        shown = self.page.get_by_role("group", name="How plausible is step 1, 1 to 5?")
        expect(shown.get_by_label(str(dict(self.pressed)[self.pressed[0][0]]), exact=True)).to_be_visible()


def let_log_in(user: User) -> None:
    """The server's own hash of PASSWORD; the tests' quick one means nothing to it."""
    user.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)
    user.save(update_fields=["password"])
