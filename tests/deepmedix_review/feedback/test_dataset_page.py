"""A frozen set's page and card tell what it holds, who stands behind it, and what was left out and why."""

import json

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.feedback.datasets.page import page_of_dataset
from deepmedix_review.feedback.datasets.samples import NUM_SAMPLES, sample_pairs
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.studies.holding import hold_study
from tests.factories.accounts import AdminFactory
from tests.factories.learning import a_reading_to_learn_from, a_study_read_by_several

pytestmark = pytest.mark.django_db
DESIGN = ReaderStudyDesign(repeat_share=0.4, washout_cases=1, control_share=0.2)


@pytest.fixture
def dataset(model: ModelVersion, researcher: User) -> PreferenceDataset:
    a_study_read_by_several(model, design=DESIGN)
    return freeze_dataset(title="Several", actor=researcher)


def page_for(user: User, name: str, dataset: PreferenceDataset) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse(name, args=[dataset.uid]))
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_counts_by_origin_and_side_are_those_of_the_rows(dataset: PreferenceDataset) -> None:
    summary = page_of_dataset(dataset).summary
    for row in summary.origins:
        pairs = dataset.pairs.filter(origin=row.origin)
        assert row.number == pairs.count() == sum(row.by_weight)
        longer = [pair for pair in pairs if len(pair.chosen) > len(pair.rejected)]
        shorter = [pair for pair in pairs if len(pair.chosen) < len(pair.rejected)]
        assert (row.longer, row.shorter) == (len(longer), len(shorter))
        if row.number:
            assert row.mean_weight == pytest.approx(sum(pair.weight for pair in pairs) / row.number)
            assert row.chosen_regions == pytest.approx(sum(p.chosen.count("[") for p in pairs) / row.number)
    for side in summary.sides:
        assert side.num_pairs == dataset.pairs.filter(split=side.side).count()
        assert side.num_labels == dataset.labels.filter(split=side.side).count()
        assert side.num_regions == dataset.regions.filter(split=side.side).count()
    parts = (summary.num_own_regions, summary.num_readers_regions, summary.num_missed_regions)
    assert parts[1] == dataset.regions.filter(is_models_own=False, step__isnull=False).count()
    assert sum(parts) == dataset.num_regions
    for criterion in summary.criteria:
        labels = dataset.labels.filter(criterion=criterion.criterion)
        assert criterion.number == labels.count() == sum(criterion.by_value)
        assert criterion.mean == pytest.approx(sum(label.value for label in labels) / criterion.number)
    assert sum(side.num_readings for side in summary.sides) == dataset.num_readings
    assert summary.num_readers == 3
    assert sum(row.number for row in summary.disputes) == len(dataset.disputes)
    assert sum(row.number for row in summary.left_out) == len(dataset.left_out)


def test_the_page_tells_readers_disputes_lengths_and_agreement(
    dataset: PreferenceDataset, researcher: User
) -> None:
    page = page_for(researcher, "dataset-detail", dataset)
    for said in (
        "Needs adjudication",
        "Readers contradict each other",
        "How strict each reader rates",
        "How reliable each reader",
        "How often each reader",
        "Which side each reader favours",
        "How far the readers agree",
        "Is the longer text preferred",
        "How sure the pairs are",
        "What outputs and steps deserve",
        "on the train side of patients",
    ):
        assert said in page, said
    names = dataset.readers["ratings"]["plausibility"]["readers"]
    assert all(reader["reader"] in page for reader in names)
    assert page.count('<svg class="plot"') >= 8


def test_sample_pairs_lie_on_their_film_with_what_differs_told_apart(
    dataset: PreferenceDataset, researcher: User
) -> None:
    samples = sample_pairs(dataset)
    origins = [sample.shown.pair.origin for sample in samples]
    assert all(0 < origins.count(origin) <= NUM_SAMPLES for origin in set(origins))
    assert {*origins} == {*dataset.pairs.values_list("origin", flat=True)}
    corrected = next(
        sample for sample in samples if sample.shown.pair.origin in ("region", "rewrite", "step")
    )
    assert {box.of for sample in samples for box in sample.boxes} >= {"chosen", "rejected"}
    pair = corrected.shown.pair
    assert corrected.film.endswith(f"{pair.completion.instance.uid}/picture/")
    assert all(0 <= box.x <= corrected.width and 0 <= box.y <= corrected.height for box in corrected.boxes)
    assert corrected.film in page_for(researcher, "dataset-detail", dataset)


def test_a_pair_tells_its_question_where_that_is_not_the_usual_one(
    model: ModelVersion, researcher: User
) -> None:
    reading = a_reading_to_learn_from(model)
    assert "Asked:" not in page_for(researcher, "dataset-detail", freeze_dataset(title="1", actor=researcher))
    Completion.objects.filter(pk=reading.completion_a_id).update(query="Is there a <nodule>?")
    page = page_for(researcher, "dataset-detail", freeze_dataset(title="2", actor=researcher))
    assert '<span class="quiet">Asked:</span> Is there a &lt;nodule&gt;?' in page


def test_the_film_of_a_withdrawn_study_is_not_shown(model: ModelVersion, researcher: User) -> None:
    reading = a_reading_to_learn_from(model)
    dataset = freeze_dataset(title="Round 1", actor=researcher)
    film = reverse("film-picture", args=[reading.completion_a.instance.uid])
    assert film in page_for(researcher, "dataset-detail", dataset)
    hold_study(reading.assignment.case.study, reason="text burned in", actor=AdminFactory.create())
    page = page_for(researcher, "dataset-detail", dataset)
    assert film not in page
    assert "The study was withdrawn" in page


def test_the_page_of_many_rows_takes_as_many_queries_as_that_of_few(
    model: ModelVersion, researcher: User, django_assert_max_num_queries
) -> None:
    for seed, number in ((2_000_000, 2), (2_000_500, 6)):
        a_study_read_by_several(model, seed=seed, num_films=number)
        dataset = freeze_dataset(title=f"{number} films", actor=researcher)
        cache.clear()
        client = Client()
        client.force_login(researcher)
        with django_assert_max_num_queries(23):
            client.get(reverse("dataset-detail", args=[dataset.uid]))


def test_the_card_goes_out_as_markdown_and_json_and_is_audited(
    dataset: PreferenceDataset, researcher: User
) -> None:
    card = json.loads(page_for(researcher, "dataset-card-json", dataset))
    assert (card["sha256"], card["num_readings"]) == (dataset.sha256, dataset.num_readings)
    assert sum(row["number"] for row in card["pairs"]) == dataset.num_pairs
    assert sum(row["number"] for row in card["labels"]) == dataset.num_labels
    markdown = page_for(researcher, "dataset-card", dataset)
    assert markdown.startswith("# Several\n")
    assert dataset.sha256 in markdown
    assert "## Needs adjudication" in markdown
    events = AuditEvent.objects.filter(action="download_card", subject_uid=str(dataset.uid))
    assert {event.details["form"] for event in events} == {"md", "json"}


def test_no_reader_or_patient_is_named_in_a_card(dataset: PreferenceDataset, researcher: User) -> None:
    for name in ("dataset-card", "dataset-card-json"):
        said = page_for(researcher, name, dataset)
        for frozen in dataset.readings.select_related(
            "reading__assignment__reader", "reading__assignment__case__study"
        ):
            assignment = frozen.reading.assignment
            assert assignment.reader.username not in said
            assert assignment.reader.pseudonym not in said
            assert assignment.case.study.patient_pseudonym not in said


def test_the_page_of_one_reader_says_what_can_not_be_told(model: ModelVersion, researcher: User) -> None:
    a_reading_to_learn_from(model)
    dataset = freeze_dataset(title="One reader", actor=researcher)
    page = page_for(researcher, "dataset-detail", dataset)
    assert "One reader alone: severity needs a second reader or known answers to be told." in page
    assert "how far they agree can&#x27;t be told" in page
    assert "Readers contradict each other on nothing: one alone can't." in page


def test_a_set_that_was_frozen_before_readers_were_compared_has_a_page(
    model: ModelVersion, researcher: User
) -> None:
    reading = a_reading_to_learn_from(model)
    dataset = PreferenceDataset.objects.create(
        title="Old",
        created_by=researcher,
        as_of=timezone.now(),
        num_readings=1,
        num_pairs=0,
        num_labels=0,
        left_out=[{"reading": str(reading.uid), "origin": "vote", "reason": "The vote is a tie."}],
        sha256="0" * 64,
    )
    page = page_for(researcher, "dataset-detail", dataset)
    assert "frozen before readers were compared" in page
    assert "The reader found both outputs equally good" in page


def test_the_api_tells_disputes_and_readers_of_one_set_and_lists_many_without_them(
    dataset: PreferenceDataset, researcher: User
) -> None:
    whole = json.loads(page_for(researcher, "api-dataset", dataset))
    assert len(whole["disputes"]) == len(dataset.disputes)
    assert whole["readers"]["agreement"]
    client = Client()
    client.force_login(researcher)
    (row,) = client.get(reverse("api-dataset-list")).json()["results"]
    assert (row["num_regions"], "readers" in row) == (dataset.num_regions, False)
