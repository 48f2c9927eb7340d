"""What readers found: means, votes and what adjudication settled, held against hand counts."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.reasoning.models import ReasoningStep
from deepmedix_review.reviews.criteria.versions import Asked, library
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.designs.design import Shows
from deepmedix_review.reviews.models import (
    AnswerRating,
    Reading,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.reading.changes import AddFinding, DrawRegion, RateAnswer
from deepmedix_review.reviews.results.dashboard import compute
from deepmedix_review.reviews.results.figures import wilson
from deepmedix_review.reviews.results.progress import overview
from deepmedix_review.reviews.study_services import lock_reader_study, start_adjudication
from tests.deepmedix_review.reviews.results.the_figures import figure, rows_of
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reader_studies import a_draft, running, two_versions_running
from tests.factories.reviews import change, complete, completions_of, reader_study, sign

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_means_and_votes_have_intervals_over_cases_and_the_head_says_them_in_words() -> None:
    readers = [ExpertFactory.create() for _ in range(2)]
    asked = ["plausibility", "correctness", "better-overall"]
    study = reader_study(num_cases=3, readers=readers, asked=asked)
    readings = Reading.objects.filter(assignment__case__reader_study=study).select_related("assignment__case")
    for reading in readings:
        complete(reading, plausibility=1 + reading.assignment.case.position, side=Vote.Side.A)
        sign(reading)
    dashboard = compute(study)
    # Cases of mean 2, 3 and 4, each rating of a case alike: as sure as three ratings.
    plausibility = rows_of(figure(dashboard, "means"))["Plausibility"]
    assert (plausibility["mean"], plausibility["cases"], plausibility["ratings"]) == (3.0, 3, 24)
    # No mean lies beyond its scale, an interval that is longer than it has no half width, and three cases
    # that are all alike tell of no spread.
    assert plausibility["half width"] is None
    assert (plausibility["low"], plausibility["high"]) == (1.0, 5.0)
    correctness = rows_of(figure(dashboard, "means"))["Correctness"]
    assert (correctness["mean"], correctness["low"], correctness["high"]) == (4.0, None, None)
    votes = rows_of(figure(dashboard, "votes-overall"))
    # Everybody chose A: each case counts once, Wilson of 3 of 3.
    assert (votes["A"]["share"], votes["A"]["votes"]) == (1.0, 6)
    assert (votes["A"]["low"], votes["A"]["high"]) == pytest.approx(wilson(3, 3), abs=1e-3)
    head = {line.key: line.said for line in dashboard.head}
    assert head["means"] == "Plausibility 3.00; Correctness 4.00"
    # A share of A says nothing of the model, so it doesn't lead.
    assert "votes-overall" not in head
    assert head["sides-overall"] == (
        "6 votes on 3 cases. Both outputs are one version's, dealt to the sides at random. See side bias."
    )
    # Three cases are no ground for a verdict, and the head says so first.
    assert dashboard.caveat.startswith("3 cases: nothing can be told from so few.")
    assert head["alpha"] == (
        "Of agreement on plausibility nothing can be told from 3 cases; alpha is told here from 10 cases on "
        "that 2 readers rated."
    )
    assert dashboard.figure("votes-grounded") is None is dashboard.figure("sides-grounded")


@pytest.mark.parametrize(("shows", "num_cases"), [("two_versions", 10), ("one_of_two", 2)])
def test_votes_and_means_of_two_versions_go_to_the_version_whichever_side_it_stood_on(
    shows: Shows, num_cases: int
) -> None:
    study, older, newer = two_versions_running(
        num_cases=num_cases, num_readers=4, shows=shows, is_newer_read_first=True
    )
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        is_newer = reading.completion_a.model_version_id == newer.pk
        complete(reading, plausibility=2, side=Vote.Side.A if is_newer else Vote.Side.B)
        steps = ReasoningStep.objects.filter(completion__model_version=newer)
        StepRating.objects.filter(reading=reading, step__in=steps).update(plausibility=5)
        sign(reading)
    dashboard = compute(study)
    means = {row[:2]: row[2] for row in figure(dashboard, "means").table.rows}
    assert means["Plausibility", "every output"] == 3.5
    assert (means["Plausibility", str(older)], means["Plausibility", str(newer)]) == (2.0, 5.0)
    # The newer is 3 points higher in each reading; where a reader sees one of the two, on each case.
    differences = rows_of(figure(dashboard, "differences"))["Plausibility"]
    # Few cases that are all alike tell of no spread.
    edge = 3.0 if num_cases == 10 else None
    assert (differences["difference"], differences["low"], differences["high"]) == (3.0, edge, edge)
    assert differences["cases"] == num_cases
    head = dashboard.head[0]
    assert head.name == f"{newer} against {older}"
    correctness = rows_of(figure(dashboard, "differences"))["Correctness"]
    if num_cases == 10:
        assert differences["readings"] == 40
        assert correctness["verdict"] == "no difference can be told"
        assert head.said.startswith(f"Plausibility +3.00 ± 0.00: {newer} is rated higher; ")
        [voted] = [line.said for line in dashboard.head if line.key == "votes-overall"]
        assert "can be told" not in voted
        assert dashboard.caveat.startswith("10 cases: the intervals are rough")
        assert "well enough for firm conclusions" in {line.key: line.said for line in dashboard.head}["alpha"]
    else:
        assert correctness["verdict"] == "nothing can be told from 2 cases"
        assert head.said.startswith("Plausibility +3.00: nothing can be told from 2 cases; ")
    if shows == "two_versions":
        assert "10 cases the intervals are rough" in figure(dashboard, "votes-overall").note
        assert rows_of(figure(dashboard, "votes-overall"))[str(newer)]["share"] == 1.0


def test_a_version_has_the_same_colour_in_every_plot() -> None:
    study, older, newer = two_versions_running(num_cases=2)
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        complete(reading)
        sign(reading)
    dashboard = compute(study)
    for key in ("means", "votes-overall", "choices-region-verdict", "missed-share"):
        plot = figure(dashboard, key).plot
        assert plot is not None
        for version, colour in ((older, 1), (newer, 2)):
            assert {dot.colour for dot in plot.dots if str(version) in dot.title} == {colour}, key
        others = [dot for dot in plot.dots if not any(str(one) in dot.title for one in (older, newer))]
        assert all(dot.colour > 2 for dot in others), key


def test_harm_has_its_own_scale_in_the_plots_and_each_says_which_end_is_better() -> None:
    asked = [Asked(one) for one in library() if one.key in ("plausibility", "correctness", "harm")]
    study, *_ = two_versions_running(num_cases=2, num_readers=2, asked=asked)
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        complete(reading)
        for completion in completions_of(reading):
            change(reading, RateAnswer(completion.uid, None, 4, None, AnswerRating.Harm.SEVERE))
        sign(reading)
    dashboard = compute(study)
    for key in ("means", "differences"):
        found = figure(dashboard, key)
        better = {name: row["better"] for name, row in rows_of(found).items()}
        assert better == {"Plausibility": "higher", "Correctness": "higher", "Harm": "lower"}
        assert found.plot is not None
        words = [label.text for label in found.plot.labels]
        assert any(word.startswith("Points, 1 to 5, higher is better") for word in words)
        assert any(word.startswith("Points, 0 none to 2 severe, lower is better") for word in words)
        assert "Harm" in words
        assert "0 none to 2 severe, lower is better" in found.plot.said or key == "differences"
        # Each stands below the one before, within the plot.
        dots = [dot.y for dot in found.plot.dots]
        assert dots == sorted(dots)
        assert dots[-1] < found.plot.height
    # How the values are used tells harm too, by its own values.
    used = figure(dashboard, "distributions").plot
    assert used is not None
    words = [label.text for label in used.labels]
    assert [word for word in words if "is better" in word] == [
        "1 to 5, higher is better",
        "0 none to 2 severe, lower is better",
    ]
    assert {"Plausibility", "Correctness", "Harm", "severe"} <= set(words)
    assert any(bar.title == "Harm, severe: 8" for bar, _ in used.cells)
    assert "shares of none, mild, severe for Harm" in used.said
    assert max(bar.y + bar.height for bar, _ in used.cells) < used.height


def test_votes_on_three_cases_have_no_share_without_a_word_on_how_few_they_are() -> None:
    study, older, newer = two_versions_running(num_cases=3)
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        is_newer = reading.completion_a.model_version_id == newer.pk
        complete(reading, side=Vote.Side.A if is_newer else Vote.Side.B)
        sign(reading)
    dashboard = compute(study)
    [head] = [line.said for line in dashboard.head if line.key == "votes-overall"]
    assert head.startswith(f"{older} 0.00 ")
    assert head.endswith("; 3 votes on 3 cases: nothing can be told from 3 cases")
    few = "Nothing can be told from 3 cases."
    for key in ("votes-overall", "choices-region-verdict", "missed-share"):
        assert figure(dashboard, key).note == few, key
    assert figure(dashboard, "sides-overall").note.startswith("Nothing can be told from 3 decided votes.")


def test_what_adjudication_settled_is_told_item_by_item_and_counted_like_everywhere() -> None:
    design = ReaderStudyDesign(shows="one")
    study = running(a_draft(num_cases=3, num_readers=2, design=design, adjudication="consensus"))
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        is_first = reading.assignment.reader == study.invitations.order_by("pk")[0].reader
        apart = reading.assignment.case.position < 3 and is_first
        complete(reading, plausibility=1 if apart else 4)
        sign(reading)
    case = study.cases.get(position=1)
    admin = AdminFactory.create()
    assignment = start_adjudication(case=case, reader=ExpertFactory.create(), actor=admin)
    reading = Reading.objects.get(assignment=assignment)
    complete(reading, plausibility=3)
    sign(reading)
    dashboard = compute(study)
    settled = figure(dashboard, "settled")
    assert settled.value == "1 of 2 disputed cases settled"
    assert settled.table.rows[:2] == (
        (1, "settled", "Plausibility", "step 1", "1, 4", "3"),
        (1, "settled", "Plausibility", "step 2", "1, 4", "3"),
    )
    assert settled.table.rows[2][:2] == (2, "waits")
    seen = overview(study)
    assert (seen.num_signed, seen.num_assigned, dashboard.num_readings) == (7, 7, 7)
    client = client_of(admin)
    for name, args in (("reader-study-detail", [study.uid]), ("reader-study-list", [])):
        assert "7 of 7 signed" in client.get(reverse(name, args=args)).content.decode()
    lock_reader_study(reader_study=study, actor=None)
    page = client.get(reverse("reader-study-results", args=[study.uid])).content.decode()
    assert "nothing changes any more" in page
    assert "1 case was left unsettled" in page
    assert all(f'href="#{key}"' in page for key in ("means", "settled", "part-findings", "part-time"))


def test_the_interval_of_wilson_holds_at_the_ends() -> None:
    ends = [end for total in range(1, 30) for end in (wilson(0, total)[0], wilson(total, total)[1] - 1.0)]
    assert max(ends) < 1e-9
    assert not any(str(round(end, 4)).startswith("-") for end in ends[::2])


def test_missed_findings_are_counted_for_each_output_and_listed_in_their_readers_words() -> None:
    first, second = ExpertFactory.create(), ExpertFactory.create()
    study = reader_study(num_cases=2, readers=[first, second], asked=["plausibility"])
    readings = Reading.objects.filter(assignment__case__reader_study=study)
    case = study.cases.earliest("position")
    [mine] = readings.filter(assignment__reader=first, assignment__case=case)
    [other] = readings.filter(assignment__reader=second, assignment__case=case)
    earlier = min(mine.completion_a, mine.completion_b, key=lambda output: output.pk if output else 0)
    assert earlier is not None
    findings = [uuid.uuid4() for _ in range(3)]
    change(mine, AddFinding(findings[0], earlier.uid, "Rib fracture"))
    change(mine, DrawRegion(uuid.uuid4(), None, findings[0], None, (1.0, 1.0, 9.0, 9.0)))
    change(mine, AddFinding(findings[1], earlier.uid, "nodule"))
    change(other, AddFinding(findings[2], earlier.uid, "rib  fracture"))
    for reading in readings:
        complete(reading)
        sign(reading)
    dashboard = compute(study)
    assert figure(dashboard, "missed-findings").table.rows == (
        (1, "written first", "Rib fracture", 2, 2, 1),
        (1, "written first", "nodule", 1, 2, 0),
    )
    share = rows_of(figure(dashboard, "missed-share"))["every output"]
    # Of eight outputs read two readers say that one missed something, three findings in all.
    assert (share["share"], share["findings per output"], share["outputs read"]) == (0.25, 0.375, 8)
    nothing = compute(reader_study(num_cases=1, asked=["plausibility"]))
    assert figure(nothing, "missed-findings").note == "No reading that counts has been signed yet."
    assert figure(nothing, "missed-share").note == "No reading that counts has been signed yet."
