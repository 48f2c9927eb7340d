"""The plan beside the design: it follows the form, knows how long readings take, and says what is missing."""

import re
from typing import Any

import pytest
from django.db.models import Count
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.reasoning.models import Region
from deepmedix_review.reviews.designing import detectable, reading_times
from deepmedix_review.reviews.designing.cost import HEIGHTS
from deepmedix_review.reviews.models import (
    Assignment,
    Criterion,
    ReaderStudy,
    Reading,
    RegionAnnotation,
    StepRating,
)
from deepmedix_review.reviews.reading.changes import AnnotateRegion
from deepmedix_review.reviews.services import amend_reading
from rl_feedback.agreement import spread_in_clusters
from tests.deepmedix_review.reviews.designing.a_form import NEW, form, uids
from tests.factories.accounts import ExpertFactory
from tests.factories.reader_studies import two_versions_running
from tests.factories.reviews import change, complete, completed_study, reader_of, reader_study, sign

pytestmark = pytest.mark.django_db


def test_differences_that_are_all_alike_measure_no_spread_and_a_measure_without_any_is_told() -> None:
    alike = spread_in_clusters([1.0] * 16, [place // 2 for place in range(16)])
    spread, icc, said = detectable._spread(alike, assumed=0.5)
    assert (spread, icc) == (0.5, detectable.SAME_CASE)
    assert said.startswith("assumed since all differences of 16 signed readings are alike so far")
    one = detectable.Detectable(
        asks=(detectable.PLAUSIBILITY, detectable.SHARE), points=1.2, share=None, whence=()
    )
    assert one.sentence.endswith("Any difference in the share of regions that fit it would miss.")


def test_the_plan_follows_the_form_and_keeps_nothing(admin: Client) -> None:
    studies = [completed_study() for _ in range(10)]
    readers = [ExpertFactory.create() for _ in range(4)]
    said = form(studies=uids(*studies), readers=uids(*readers), title="")
    plan = reverse("reader-study-plan")
    page = admin.post(plan, said).content.decode()
    assert "40 readings" in page
    # Two steps and three regions an output: 15 + 2 (20 + 8) + 1.6 (4 + 6 + 6) + 5.
    assert "Not measured yet: 102 s per reading (61 to 183) are assumed, by what is asked in it." in page
    assert "40 readings are drawn into the lists, and 4 readers are invited at once." in page
    assert page.count("<polyline") == 2
    assert page.count('<th scope="row" class="number">') == 4
    page = admin.post(
        plan, said | {"design": "k_readers", "readers_per_case": "2", "control_share": "20"}
    ).content.decode()
    assert "8 of data, 2 controls at most" in page
    assert "Of the 2 controls there may be fewer: the start makes one only where" in page
    assert "24 readings" in page
    page = admin.post(plan, said | {"design": "k_readers", "readers_per_case": "9"}).content.decode()
    assert "9 readers per case need at least 9 readers, and there are 4." in page
    assert "It can't start yet; the draft would be kept" in page
    pool = {"design": "k_readers", "readers_per_case": "2", "is_pool": "on"}
    page = admin.post(plan, said | pool).content.decode()
    assert "20 readings wait in a pool, and 4 readers are invited at once." in page
    assert not ReaderStudy.objects.exists()


def time_readings(study: ReaderStudy, seconds: list[int]) -> None:
    for each, reading in zip(
        seconds, Reading.objects.filter(assignment__case__reader_study=study), strict=True
    ):
        Reading.objects.filter(pk=reading.pk).update(
            active_seconds=each, signed_at=timezone.now(), opened_at=timezone.now()
        )


def test_the_plan_knows_how_long_readings_like_its_own_took(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_times, "FEWEST_TIMED", 3)
    time_readings(reader_study(num_cases=3), [60, 120, 180])
    time_readings(reader_study(num_cases=3, asked=["plausibility"]), [45, 45, 45])
    time_readings(reader_study(num_cases=3, asks_first_read=True), [200, 220, 240])
    time_readings(reader_study(num_cases=3, num_completions=1), [30, 40, 50])

    def plan_of(**said: Any) -> str:
        return admin.post(reverse("reader-study-plan"), form(**said)).content.decode()

    assert (
        "quartiles of 3 signed readings with two outputs, no first read, and 13 to 21 answers." in plan_of()
    )
    assert '120 s <span class="quiet">(90 to 150)' in plan_of()
    assert '220 s <span class="quiet">(210 to 230)' in plan_of(first_reads="on")
    # Half of the readings begin with a first read.
    some = plan_of(first_reads="share", first_read_share="50")
    assert "6 signed readings with two outputs, some of them with a first read" in some
    assert '170 s <span class="quiet">(150 to 190)' in some
    assert '40 s <span class="quiet">(35 to 45)' in plan_of(shows="one")
    alone = uids(Criterion.objects.get(key="plausibility"))
    assert '45 s <span class="quiet">(45 to 45)' in plan_of(asked=alone)
    # Nobody has answered as much yet.
    harm = uids(*Criterion.objects.filter(is_library=True))
    assert "Not measured yet" in plan_of(asked=harm)


def test_errors_count_for_the_share_of_steps_that_readers_find_one_in(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = uids(*Criterion.objects.filter(key__in=["plausibility", "error-of-finding", "error-of-location"]))

    def plan_now() -> str:
        return admin.post(reverse("reader-study-plan"), form(asked=asked, shows="one")).content.decode()

    page = plan_now()
    assert "Errors are asked of 50 % of the steps, as is assumed until 50 are rated." in page
    # Five steps: each is rated, of half of them two errors are named.
    assert '<th scope="row">ratings and choices</th><td class="number">10</td>' in page
    monkeypatch.setattr(reading_times, "FEWEST_RATED", 4)
    right, rated_4, one_wrong = Reading.objects.filter(
        assignment__case__reader_study=reader_study(num_cases=3)
    )
    complete(right, plausibility=5)
    complete(rated_4, plausibility=4)
    complete(one_wrong, plausibility=5)
    region = Region.objects.filter(step__completion=one_wrong.completion_a).earliest("pk")
    change(one_wrong, AnnotateRegion(region.uid, RegionAnnotation.Verdict.WRONG, None))
    for reading in (right, rated_4, one_wrong):
        sign(reading)
    # All four of the second, and one of the third.
    assert "of 41.7 % of the steps, those in which readers found one among 12 that they rated." in plan_now()


def test_readings_that_were_clicked_through_do_not_make_the_plan(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_times, "FEWEST_TIMED", 3)
    address = reverse("reader-study-plan")
    demo = reader_study(num_cases=3)
    ReaderStudy.objects.filter(pk=demo.pk).update(is_demo=True)
    time_readings(demo, [200, 200, 200])
    assert "Not measured yet" in admin.post(address, form()).content.decode()
    # A study that bears the demo's title is one like any other.
    time_readings(reader_study(num_cases=3, title="Demo: drawn films"), [2, 3, 4])
    page = admin.post(address, form()).content.decode()
    left_out = "with two outputs, no first read, and 13 to 21 answers, of 1 reader, were left out"
    assert f"3 signed readings {left_out}: their 3 s a case" in page
    assert "Not measured yet" in page
    assert '102 s <span class="quiet">(61 to 183): film 15' in page
    # However many they are, and of however many readers.
    for _ in range(10):
        time_readings(reader_study(num_cases=3), [2, 3, 4])
    page = admin.post(address, form()).content.decode()
    assert "33 signed readings" in page
    assert "of 11 readers, were left out" in page
    # Two of a reader are too few to be called hasty, and too quick to be believed.
    time_readings(reader_study(num_cases=2), [4, 5])
    time_readings(reader_study(num_cases=2), [4, 5])
    assert "37 signed readings" in admin.post(address, form()).content.decode()
    time_readings(reader_study(num_cases=6), [80, 90, 100, 100, 110, 120])
    page = admin.post(address, form()).content.decode()
    assert "quartiles of 10 signed readings" in page
    assert "33 signed readings, of 11 readers, were left out" in page


def test_who_settles_what_others_dispute_makes_no_plan(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_times, "FEWEST_TIMED", 3)
    study = reader_study(num_cases=3)
    time_readings(study, [200, 200, 200])
    assert (
        "quartiles of 3 signed readings" in admin.post(reverse("reader-study-plan"), form()).content.decode()
    )
    Assignment.objects.filter(case__reader_study=study).update(kind=Assignment.Kind.ADJUDICATION)
    assert "Not measured yet" in admin.post(reverse("reader-study-plan"), form()).content.decode()


def test_the_plan_says_while_the_form_is_filled_that_a_third_reader_is_missing(admin: Client) -> None:
    study, readers = completed_study(), [ExpertFactory.create() for _ in range(3)]
    said = form(studies=uids(study), adjudication="third_reader", readers=uids(*readers[:2]))
    refusal = "A third reader needs at least 3 readers."
    assert refusal in admin.post(reverse("reader-study-plan"), said).content.decode()
    said = form(**said | {"readers": uids(*readers)})
    assert refusal not in admin.post(reverse("reader-study-plan"), said).content.decode()
    # Three of three leave nobody over; three, of whom two read each case, leave one.
    for lists, is_told in (
        ({"design": "every_reader"}, True),
        ({"design": "k_readers", "readers_per_case": "2"}, False),
    ):
        sent = said | lists | {"readers": uids(*readers)}
        page = admin.post(reverse("reader-study-plan"), sent).content.decode()
        assert ("so no third reader is left" in page) == is_told


def test_the_plan_says_what_its_minutes_are_made_of(admin: Client) -> None:
    completed_study()

    def seconds_of(**said: Any) -> tuple[dict[str, list[float]], float]:
        page = admin.post(reverse("reader-study-plan"), form(**said)).content.decode()
        table = page[page.index("What the minutes are made of") : page.index("</table>")]
        rows = re.findall(r'<th scope="row">([^<]+)</th>((?:<td class="number">[\d.]+</td>)+)', table)
        together = re.search(r'Together</th><td class="number">(\d+)', table)
        assert together
        parts = {name: [float(n) for n in re.findall(r">([\d.]+)<", cells)] for name, cells in rows}
        return parts, float(together[1])

    usual, together = seconds_of()
    assert usual == {
        "film": [1, 15, 15],
        "steps read": [4, 10, 40],
        "answers read": [2, 8, 16],
        "ratings and choices": [16, 1.6, 26],
        "votes": [1, 5, 5],
    }
    assert together == 102
    one, _ = seconds_of(shows="one")
    assert one == {
        "film": [1, 15, 15],
        "steps read": [2, 10, 20],
        "answers read": [1, 8, 8],
        "ratings and choices": [8, 1.6, 13],
    }
    # Two outputs of whose answers alone something is asked: no step is read, and no vote is promised.
    of_answers = uids(Criterion.objects.get(key="correctness"))
    answers, _ = seconds_of(asked=of_answers)
    assert set(answers) == {"film", "answers read", "ratings and choices"}
    plans = [admin.post(reverse("reader-study-plan"), form(**said)) for said in ({}, {"asked": of_answers})]
    assert ["Share of votes" in plan.content.decode() for plan in plans] == [True, False]
    first, _ = seconds_of(first_reads="share", first_read_share="50")
    assert first["first read"] == [0.5, 30, 15]
    chosen, _ = seconds_of(first_reads="on", first_read_choices="yes\nno")
    assert chosen["first read"] == [1, 5, 5]
    more, _ = seconds_of(asked=uids(*Criterion.objects.filter(is_library=True)))
    assert more["ratings and choices"][0] > usual["ratings and choices"][0]


def test_the_washout_follows_the_number_of_cases_until_one_is_said(admin: Client) -> None:
    readers = [ExpertFactory.create() for _ in range(2)]
    said = form(
        studies=uids(*(completed_study() for _ in range(8))), readers=uids(*readers), repeat_share="25"
    )
    plan = reverse("reader-study-plan")
    page = admin.post(plan, said | {"washout_cases": ""}).content.decode()
    assert "A repeat comes at least 3 other cases after its case." in page
    assert "Up to 6 are possible" in page
    assert "of them 2 repeats" in page
    remember = "A repeat may come after 3 other cases, about 5 min: readers remember the case"
    assert remember in page
    # Ten can't lie between in lists of 8; of 14 cases 4 are repeated behind 10 others.
    assert "no more than 6 cases can lie between: leave days, or choose 14 cases or more a reader" in page
    assert "Leave 10 cases or more between" not in page
    page = admin.post(plan, said | {"washout_cases": "1"}).content.decode()
    assert "A repeat may come after 1 other case, about 2 min: readers remember the case" in page
    days = admin.post(plan, said | {"washout_cases": "", "washout_days": "14"}).content.decode()
    none = admin.post(plan, said | {"washout_cases": "1", "repeat_share": ""}).content.decode()
    assert ("readers remember" in days, "readers remember" in none) == (False, False)
    page = admin.post(plan, said | {"washout_cases": "7"}).content.decode()
    assert "Only 2 of 4 repeats fit behind a washout of 7 cases, and with one of 6 they all do." in page
    admin.post(NEW, said | {"washout_cases": "", "action": "save"})
    assert ReaderStudy.objects.get().washout_cases == 3
    page = admin.post(plan, said | {"repeat_share": "", "washout_cases": ""}).content.decode()
    assert "A repeat comes" not in page


@pytest.mark.parametrize(
    "kind",
    [
        {"design": "k_readers", "readers_per_case": "2", "repeat_share": "10"},
        {"design": "split_plot", "num_blocks": "2", "repeat_share": "25", "washout_cases": "3"},
    ],
)
def test_the_start_draws_what_the_plan_promised(kind: dict[str, str], admin: Client) -> None:
    said = form(
        studies=uids(*(completed_study() for _ in range(8))),
        readers=uids(*(ExpertFactory.create() for _ in range(3))),
        washout_cases="",
    )
    page = admin.post(reverse("reader-study-plan"), said | kind).content.decode()
    admin.post(NEW, said | kind | {"action": "start"})
    drawn = Assignment.objects.order_by()
    loads = sorted(number for _, number in drawn.values_list("reader").annotate(Count("pk")))
    repeats = drawn.filter(kind=Assignment.Kind.REPEAT).values_list("reader").annotate(Count("pk"))
    assert f"<strong>{sum(loads)} readings" in page
    each = f"{loads[0]} to {loads[-1]}" if loads[0] != loads[-1] else f"{loads[0]}"
    [number] = {number for _, number in repeats}
    assert len(repeats) == 3
    assert f"<dd>{each}, of them {number} repeat" in page


def test_the_plan_of_two_versions_says_how_small_a_difference_it_would_show(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, older, newer = two_versions_running(num_cases=8, num_readers=2, is_newer_read_first=True)
    films = [case.study for case in before.cases.select_related("study")]
    said = form(
        shows="two_versions",
        version=str(older.uid),
        other_version=str(newer.uid),
        studies=uids(*films),
        readers=uids(*(ExpertFactory.create() for _ in range(3))),
    )
    plan = reverse("reader-study-plan")
    page = admin.post(plan, said).content.decode()
    # 8 cases, 3 readings: the noncentrality of 7 degrees of freedom, 3.27, times sqrt(1.6 / 24) of a standard
    # deviation of 1 point, and of a half for one region an output.
    assert "differ by 0.84 points or more in mean plausibility, or by 42 percentage points or more in" in page
    assert "Plausibility: assumed until 30 readings of 10 cases with two outputs are signed" in page
    # As far as readings of two outputs lay apart: by 2 points one way and 0 the other, alike within a case.
    monkeypatch.setattr(detectable, "LEAST_READINGS", 8)
    monkeypatch.setattr(detectable, "LEAST_CASES", 4)
    for place, case in enumerate(before.cases.order_by("position")):
        for reading in Reading.objects.filter(assignment__case=case):
            complete(reading)
            higher = StepRating.objects.filter(reading=reading, step__completion__model_version=newer)
            higher.update(plausibility=2 if place % 2 else 4)
            sign(reading)
    page = admin.post(plan, said).content.decode()
    assert "has a standard deviation of 1.07, as in 16 signed readings of 8 cases" in page
    assert "alike by an ICC of 1.00, measured" in page
    assert "differ by 1.24 points or more in mean plausibility" in page
    # An amendment counts in place of what it amends: here each says that there is no difference.
    for reading in Reading.objects.filter(signed_at__isnull=False, amends=None, completion_b__isnull=False):
        amendment = amend_reading(reading=reading, reader=reader_of(reading), reason="Looked again.")
        complete(amendment)
        sign(amendment)
    page = admin.post(plan, said).content.decode()
    assert "since all differences of 16 signed readings are alike so far" in page
    # What nobody compares has no such difference, and four cases would miss any.
    assert "percentage points or more" not in admin.post(plan, said | {"shows": "one"}).content.decode()
    # Without a reader nothing is read that could show any.
    assert "would miss any difference" not in admin.post(plan, said | {"readers": []}).content.decode()
    few = admin.post(plan, said | {"studies": uids(*films[:4])}).content.decode()
    assert "So few cases would miss any difference between the two versions in mean plausibility" in few


def test_where_a_reading_shows_either_version_the_plan_counts_two_groups_of_readings(admin: Client) -> None:
    before, older, newer = two_versions_running(num_cases=20, is_newer_read_first=True)
    said = form(
        shows="one_of_two",
        version=str(older.uid),
        other_version=str(newer.uid),
        studies=uids(*(case.study for case in before.cases.select_related("study"))),
        readers=uids(*(ExpertFactory.create() for _ in range(4))),
    )
    plan = reverse("reader-study-plan")
    page = admin.post(plan, said).content.decode()
    # 20 cases with 2 readings of either version, as sure as 20 * 2 / 1.3 = 30.8 each: the noncentrality of 19
    # degrees of freedom, 2.95, times sqrt(2 / 30.8) of a standard deviation of 1 point, or of a half.
    assert "differ by 0.75 points or more in mean plausibility, or by 38 percentage points or more in" in page
    assert "what a reading says of its output has a standard deviation of 1.00" in page
    assert "the two versions' readings count as two groups" in page.replace("&#x27;", "'")
    # A case with one reading is read in one version, and nothing is compared; in a rotation the anchors are.
    alone = {"design": "k_readers", "readers_per_case": "1"}
    page = admin.post(plan, said | alone).content.decode()
    assert (
        "With fewer than 2 readers a case, no case is read in both versions, and results compare none: "
        "choose 2 or more." in page
    )
    rotation = {"design": "anchor_rotation", "readers_per_case": "1", "num_anchor_cases": "10"}
    anchored = admin.post(plan, said | rotation).content.decode()
    assert "4, 2.5 per case" in anchored
    assert "2 readers for each case that goes round, the anchor cases alone are read in" in anchored
    # Of three readers in two blocks one is alone.
    blocks = {"design": "split_plot", "num_blocks": "2", "readers": said["readers"][:3]}
    split = admin.post(plan, said | blocks).content.decode()
    assert "a case, only some cases are read in both versions, and results compare these alone" in split
    for told in (page, anchored, split):
        assert "in 4 of 5 tries" not in told
        assert "What that rests on" not in told


def test_the_ticks_of_the_plan_are_round() -> None:
    told = {f"{share * top:.2g}" for top in HEIGHTS for share in (0.5, 1.0)}
    assert all(len(tick.strip("0.")) == 1 for tick in told), told
