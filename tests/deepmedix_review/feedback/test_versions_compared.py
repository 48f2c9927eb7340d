"""Two versions are laid side by side on the same film."""

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.comparing.selectors import same_case, studies_of_both
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Study
from tests.factories.accounts import AdminFactory, ResearcherFactory
from tests.factories.learning import film, said
from tests.factories.registry import ModelVersionFactory, ServingModelFactory

A = "<think> Large heart [10, 20, 50, 60] </think> The answer is: \\boxed{big heart}"
B = "<think> Large heart [30, 20, 70, 60]; no effusion </think> The answer is: \\boxed{<i>normal</i>}"


@pytest.mark.django_db
def test_what_differs_is_counted_and_marked() -> None:
    one, a, b = film(1), ModelVersionFactory.create(), ModelVersionFactory.create()
    said(one, A, model_version=a)
    said(one, B, model_version=b)
    case = same_case(a, b, one.study)
    figures = {figure.name: (figure.a, figure.b, figure.differs) for figure in case.figures}
    assert figures["Steps"] == ("1", "2", True)
    assert figures["Regions"] == ("1", "1", False)
    assert case.mean_overlap == pytest.approx(1 / 3, abs=0.01)
    assert [piece.text for piece in case.a.pieces if piece.differs][-1].strip() == "big heart"
    assert "".join(piece.text for piece in case.b.pieces).endswith("Answer: <i>normal</i>")
    assert not case.is_same_text
    assert same_case(a, a, one.study).is_same_text


@pytest.mark.django_db
def test_only_studies_of_which_both_spoke_are_offered() -> None:
    researcher = ResearcherFactory.create()
    a, b = ModelVersionFactory.create(), ModelVersionFactory.create()
    both, alone, held = film(1), film(2), film(3)
    for one, version in ((both, a), (both, b), (alone, a), (held, a), (held, b)):
        said(one, A, model_version=version)
    Study.objects.filter(pk=held.study.pk).update(state=Study.State.HELD)
    assert studies_of_both(researcher, a, b) == [both.study]
    with pytest.raises(RefusedByRule, match="no completion of the same film"):
        same_case(a, b, alone.study)


@pytest.mark.django_db
def test_the_page_shows_both_and_is_audited(client: Client) -> None:
    one, a, b = film(1), ModelVersionFactory.create(), ModelVersionFactory.create()
    said(one, A, model_version=a)
    said(one, B, model_version=b)
    address = reverse("model-compare")
    client.force_login(AdminFactory.create())
    assert client.get(address).status_code == 403
    client.force_login(ResearcherFactory.create())
    assert client.get(address).context["case"] is not None
    assert (
        "Choose two versions that differ"
        in client.get(address, {"a": str(a.uid), "b": str(a.uid)}).content.decode()
    )
    page = client.get(address, {"a": str(a.uid), "b": str(b.uid)}).content.decode()
    assert page.count("<rect") == 2
    assert "&lt;i&gt;normal&lt;/i&gt;" in page.replace("</ins><ins>", "")
    assert AuditEvent.objects.filter(action="view_completions", subject_uid=str(one.study.uid)).count() == 2
    assert client.get(address, {"a": str(a.uid), "b": str(b.uid), "study": "x"}).status_code == 404
    other = film(2)
    refused = client.get(
        address, {"a": str(a.uid), "b": str(b.uid), "study": str(other.study.uid)}
    ).content.decode()
    assert "no completion of the same film" in refused
    assert (
        "no film in common"
        in client.get(address, {"a": str(a.uid), "b": str(_silent_but_once().uid)}).content.decode()
    )
    assert client.get(address, {"a": "nonsense", "b": str(b.uid)}).status_code == 200


def _silent_but_once() -> ModelVersion:
    version = ModelVersionFactory.create()
    said(film(5), A, model_version=version)
    return version


@pytest.mark.django_db
def test_it_begins_with_the_serving_version_and_another_of_the_same_films(client: Client) -> None:
    client.force_login(ResearcherFactory.create())
    assert client.get(reverse("model-compare")).status_code == 200
    serving = ServingModelFactory.create()
    beside, alone = ModelVersionFactory.create(), ModelVersionFactory.create()
    one, other = film(1), film(2)
    said(one, A, model_version=serving)
    said(one, B, model_version=beside)
    said(other, B, model_version=alone)
    page = client.get(reverse("model-compare"))
    assert (page.context["a"], page.context["b"]) == (serving, beside)
    assert page.context["case"].film == one


@pytest.mark.django_db
def test_answers_to_the_same_question_meet_and_other_questions_are_named(client: Client) -> None:
    client.force_login(ResearcherFactory.create())
    one, a, b = film(1), ModelVersionFactory.create(), ModelVersionFactory.create()
    rows = [said(one, A, model_version=a, seed=seed) for seed in (1, 2)]
    rows += [said(one, B, model_version=b, seed=seed) for seed in (1, 2)]
    for row, query in zip(rows, ("Report.", "Effusion?", "Effusion?", "Side?"), strict=True):
        row.query = query
        row.save()
    case = same_case(a, b, one.study)
    assert (case.a.completion, case.b.completion, case.num_samples) == (rows[1], rows[2], 1)
    assert (case.a.sample, case.a.num_samples, case.a.asked) == (1, 1, "Effusion?")
    address, asked = reverse("model-compare"), {"a": str(a.uid), "b": str(b.uid)}
    page = client.get(address, asked).content.decode()
    assert "Effusion?" in page
    assert "asked different questions" not in page
    rows[2].query = "Where?"
    rows[2].save()
    assert same_case(a, b, one.study).num_samples == 2
    page = client.get(address, asked).content.decode()
    assert "asked different questions" in page
    assert "Report." in page
    assert "Where?" in page


@pytest.mark.django_db
def test_a_reader_steps_through_the_samples_and_regions_bear_their_steps_number(client: Client) -> None:
    client.force_login(ResearcherFactory.create())
    one, a, b = film(1), ModelVersionFactory.create(), ModelVersionFactory.create()
    for seed, text in ((1, A), (2, B), (3, A)):
        said(one, text, model_version=a, seed=seed)
    for seed, text in ((1, B), (2, A)):
        said(one, text, model_version=b, seed=seed)
    address = reverse("model-compare")
    asked = {"a": str(a.uid), "b": str(b.uid)}
    first = client.get(address, asked)
    assert (first.context["case"].a.completion.seed, first.context["case"].b.completion.seed) == (1, 1)
    page = first.content.decode()
    assert "Sample 1 of 3" in page
    assert 'id="next-sample"' in page
    assert 'id="former-sample"' not in page
    assert page.count(">1</text>") == 2
    last = client.get(address, {**asked, "sample": "3"})
    case = last.context["case"]
    assert (case.a.completion.seed, case.b.completion.seed) == (3, 2)
    assert "sample 2 of 2" in last.content.decode()
    assert 'id="next-sample"' not in last.content.decode()
    for odd, meant in (("99", 3), ("0", 1), ("x", 1), ("-1", 1)):
        assert client.get(address, {**asked, "sample": odd}).context["case"].a.sample == meant
