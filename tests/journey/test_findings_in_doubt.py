"""A judge is asked outright whether a finding is there that a reader struck out, and answers by a key."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, expect

from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment, Case, CriterionRating, Reading
from deepmedix_review.reviews.study_services import adjudicate_doubts
from tests.browser import check_barriers, open_as, watch
from tests.factories.reader_studies import a_draft, running
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.reviews import complete, reader_of, sign
from tests.factories.studies import store_phantom
from tests.film_room import INNER, OUTER, FilmRoom
from tests.reading_room import FILM_SIZE


def test_a_judge_answers_whether_a_finding_in_doubt_is_there_before_signing(
    live_server: Any, new_context: Callable[..., BrowserContext]
) -> None:
    film = store_phantom(seed=1, size=FILM_SIZE)
    say(film, steps=[OUTER, INNER], answer="cardiomegaly", model_version=ServingModelFactory.create())
    running(
        a_draft(
            studies=[film.study],
            num_readers=3,
            design=ReaderStudyDesign(design="k_readers", readers_per_case=1, shows="one"),
            adjudication="third_reader",
        )
    )
    earlier = Reading.objects.get()
    complete(earlier)
    sign(earlier)
    adjudicate_doubts({Case.objects.get(): ["Cardiomegaly"]})
    judging = Reading.objects.get(assignment__kind=Assignment.Kind.ADJUDICATION)
    complete(judging)
    page = open_as(reader_of(judging), context=new_context(), url=live_server.url)
    room = FilmRoom(page=page, url=live_server.url, reader=reader_of(judging), problems=watch(page))
    page.set_viewport_size({"width": 1280, "height": 640})
    room.open()
    expect(room.current().last).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1440, "height": 900})

    # All else has its word: what is left has the focus.
    expect(room.current()).to_have_attribute("aria-label", "Cardiomegaly there?")
    expect(room.current().get_by_text("in doubt", exact=True)).to_be_visible()
    for label in ("yes", "no", "can't tell"):
        expect(room.current().get_by_role("radio", name=label, exact=True)).to_have_count(1)
    expect(page.get_by_text("you are asked below whether it is there")).to_be_visible()
    expect(page.get_by_text("To do: cardiomegaly there?")).to_be_visible()
    # No earlier reader was asked.
    expect(room.current().get_by_text("Reader 1")).to_have_count(0)
    check_barriers(page)
    room.press("Control+Enter")
    expect(page.get_by_text("Not yet. To do: cardiomegaly there?")).to_be_visible()
    assert not CriterionRating.objects.filter(reading=judging).exists()

    room.press("3")
    room.wait_until_saved()
    assert CriterionRating.objects.get(reading=judging).value == "cannot_tell"
    room.press("1")
    expect(room.current().get_by_role("radio", name="yes")).to_be_checked()
    expect(page.get_by_text("Everything is rated.")).to_be_visible()
    room.press("Control+z")
    expect(room.current().get_by_role("radio", name="can't tell")).to_be_checked()
    room.press("Control+y")
    expect(room.current().get_by_role("radio", name="yes")).to_be_checked()
    room.press("Control+Enter")
    expect(page.get_by_text("You have read the only case.")).to_be_visible()
    judging.refresh_from_db()
    assert judging.signed_at is not None
    assert CriterionRating.objects.get(reading=judging).value == "yes"
    assert room.problems == []
