"""A candidate is measured beside its parent on sealed patients of the site, by what their readers said."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation import patients, selectors
from deepmedix_review.evaluation.models import Benchmark, Evaluation, PatientAnswer, PatientFilm
from deepmedix_review.evaluation.patients import (
    ask_of_patients,
    keep_answers,
    patient_pairs,
    record_patients,
)
from deepmedix_review.evaluation.services import (
    cancel_evaluation,
    ensure_benchmarks_for,
    patients_of,
    requeue_evaluation,
)
from deepmedix_review.feedback.changed_cases import NUM_SHOWN
from deepmedix_review.feedback.gating import patients_page
from deepmedix_review.feedback.gating.measuring import request_gate
from deepmedix_review.feedback.gating.patients import SealedSoFar, ensure_patients, sealed_so_far
from deepmedix_review.feedback.gating.policies import current_policy, make_policy
from deepmedix_review.feedback.models import DatasetReading, GateDecision
from deepmedix_review.feedback.services import freeze_dataset, pass_or_hold, queue_training
from deepmedix_review.feedback.simulated_loop.readers import SIMULATED
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reviews.models import ReaderStudy, Reading, Vote
from deepmedix_review.studies.models import Split, Study
from deepmedix_review.studies.storage import film_path
from inference.engines import Done, Event, GenerationRequest
from inference.phantoms import draw_phantom
from rl_feedback.evaluation.phantoms import CaseResult, EvaluationFailed, case_from_json
from rl_feedback.gate import Suite
from rl_feedback.sealed_patients import Reference, SealedScore, score_sealed
from tests.deepmedix_review.feedback.road import RECIPE, Road, client_of
from tests.factories.accounts import ExpertFactory
from tests.factories.knowing import ASKED
from tests.factories.learning import (
    a_reading_to_learn_from,
    a_sealed_reading,
    an_open_reading_to_learn_from,
    patient_on,
)

pytestmark = pytest.mark.django_db
SEED = 2_000_200
NOTHING = "<think> Both lungs are clear </think> The answer is: \\boxed{no acute finding}"


def telling_seeds(number: int) -> list[int]:
    """Of films with a lesion, where the film drawn next shows one of another kind."""
    found = []
    for seed in range(SEED, SEED + 1000, 2):
        kinds = [
            {lesion.kind for lesion in draw_phantom(seed=one, width=56, height=56).truth.lesions}
            for one in (seed, seed + 1)
        ]
        if kinds[0] and kinds[1] - kinds[0]:
            found.append(seed)
        if len(found) == number:
            break
    return found


class Silent:
    """An engine that sees nothing on any film."""

    def generate(self, requests: Sequence[GenerationRequest]) -> Generator[Event, None, None]:
        for request in requests:
            yield Done(request.key, NOTHING, request.prompt, 8, 0.1, (112, 112), "stop")


def claimed(road: Road) -> Evaluation:
    """The parent's measurement on the candidate's sealed patients, with a worker."""
    ensure_patients(road.candidate)
    benchmark = patients_of(road.candidate)
    assert benchmark is not None
    waiting = Evaluation.objects.create(benchmark=benchmark, model_version=road.parent)
    evaluation = jobs.claim(Evaluation, job_id=waiting.pk)
    assert evaluation is not None
    return evaluation


@pytest.fixture
def sealed(road: Road) -> list[Reading]:
    """Three films of two sealed patients, each read once; and a policy that is content with two patients."""
    policy = current_policy()
    guards = [asdict(replace(one, fewest_patients=min(2, one.fewest_patients))) for one in policy.guards]
    make_policy(content={**policy.as_json(), "guards": guards}, note="A small site.", actor=road.researcher)
    one, other = patient_on(Split.TEST), patient_on(Split.TEST)
    return [
        a_sealed_reading(road.parent, seed=seed, patient=patient)
        for seed, patient in zip(telling_seeds(3), (one, one, other), strict=True)
    ]


def struck_text(film_text: str) -> str:
    """What readers of the same film struck out: the text of the other film."""
    true = Completion.objects.filter(text=film_text).earliest("pk")
    return Completion.objects.filter(instance=true.instance).latest("pk").text


def measured(road: Road, say: Callable[[str], str]) -> GateDecision:
    """The candidate writes on sealed patients as it is told to, and elsewhere what its parent writes."""
    ensure_patients(road.candidate)
    road.measure(road.parent)
    road.measure(road.candidate)
    answers = PatientAnswer.objects.filter(evaluation__model_version=road.candidate)
    for answer in answers:
        PatientAnswer.objects.filter(pk=answer.pk).update(text=say(answer.text))
    return pass_or_hold(road.candidate)


def on_patients(decision: GateDecision) -> dict[str, dict[str, object]]:
    return {row["figure"]: row for row in decision.comparisons if row["suite"] == Suite.PATIENTS}


def test_what_is_set_are_films_of_sealed_patients_that_persons_have_read(
    road: Road, sealed: list[Reading]
) -> None:
    unread = an_open_reading_to_learn_from(road.parent, seed=2_001_400, side=Split.TEST)
    machine = a_sealed_reading(road.parent, seed=2_001_500)
    reader = machine.assignment.reader
    reader.pseudonym = min(SIMULATED)
    reader.save(update_fields=["pseudonym"])
    withdrawn = a_sealed_reading(road.parent, seed=2_001_600)
    Study.objects.filter(pk=withdrawn.assignment.case.study_id).update(state=Study.State.REJECTED)
    assert unread.signed_at is None
    assert sealed_so_far().num_patients == 2
    ensure_patients(road.candidate)
    benchmark = patients_of(road.candidate)
    assert benchmark is not None
    studies = {row.film.study.pk for row in benchmark.patient_films.all()}
    assert studies == {reading.assignment.case.study_id for reading in sealed}
    counts = (benchmark.num_phantoms, benchmark.num_patients, benchmark.num_readings, benchmark.num_readers)
    assert counts == (3, 2, 3, 3)
    told = AuditEvent.objects.get(action="set_sealed_patients")
    assert told.details == {"num_films": 3, "num_patients": 2, "num_readings": 3}
    for row in benchmark.patient_films.all():
        known = Reference.from_json(row.reference)
        truth = Completion.objects.filter(instance=row.film).earliest("pk")
        assert known.answers == (truth.answer,)
        assert known.tells


def test_what_was_set_before_the_candidate_was_measured_is_not_changed_by_what_is_signed_later(
    road: Road, sealed: list[Reading]
) -> None:
    request_gate(road.candidate, actor=None)
    before = list(PatientFilm.objects.values_list("pk", "reference"))
    a_sealed_reading(road.parent, seed=2_001_700)
    request_gate(road.candidate, actor=None)
    assert list(PatientFilm.objects.values_list("pk", "reference")) == before
    on_them = Evaluation.objects.filter(benchmark__suite=Benchmark.Suite.PATIENTS)
    assert {one.model_version_id for one in on_them} == {road.parent.pk, road.candidate.pk}


def test_nothing_learns_from_a_sealed_patient_and_who_did_is_refused(
    road: Road, sealed: list[Reading]
) -> None:
    dataset = freeze_dataset(title="With sealed ones", actor=road.researcher)
    sides = dict(dataset.readings.values_list("reading", "split"))
    assert {sides[reading.pk] for reading in sealed} == {Split.TEST}
    learned = road.reading.assignment.case.study
    Study.objects.filter(pk=learned.pk).update(patient_pseudonym=patient_on(Split.TEST))
    assert DatasetReading.objects.filter(dataset=road.dataset, split=Split.TRAIN).exists()
    with pytest.raises(RefusedByRule, match="It was trained on the test: 1 of the 1 film"):
        queue_training(dataset=road.dataset, actor=road.researcher, recipe=RECIPE)
    decision = pass_or_hold(road.candidate)
    assert decision.outcome == GateDecision.Outcome.HELD
    assert "It was trained on the test" in decision.sentence
    assert learned.patient_pseudonym not in decision.sentence


def test_who_writes_the_same_on_them_too_has_changed_nothing(road: Road, sealed: list[Reading]) -> None:
    decision = measured(road, str)
    assert decision.outcome == GateDecision.Outcome.UNCHANGED
    rows = on_patients(decision)
    assert {row["verdict"] for row in rows.values()} == {"passes", "shown"}
    assert rows["confirmed_said"]["parent"] == 1.0
    assert rows["confirmed_said"]["num_patients"] == 2
    assert "patients" not in decision.absent


def test_who_drops_what_readers_confirmed_is_held_and_the_page_shows_where(
    road: Road, sealed: list[Reading]
) -> None:
    decision = measured(road, lambda text: NOTHING)
    assert decision.outcome == GateDecision.Outcome.HELD
    assert on_patients(decision)["confirmed_said"]["counts_against"]
    assert "Confirmed findings said fell by 1.000 (1.000 to 1.000) on sealed patients" in decision.sentence
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    section = page.split('id="sealed-patients"')[1].split("</section>")[0]
    assert "3 films of 2 patients whom nothing learns from, by 3 signed readings of 3 readers" in section
    assert section.count('class="changed-case"') == 3
    assert "lost: " in section
    assert "so it is counted apart and holds nobody" in section
    assert "-1.000 to -1.000" in section
    assert section.count('class="truth"') >= 3
    for reading in sealed:
        study = reading.assignment.case.study
        assert study.label in section
        assert study.patient_pseudonym not in page
    film = sealed[0].completion_a.instance
    assert f'<image href="{reverse("film-picture", args=[film.uid])}"' in section
    # Once for all figures, not again among those on drawn films.
    assert page.count('<th scope="row">Findings that no reader judged, a film<') == 1
    meant = section.split('<details id="patients-meant">')[1].split("</details>")[0]
    assert "<dt>Findings that no reader judged, a film</dt><dd>Findings a film that no reader" in meant


def test_a_view_scores_only_what_it_shows_and_reads_no_film_that_it_does_not(
    road: Road, sealed: list[Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = measured(road, lambda text: NOTHING)
    assert decision.changed is not None
    monkeypatch.setattr(patients_page, "MOST_SHOWN", 1)
    scored: list[str] = []
    read: list[int] = []

    def score(text: str, *known: Any) -> SealedScore:
        scored.append(text)
        return score_sealed(text, *known)

    def read_case(row: Mapping[str, Any]) -> CaseResult:
        read.append(row["seed"])
        return case_from_json(row)

    monkeypatch.setattr(patients, "score_sealed", score)
    monkeypatch.setattr(selectors, "case_from_json", read_case)
    client = client_of(road.researcher)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(road.url("model-detail")).content.decode()
    assert page.split('id="sealed-patients"')[1].split("</section>")[0].count('class="changed-case"') == 1
    assert len(scored) == 2
    assert len(read) == 2 * min(NUM_SHOWN, len(decision.changed["places"]))
    assert not any('"evaluation_evaluation"."cases",' in str(query["sql"]) for query in queries)
    # Of a decision from before changes were kept, the films that changed are shown too.
    GateDecision.objects.filter(pk=decision.pk).update(changed=None)
    PatientFilm.objects.update(num_harmed=None, moved=None)
    again = client.get(road.url("model-detail")).content.decode()
    drawn = [one.split('id="changed"')[1].split("</section>")[0] for one in (page, again)]
    assert drawn[0] == drawn[1]
    assert again.split('id="sealed-patients"')[1].split("</section>")[0].count('class="changed-case"') == 1


def test_the_film_that_lost_most_stands_first(
    road: Road, sealed: list[Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    worst = sealed[-1].completion_a.instance
    text = Completion.objects.filter(instance=worst).earliest("pk").text
    measured(road, lambda said: NOTHING if said == text else said.replace("</think>", " </think>"))
    monkeypatch.setattr(patients_page, "MOST_SHOWN", 1)
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    section = page.split('id="sealed-patients"')[1].split("</section>")[0]
    assert worst.study.label in section
    assert "lost: " in section


def test_who_repeats_what_readers_struck_out_is_held(road: Road, sealed: list[Reading]) -> None:
    decision = measured(road, struck_text)
    rows = on_patients(decision)
    assert rows["struck_said"]["counts_against"]
    assert rows["struck_said"]["candidate"] == 1.0
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    assert "said, though not there: " in page.split('id="sealed-patients"')[1]


def test_below_the_patients_that_the_policy_asks_for_it_is_shown_and_holds_nobody(road: Road) -> None:
    a_sealed_reading(road.parent, seed=telling_seeds(1)[0])
    decision = measured(road, lambda text: NOTHING)
    assert decision.outcome == GateDecision.Outcome.PASSED
    row = on_patients(decision)["confirmed_said"]
    assert (row["verdict"], row["counts_against"], row["difference"]) == ("too few", False, -1.0)
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    assert "1 patient, 30 needed" in page


def test_without_a_reading_of_a_sealed_patient_the_page_says_how_to_get_there(road: Road) -> None:
    a_reading_to_learn_from(road.parent, seed=SEED)
    address = road.url("model-detail")
    decision = measured(road, str)
    assert decision.absent["patients"] == (
        "No reader had said anything of a sealed patient when the candidate came."
    )
    assert not on_patients(decision)
    a_sealed_reading(road.parent, seed=SEED + 10)
    page = client_of(road.researcher).get(address).content.decode()
    section = " ".join(page.split('id="sealed-patients"')[1].split("</section>")[0].split())
    assert "Not compared. No reader had said anything of a sealed patient when the candidate came." in section
    assert "Sign readings of the held-out patients: 1 of 30 so far." in section


def test_drawn_films_of_the_demo_stand_in_until_a_patient_of_the_sites_own_is_read(
    road: Road, sealed: list[Reading]
) -> None:
    demo = sealed[-1].assignment.case.reader_study
    ReaderStudy.objects.filter(pk=demo.pk).update(is_demo=True)
    assert sealed_so_far() == SealedSoFar(num_patients=1, are_of_demo=False)
    own = sealed[:2]
    withdrawn = Study.objects.filter(pk__in=[reading.assignment.case.study_id for reading in own])
    withdrawn.update(state=Study.State.REJECTED)
    assert sealed_so_far() == SealedSoFar(num_patients=1, are_of_demo=True)
    decision = measured(road, lambda text: NOTHING)
    assert on_patients(decision)["confirmed_said"]["num_patients"] == 1
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    assert "They are drawn films of the demonstration" in page


def test_a_reading_that_says_no_more_than_which_output_is_better_is_not_counted(road: Road) -> None:
    """As a shadow study's are: they tell nothing of the film, and the demonstration's still stand in."""
    drawn = a_sealed_reading(road.parent, seed=SEED + 10)
    ReaderStudy.objects.filter(pk=drawn.assignment.case.reader_study_id).update(is_demo=True)
    voted = an_open_reading_to_learn_from(road.parent, seed=SEED + 20, side=Split.TEST)
    Vote.objects.create(reading=voted, side=Vote.Side.A)
    Reading.objects.filter(pk=voted.pk).update(opened_at=timezone.now(), signed_at=timezone.now())
    assert sealed_so_far() == SealedSoFar(num_patients=1, are_of_demo=True)


def test_a_film_that_was_withdrawn_since_is_no_more_compared_nor_shown(
    road: Road, sealed: list[Reading]
) -> None:
    ensure_patients(road.candidate)
    road.measure(road.parent)
    road.measure(road.candidate, say=lambda text: text + " ")
    gone = sealed[0].assignment.case.study
    Study.objects.filter(pk=gone.pk).update(state=Study.State.HELD)
    decision = pass_or_hold(road.candidate)
    assert on_patients(decision)["well_formed"]["num_cases"] == 2
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    assert "1 of these films was withdrawn or erased since." in page
    assert gone.label not in page.split('id="sealed-patients"')[1].split("</section>")[0]


def test_a_pair_is_of_films_that_both_answered(road: Road, sealed: list[Reading]) -> None:
    ensure_patients(road.candidate)
    road.measure(road.parent)
    road.measure(road.candidate)
    PatientAnswer.objects.filter(evaluation__model_version=road.parent).earliest("pk").delete()
    both = [
        Evaluation.objects.get(benchmark=patients_of(road.candidate), model_version=version)
        for version in (road.parent, road.candidate)
    ]
    assert len(patient_pairs(*both)) == 2
    assert patients_of(road.candidate) in ensure_benchmarks_for(road.candidate)


def test_a_film_whose_file_is_missing_stops_the_measurement_by_a_sentence_that_names_nobody(
    road: Road, sealed: list[Reading]
) -> None:
    evaluation = claimed(road)
    answers: list[tuple[int, Done]] = []
    ask_of_patients(evaluation, Silent(), asked=ASKED, on_round=answers.extend)
    films = evaluation.benchmark.patient_films
    assert [of for of, _ in answers] == list(films.values_list("pk", flat=True))
    film_path(sealed[0].completion_a.instance).unlink()
    with pytest.raises(EvaluationFailed, match="Restore it, then retry") as refusal:
        ask_of_patients(evaluation, Silent(), asked=ASKED, on_round=answers.extend)
    assert str(film_path(sealed[0].completion_a.instance)) not in str(refusal.value)


def test_an_answer_to_a_film_that_was_erased_meanwhile_is_not_kept(road: Road, sealed: list[Reading]) -> None:
    evaluation = claimed(road)

    def keep(answers: Sequence[tuple[int, Done]]) -> None:
        evaluation.benchmark.patient_films.earliest("pk").delete()
        keep_answers(evaluation, answers)

    ask_of_patients(evaluation, Silent(), asked=ASKED, on_round=keep)
    record_patients(evaluation)
    assert (evaluation.state, evaluation.patient_answers.count()) == (JobState.DONE, 2)
    assert evaluation.figures["confirmed_said"]["mean"] == 0


def test_answers_from_before_a_cancel_are_kept_and_only_the_other_films_are_asked_about(
    road: Road, sealed: list[Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patients, "FILMS_PER_ROUND", 2)
    evaluation = claimed(road)
    keep = partial(keep_answers, evaluation)
    cancel_evaluation(Evaluation.objects.get(pk=evaluation.pk), actor=road.researcher)
    with pytest.raises(jobs.JobCancelled) as end:
        ask_of_patients(evaluation, Silent(), asked=ASKED, on_round=keep)
    jobs.end_by(evaluation, end.value)
    assert (evaluation.state, evaluation.num_done) == (JobState.CANCELLED, 2)
    requeue_evaluation(evaluation, actor=road.researcher)
    again = jobs.claim(Evaluation, job_id=evaluation.pk)
    assert again is not None
    asked_again: list[tuple[int, Done]] = []
    ask_of_patients(again, Silent(), asked=ASKED, on_round=asked_again.extend)
    assert [of for of, _ in asked_again] == [evaluation.benchmark.patient_films.latest("pk").pk]


def test_only_who_may_view_models_sees_it(road: Road, sealed: list[Reading]) -> None:
    measured(road, str)
    assert client_of(ExpertFactory.create()).get(road.url("model-detail")).status_code == 403
