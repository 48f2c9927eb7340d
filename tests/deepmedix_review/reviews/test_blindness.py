"""Nothing that a reader can fetch, body or headers, tells the model, the design or another reader's word."""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.criteria.versions import Asked, default_criteria, library
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import (
    Assignment,
    Case,
    FirstRead,
    ReaderStudy,
    Reading,
    Vote,
    WorklistNotice,
)
from deepmedix_review.reviews.reading.changes import AddFinding, CastVote, RateAnswer, RateStep, SayFirstRead
from deepmedix_review.reviews.study_services import create_reader_study, invite_reader
from deepmedix_review.reviews.study_services.drafting import StudyDraft
from deepmedix_review.reviews.study_services.readiness import find_unready
from inference.presets import PRESETS
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.reader_studies import a_draft, list_of, running, sign_unsaid
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.reviews import EFFUSION, HEART, LUNGS, change, complete, reader_of, sign
from tests.factories.studies import store_phantom

pytestmark = pytest.mark.django_db

MODEL = "Zebrafish-9X"
SECRETS_OF_MODEL = ("zebrafish", "qwen", "absent-folder", "0.7351", "77345512", "proprietary-licence")
OTHER_WORDS = "words of the other reader"


@pytest.fixture
def reading() -> Reading:
    """Of a reader whose case another reader has signed; the outputs name their model."""
    version = ServingModelFactory.create(
        name=MODEL, folder="/absent-folder/weights", temperature=0.7351, licence="proprietary-licence"
    )
    instance = store_phantom()
    for number, (text, boxes) in enumerate((HEART, EFFUSION)):
        say(
            instance,
            steps=[(f"As zebrafish 9X I say: {text}", boxes), LUNGS],
            answer=f"Zebrafish_9x-v2 and Qwen2.5-VL-7B see {number}",
            text="This is the text of ZEBRAFISH 9X.",
            prompt="the secret prompt",
            model_version=version,
            temperature=0.7351,
            seed=77345512 + number,
        )
    me = ExpertFactory.create()
    other = ExpertFactory.create(pseudonym="Reader-Otherwise", username="otherwise.surname")
    study = create_reader_study(
        title="Round 2",
        studies=[instance.study],
        readers=[me, other],
        actor=AdminFactory.create(),
        seed=77,
        asked=(*default_criteria(), Asked(library().get(key="harm"), is_required=False)),
    )
    theirs = Reading.objects.get(assignment__case__reader_study=study, assignment__reader=other)
    complete(theirs, side=Vote.Side.B)
    step = theirs.completion_a.steps.earliest("position")
    change(theirs, RateStep(step.uid, 1, False, OTHER_WORDS, OTHER_WORDS))
    change(theirs, RateAnswer(theirs.completion_a.uid, 1, 1, 1, "severe", OTHER_WORDS))  # type: ignore[arg-type]
    change(theirs, AddFinding(uuid.uuid4(), theirs.completion_a.uid, OTHER_WORDS))
    sign(theirs)
    return Reading.objects.get(assignment__case__reader_study=study, assignment__reader=me)


def every_route(resolver: URLResolver | None = None, before: str = "/") -> Iterator[str]:
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from every_route(pattern, route)


def addresses(reading: Reading, *, of_others: bool = False) -> list[str]:
    """Every GET address of the product, with each uid of the reader's case put in, or others' too."""
    assignment = reading.assignment
    shown = [completion for completion in (reading.completion_a, reading.completion_b) if completion]
    theirs = Reading.objects.exclude(pk=reading.pk)
    uids = [
        *(reading.uid, assignment.uid, assignment.case.uid, assignment.case.study.uid),
        *(assignment.case.reader_study.uid, reading.completion_a.instance.uid),
        *(completion.uid for completion in shown),
    ]
    if of_others:
        uids += [completion.model_version.uid for completion in shown[:1]]
        uids += [*theirs.values_list("uid", flat=True), *User.objects.values_list("uid", flat=True)]
    found = []
    for route in every_route():
        if "<uuid:uid>" in route:
            found += [
                re.sub(r"<(?:int|slug|str):\w+>", "1", route.replace("<uuid:uid>", str(uid))) for uid in uids
            ]
        else:
            found.append(re.sub(r"<\w+:\w+>", "1", route))
    return found


def fetched(client: Client, address: str) -> str:
    """Body, status and headers as text, what differs from one answer to the next by design left out."""
    answer = client.get(address)
    headers = json.dumps({**answer.headers, "Content-Security-Policy": "", "Expires": ""})
    text = f"{answer.status_code} {headers} {_body(answer)}"
    return re.sub(r'nonce="[^"]+"|"?X-CSRFToken"?: ?"[^"]+"|csrfmiddlewaretoken" value="[^"]+"', "", text)


def _body(answer: HttpResponseBase) -> str:
    content: bytes = answer.getvalue() if isinstance(answer, HttpResponse | StreamingHttpResponse) else b""
    return content.decode("utf-8", errors="replace")


def as_reader(reading: Reading) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(reader_of(reading))
    return client


def test_no_address_tells_a_reader_the_model_or_another_readers_word(reading: Reading) -> None:
    client = as_reader(reading)
    version = reading.completion_a.model_version
    secrets = [*SECRETS_OF_MODEL, str(version.uid), version.sha256, "secret prompt", OTHER_WORDS]
    secrets += ["reader-otherwise", "otherwise.surname", reading.completion_a.content_key]
    statuses = set()
    for address in addresses(reading, of_others=True):
        # A uid in the address that was asked for may come back in a redirect to the login.
        answer = fetched(client, address).replace(address, "").lower()
        statuses.add(answer[:3])
        if address == reverse("schema"):
            # Every installation names all presets there, whichever model a study shows.
            for preset in PRESETS:
                answer = answer.replace(preset, "")
        for secret in secrets:
            assert secret.lower() not in answer, f"{address} tells {secret}"
    assert "200" in statuses
    assert not any(status.startswith("5") for status in statuses)


def test_a_notice_of_moved_cases_names_nobody(reading: Reading) -> None:
    me, study = reader_of(reading), reading.assignment.case.reader_study
    newcomer = ExpertFactory.create(pseudonym="Reader-Newcomer", username="newcomer.surname")
    WorklistNotice.objects.create(reader_study=study, reader=me, num_gone=1)
    invite_reader(reader_study=study, reader=newcomer, actor=None)
    told = fetched(as_reader(reading), reverse("worklist")).lower()
    assert "went to another reader" in told
    assert "newcomer" not in told
    assert str(newcomer.uid) not in told


def test_a_researcher_learns_no_name_behind_a_pseudonym(reading: Reading) -> None:
    researcher = ResearcherFactory.create()
    client = Client(raise_request_exception=False)
    client.force_login(researcher)
    dataset = freeze_dataset(title="Frozen", actor=researcher)
    answers = {
        address: fetched(client, address)
        for address in [*addresses(reading), reverse("dataset-detail", args=[dataset.uid])]
    }
    assert any("reader-otherwise" in answer.lower() for answer in answers.values())
    assert [address for address, answer in answers.items() if "otherwise.surname" in answer] == []


def test_results_and_their_files_name_no_person_even_to_an_admin(reading: Reading) -> None:
    client, study = Client(), reading.assignment.case.reader_study
    client.force_login(AdminFactory.create())
    results = reverse("reader-study-results", args=[study.uid])
    page = fetched(client, results)
    files = re.findall(rf'href="({results}[a-z0-9-]+\.csv)"', page)
    assert len(files) > 5
    answers = [fetched(client, address) for address in files]
    assert any("reader-otherwise" in answer.lower() for answer in answers)
    assert all("otherwise.surname" not in answer for answer in [page, *answers])
    assert "otherwise.surname" in fetched(client, reverse("reader-study-detail", args=[study.uid]))


def test_the_names_of_models_are_masked_in_what_a_reader_reads(reading: Reading) -> None:
    shown = as_reader(reading).get(reverse("api-reading", args=[reading.uid])).json()
    for completion in shown["completions"]:
        assert completion["answer"].startswith("[model] and [model] see ")
        assert completion["text"] == "This is the text of [model]."
        assert completion["steps"][0]["text"].startswith("As [model] I say: ")


def test_a_control_a_repeat_and_a_case_of_data_look_alike_at_every_address(reading: Reading) -> None:
    client = as_reader(reading)
    # The first time round opens the reading, which its worklist then tells.
    asked = [address for address in addresses(reading) if client.get(address).status_code == 200]
    before = {address: fetched(client, address) for address in asked}

    assert reading.completion_b is not None
    original = reading.completion_b
    Completion.objects.filter(pk=reading.completion_a_id).update(
        alteration=Completion.Alteration.FOREIGN_SENTENCE, altered_from=original
    )
    Case.objects.update(role=Case.Role.CONTROL, known_answer={"alterations": [{"alteration": "x"}]})
    assert {address: fetched(client, address) for address in asked} == before

    first = Assignment.objects.exclude(pk=reading.assignment_id).get()
    Assignment.objects.filter(pk=reading.assignment_id).update(
        kind=Assignment.Kind.REPEAT, repeat_of=first, available_at=reading.created_at
    )
    assert {address: fetched(client, address) for address in asked} == before


def test_no_number_and_no_list_tells_which_case_is_a_repeat() -> None:
    """Read in order, twice: with repeats that come due on the way, and with none that waits."""
    told = []
    for is_hiding in (True, False):
        design = ReaderStudyDesign(shows="one", repeat_share=0.25, washout_days=0, washout_cases=2)
        study = running(a_draft(num_cases=8, num_readers=1, design=design, seed=5))
        reader = study.invitations.get().reader
        in_order = list_of(study, reader)
        assert [item.kind for item in in_order].count("repeat") == 2
        if not is_hiding:
            Assignment.objects.filter(reader=reader).update(available_at=study.created_at)
        told.append(read_all(reader, in_order))
    assert told[0] == told[1]
    assert [place for _, place, _ in told[0]] == [(number, 10) for number in range(1, 11)]


def read_all(reader: User, in_order: list[Assignment]) -> list[Any]:
    """What the worklist, the case and the case made ready behind it tell, from the first case to the last."""
    client = Client()
    client.force_login(reader)
    place = {item.uid: index for index, item in enumerate(in_order)}
    after: str | None = None
    told = []
    for _ in in_order:
        worklist = client.get(reverse("worklist")).content.decode()
        [listed] = set(re.findall(r"assignments/([0-9a-f-]{36})/read/", worklist))
        texts = re.sub(r"<[^>]+>|\s+|C-[0-9a-f]{8}", " ", worklist)
        [left] = re.findall(r"To read (\d+)", texts)
        opened = client.post(reverse("open-reading", args=[listed])).headers["Location"]
        assert after in (None, opened), "another case than the one made ready"
        uid = opened.split("/")[2]
        shown = client.get(reverse("api-reading", args=[uid])).json()
        after = shown["next"]
        told.append(
            (
                (place[uuid.UUID(listed)], left, re.findall(r"\d+ more after it", texts)),
                (shown["position"], shown["num_cases"]),
                sorted(shown),
            )
        )
        sign_unsaid(Assignment.objects.get(uid=listed))
        renumbered = client.get(reverse("api-reading", args=[uid])).json()["position"]
        assert renumbered == shown["position"]
    return told


def test_before_the_first_read_is_locked_no_address_tells_what_was_said(reading: Reading) -> None:
    Reading.objects.filter(pk=reading.pk).update(asks_first_read=True)
    change(reading := Reading.objects.get(pk=reading.pk), SayFirstRead(False, "", (), "normal", 3))
    client = as_reader(reading)
    secrets = ["heart is enlarged", "a left pleural effusion", "lungs are clear", "[model]"]
    for completion in (reading.completion_a, reading.completion_b):
        assert completion is not None
        secrets.append(str(completion.uid))
        secrets += [str(uid) for uid in completion.steps.values_list("uid", flat=True)]
    for address in addresses(reading):
        answer = fetched(client, address).replace(address, "")
        # The list of findings to choose from names some of what the outputs say.
        answer = re.sub(r'"findings_offered":\[[^\]]*\]', "", answer)
        for secret in secrets:
            assert secret.lower() not in answer.lower(), f"{address} tells {secret}"
    assert FirstRead.objects.get().impression == "normal"


@pytest.mark.parametrize("kind", [Assignment.Kind.FIRST, Assignment.Kind.REPEAT])
def test_only_an_adjudication_shows_earlier_readings(reading: Reading, kind: str) -> None:
    client = as_reader(reading)
    first = Assignment.objects.exclude(pk=reading.assignment_id).get()
    repeat_of = first if kind == Assignment.Kind.REPEAT else None
    Assignment.objects.filter(pk=reading.assignment_id).update(
        kind=kind, repeat_of=repeat_of, available_at=reading.created_at
    )
    assert client.get(reverse("api-reading", args=[reading.uid])).json()["adjudication"] is None


def test_an_adjudicator_sees_earlier_readings_by_the_sides_shown_now(reading: Reading) -> None:
    theirs = Reading.objects.exclude(pk=reading.pk).get()
    Assignment.objects.filter(pk=reading.assignment_id).update(kind=Assignment.Kind.ADJUDICATION)
    ReaderStudy.objects.update(adjudication=ReaderStudy.Adjudication.CONSENSUS)
    swapped = reading.completion_a_id != theirs.completion_a_id
    answer = as_reader(reading).get(reverse("api-reading", args=[reading.uid]))
    shown = answer.json()["adjudication"]
    assert shown["kind"] == "consensus"
    (earlier,) = shown["readings"]
    assert earlier["label"] == "Reader 1"
    assert earlier["votes"] == [{"kind": "overall", "side": "a" if swapped else "b"}]
    assert OTHER_WORDS in json.dumps(earlier)
    assert len(earlier["step_ratings"]) == 4
    assert reader_of(theirs).pseudonym not in answer.content.decode()
    assert str(reader_of(theirs).uid) not in answer.content.decode()

    Reading.objects.filter(pk=reading.pk).update(
        completion_a=reading.completion_b, completion_b=reading.completion_a
    )
    turned = as_reader(reading).get(reverse("api-reading", args=[reading.uid])).json()["adjudication"]
    assert turned["readings"][0]["votes"] == [{"kind": "overall", "side": "b" if swapped else "a"}]

    Reading.objects.filter(pk=reading.pk).update(asks_first_read=True)
    blind = as_reader(reading).get(reverse("api-reading", args=[reading.uid])).json()
    assert (blind["stage"], blind["adjudication"]) == ("first_read", None)


def test_an_open_reading_of_another_is_shown_to_no_adjudicator(reading: Reading) -> None:
    change(reading, CastVote(Vote.Side.A))
    theirs = Reading.objects.exclude(pk=reading.pk).get()
    Assignment.objects.filter(pk=reading.assignment_id).update(kind=Assignment.Kind.ADJUDICATION)
    third = ExpertFactory.create()
    open_one = Assignment.objects.create(case=reading.assignment.case, reader=third, position=9)
    Reading.objects.create(
        assignment=open_one, completion_a=theirs.completion_a, completion_b=theirs.completion_b
    )
    shown = as_reader(reading).get(reverse("api-reading", args=[reading.uid])).json()["adjudication"]
    assert [earlier["label"] for earlier in shown["readings"]] == ["Reader 1"]
    assert ModelVersion.objects.get().name == MODEL


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"title": "DeepMedix-R1 against Qwen2.5-VL"}, "The text of the title names a model"),
        ({"instructions": "Rate what GPT-4o says."}, "The text of the instructions names a model"),
        ({"first_read_choices": ["normal", "as Zebrafish 9X says"]}, "says” names a model"),
    ],
)
def test_no_reader_study_starts_that_tells_its_readers_the_model(
    reading: Reading, fields: dict[str, Any], sentence: str
) -> None:
    draft = StudyDraft(**({"title": "Round 3"} | fields))
    assert any(sentence in said for said in find_unready(draft))
    assert not any("names a model" in said for said in find_unready(StudyDraft(title="Round 3")))
