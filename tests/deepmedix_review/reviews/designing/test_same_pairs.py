"""Pairs of outputs that say the same: counted in the plan, left out by a tick, told with the results."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import serving_model
from deepmedix_review.reviews.designing import choices
from deepmedix_review.reviews.models import Case, ReaderStudy
from deepmedix_review.reviews.results.designed import say_design
from deepmedix_review.reviews.same_texts import SamePairs, same_pairs_of, saying_the_same
from deepmedix_review.reviews.study_services import (
    StudyDraft,
    design_reader_study,
    extend_reader_study,
    start_reader_study,
)
from deepmedix_review.reviews.study_services.showing import choose_completions
from deepmedix_review.studies.models import Study
from tests.deepmedix_review.reviews.designing.a_form import NEW, form, uids
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ModelVersionFactory
from tests.factories.reviews import EFFUSION, HEART, LUNGS, completed_study

pytestmark = pytest.mark.django_db

SAME = "1 of 2 pairs says the same, word for word and region for region (IoU 0.9 or more)"


def again(study: Study, *, model_version: ModelVersion | None = None, **fields: Any) -> Completion:
    """The model says once more what it said last of this study, or another model says it."""
    last = Completion.objects.filter(study=study).latest("pk")
    version = model_version or last.model_version
    return say(last.instance, steps=[EFFUSION, LUNGS], text=last.text, model_version=version, **fields)


def shown(study: Study, **said: Any) -> bool:
    """Whether the pair that readers would be shown says the same, as the database tells it."""
    same = saying_the_same(**({"shows": "two_samples", "other_version": None} | said))
    assert same is not None
    told = Study.objects.filter(same, pk=study.pk).exists()
    chosen = choose_completions([study], **said)[study.pk]
    texts = Completion.objects.filter(pk__in=[one.pk for one in chosen]).values_list("text", flat=True)
    assert told == (len(texts) == 2 and texts[0] == texts[1])
    return told


def test_the_newest_two_on_one_film_and_question_are_compared() -> None:
    study, serving = completed_study(num_completions=1), serving_model()
    said = {"shows": "two_samples", "model_version": serving}
    assert not shown(study, **said)
    again(study)
    assert shown(study, **said)
    again(study, query="Is there a pneumothorax?")
    assert not shown(study, **said)
    again(study, query="Is there a pneumothorax?")
    again(study, model_version=ModelVersionFactory.create())
    assert shown(study, **said)
    say(again(study).instance, steps=[HEART], model_version=serving)
    assert not shown(study, **said)


def heart_at(study: Study, x_min: float, x_max: float, *, says: str = "The heart is enlarged") -> Completion:
    """The serving model says it with one region, in words like those of any other such output."""
    box = (x_min, 100.0, x_max, 200.0)
    text = f"<think> {says} {list(box)} </think> The answer is: \\boxed{{cardiomegaly}}"
    film = Completion.objects.filter(study=study).latest("pk").instance
    return say(film, steps=[(says, [box])], text=text, model_version=serving_model())


def test_regions_that_no_reader_tells_apart_are_one() -> None:
    study = completed_study(num_completions=1)
    same = saying_the_same(shows="two_samples", model_version=serving_model(), other_version=None)
    assert same is not None

    def is_same() -> bool:
        return Study.objects.filter(same, pk=study.pk).exists()

    heart_at(study, 100, 200)
    assert not is_same()
    # 95 of 105 columns: IoU .905, and 90 of 110: .82.
    heart_at(study, 105, 205)
    assert is_same()
    heart_at(study, 115, 215)
    assert not is_same()
    heart_at(study, 115, 215, says="The heart is not enlarged")
    assert not is_same()
    made = running_on(study)
    assert same_pairs_of(made) == SamePairs(num_same=0, num_pairs=1)
    heart_at(study, 116, 216, says="The heart is not enlarged")
    assert same_pairs_of(running_on(study)) == SamePairs(num_same=1, num_pairs=1)


def running_on(study: Study) -> ReaderStudy:
    draft = StudyDraft(title="Pairs", studies=[study], readers=[ExpertFactory.create()])
    return start_reader_study(reader_study=design_reader_study(draft=draft, actor=None), actor=None)


def test_of_two_models_the_newest_of_each_on_one_question_are_compared() -> None:
    study, other = completed_study(num_completions=1), ModelVersionFactory.create()
    said = {"shows": "two_versions", "model_version": serving_model(), "other_version": other}
    again(study, model_version=other)
    assert shown(study, **said)
    again(study, query="Is there a pneumothorax?")
    assert shown(study, **said)
    say(again(study).instance, steps=[HEART], model_version=other)
    assert not shown(study, **said)


def test_the_plan_counts_them_and_a_tick_leaves_them_out(admin: Client) -> None:
    same, differs = completed_study(num_completions=1), completed_study()
    again(same)
    sent = form(studies=uids(same, differs), readers=uids(ExpertFactory.create()))
    page = admin.post(NEW, sent).content.decode()
    assert f"{SAME}: their readers compare a text with itself." in page
    assert page.count("A and B say the same") == 1
    assert "2 readings" in page
    ticked = sent | {"leaves_out_same": "on"}
    for cases_from in ("chosen", "all"):
        page = admin.post(reverse("reader-study-plan"), ticked | {"cases_from": cases_from}).content.decode()
        assert f"<dt>Left out</dt><dd>{SAME}</dd>" in page
        assert "their readers compare" not in page
        assert "1 reading," in page
    page = admin.post(NEW, ticked).content.decode()
    assert "1 ready study has what is to be shown. 1 more has a pair that says the same, and is not" in page
    admin.post(NEW, ticked | {"action": "start"})
    made = ReaderStudy.objects.get()
    assert (made.leaves_out_same, made.state) == (True, ReaderStudy.State.RUNNING)
    assert list(made.cases.values_list("study", flat=True)) == [differs.pk]
    page = admin.get(reverse("reader-study-detail", args=[made.uid])).content.decode()
    left_out = SAME.replace("1 of 2 pairs says", "1 pair that says") + ", was left out"
    assert f"<dt>Same pairs</dt><dd>{left_out}</dd>" in page
    assert same.label not in page
    assert f"{left_out}." in say_design(made)
    with pytest.raises(RefusedByRule, match=f"outputs of {same.label} say the same, word for word"):
        extend_reader_study(reader_study=made, actor=AdminFactory.create(), cases=[same])


def test_what_is_not_offered_is_counted_by_itself_and_as_far_as_other_numbers(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        completed_study()
    for _ in range(3):
        again(completed_study(num_completions=1))
    sent = form(studies="", readers=uids(ExpertFactory.create()), leaves_out_same="on")

    def told() -> str:
        [said] = re.findall('id="num-readable">([^<]*)', admin.post(NEW, sent).content.decode())
        return str(said)

    monkeypatch.setattr(choices, "MOST_COUNTED", 3)
    assert told() == (
        "2 ready studies have what is to be shown. 3 more have pairs that say the same, and are not offered."
    )
    monkeypatch.setattr(choices, "MOST_COUNTED", 2)
    assert " 2+ more have pairs that say the same" in told()


def test_where_none_is_left_out_its_number_is_told_all_the_same(admin: Client) -> None:
    sent = form(
        studies=uids(completed_study(), completed_study()),
        readers=uids(ExpertFactory.create()),
        leaves_out_same="on",
    )
    none = SAME.replace("1 of 2 pairs says", "0 of 2 pairs say")
    assert f"<dt>Left out</dt><dd>{none}</dd>" in admin.post(NEW, sent).content.decode()
    admin.post(NEW, sent | {"action": "start"})
    made = ReaderStudy.objects.get()
    left_out = none.replace("0 of 2 pairs say", "Pairs that say") + (
        ", are left out; none was among the cases that were chosen"
    )
    page = admin.get(reverse("reader-study-detail", args=[made.uid])).content.decode()
    assert f"<dt>Same pairs</dt><dd>{left_out}</dd>" in page
    assert f"{left_out}." in say_design(made)


def test_what_a_draft_left_out_is_not_told_of_other_cases(admin: Client) -> None:
    same, differs, *others = completed_study(num_completions=1), *(completed_study() for _ in range(3))
    again(same)
    sent = form(readers=uids(ExpertFactory.create()), leaves_out_same="on")
    admin.post(NEW, sent | {"studies": uids(same, differs), "action": "save"})
    draft = ReaderStudy.objects.get()
    for studies, number in (([differs], 1), (others, 0)):
        admin.post(
            reverse("reader-study-design", args=[draft.uid]),
            sent | {"studies": uids(*studies), "action": "save"},
        )
        draft.refresh_from_db()
        assert set(draft.cases.values_list("study", flat=True)) == {study.pk for study in studies}
        assert draft.num_same_left_out == number


def test_what_a_model_said_since_the_draft_counts_at_the_start(admin: Client) -> None:
    studies = [completed_study(), completed_study()]
    sent = form(studies=uids(*studies), readers=uids(ExpertFactory.create()), leaves_out_same="on")
    admin.post(NEW, sent | {"action": "save"})
    draft = ReaderStudy.objects.get()
    assert (
        'name="leaves_out_same" '
        in admin.get(reverse("reader-study-design", args=[draft.uid])).content.decode()
    )
    again(studies[0])
    started = start_reader_study(reader_study=draft, actor=AdminFactory.create())
    assert list(started.cases.values_list("study", flat=True)) == [studies[1].pk]
    assert started.num_same_left_out == 1


def test_where_all_say_the_same_nothing_is_left_to_start_with(admin: Client) -> None:
    study = completed_study()
    sent = form(studies=uids(study), readers=uids(ExpertFactory.create()), leaves_out_same="on")
    admin.post(NEW, sent | {"action": "save"})
    again(study)
    with pytest.raises(RefusedByRule, match="There is no case to read"):
        start_reader_study(reader_study=ReaderStudy.objects.get(), actor=AdminFactory.create())
    assert Case.objects.count() == 1


def test_a_study_that_kept_them_says_how_many_there_were(admin: Client) -> None:
    same, differs = completed_study(num_completions=1), completed_study()
    again(same)
    sent = form(studies=uids(same, differs), readers=uids(ExpertFactory.create()), action="start")
    admin.post(NEW, sent)
    made = ReaderStudy.objects.get()
    again(differs)
    assert same_pairs_of(made) == SamePairs(num_same=1, num_pairs=2)
    assert f"<dt>Same pairs</dt><dd>{SAME}</dd>" in admin.get(f"/reader-studies/{made.uid}/").content.decode()
    assert f"{SAME}: their readers compared a text with itself." in say_design(made)


def test_more_cases_are_offered_with_a_mark_on_those_whose_pair_says_the_same(admin: Client) -> None:
    first, same, differs = completed_study(), completed_study(num_completions=1), completed_study()
    again(same)
    admin.post(NEW, form(studies=uids(first), readers=uids(ExpertFactory.create()), action="start"))
    made = ReaderStudy.objects.get()
    page = admin.get(f"/reader-studies/{made.uid}/").content.decode()
    offered = page[page.index("Add cases: 2 more studies") : page.index("Whose list or deadline changes")]
    labels = dict(re.findall(r'value="([0-9a-f-]{36})"[^>]* aria-label="([^"]+)"', offered))
    told = {uid: label.endswith(", A and B say the same") for uid, label in labels.items()}
    assert told == {str(same.uid): True, str(differs.uid): False}
    assert offered.count('<span class="chip quiet">A and B say the same</span>') == 1
    said = {"extend-deadline": "", "extend-studies": uids(same, differs)}
    asked = admin.post(f"/reader-studies/{made.uid}/extend/", said).content.decode()
    assert f"<strong>Look twice:</strong> {SAME}: their readers compare a text with itself." in asked
    said["extend-studies"] = uids(differs)
    assert "Look twice" not in admin.post(f"/reader-studies/{made.uid}/extend/", said).content.decode()
    ReaderStudy.objects.update(leaves_out_same=True)
    page = admin.get(f"/reader-studies/{made.uid}/").content.decode()
    assert ("Add cases: 1 more study" in page, "A and B say the same" in page) == (True, False)
