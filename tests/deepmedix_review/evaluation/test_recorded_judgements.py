"""Judgements that were made elsewhere come onto the platform's boards by the page, the JSON interface and the
command, as rows of the one table."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.arena.services import make_run
from deepmedix_review.evaluation.arena.wanted import RecordedFile, WantedRun
from deepmedix_review.evaluation.models import ArenaRun, Battle, Judgement
from deepmedix_review.evaluation.tasks import request_arena_again, run_arena
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Reference
from tests.deepmedix_review.evaluation.test_arena import carried_out, judge, signed_votes, versions
from tests.factories.accounts import ResearcherFactory
from tests.factories.arena import URL
from tests.factories.reasoning import CompletionFactory
from tests.rl_feedback.evaluation.arena.judged import verdict

__all__ = ["judge", "versions"]
pytestmark = pytest.mark.django_db
Line = dict[str, Any]


@pytest.fixture(autouse=True)
def nobody_is_asked(monkeypatch) -> None:
    def refuse(settings: object) -> None:
        raise AssertionError("Recorded judgements ask nobody.")

    monkeypatch.setattr("deepmedix_review.evaluation.tasks.load_engine", refuse)


@pytest.fixture
def researcher(client):
    user = ResearcherFactory.create()
    client.force_login(user)
    return user


def better_of(one: Completion, other: Completion) -> str:
    first, second = ("nodule" in completion.answer for completion in (one, other))
    return "tie" if first == second else "A" if first else "B"


def lines_of(versions: Sequence[ModelVersion], says: Callable[..., str] = better_of) -> list[Line]:
    """Of every film and pair both orders, the film by its SOP Instance UID."""
    found = []
    for one in Completion.objects.filter(model_version__in=versions).order_by("pk"):
        others = Completion.objects.filter(instance=one.instance, model_version__in=versions)
        found += [
            {
                "case": one.instance.sop_instance_uid,
                "first": str(one.model_version),
                "second": str(other.model_version),
                "text": verdict(says(one, other)),
            }
            for other in others.exclude(model_version=one.model_version)
        ]
    return found


def written(folder: Path, lines: Iterable[Line]) -> RecordedFile:
    path = folder / "judged.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return RecordedFile(path, path.name)


def asked(versions: Sequence[ModelVersion], file: RecordedFile, **fields) -> WantedRun:
    return WantedRun(title="Brought in", versions=versions, served_model="GPT-5", recorded=file, **fields)


def brought_in(versions: Sequence[ModelVersion], file: RecordedFile, **fields) -> ArenaRun:
    run = make_run(asked(versions, file, **fields), actor=ResearcherFactory.create())
    run_arena(run.pk)
    run.refresh_from_db()
    return run


def order_of(run: ArenaRun) -> list[str]:
    return [row["model"].split()[1] for row in run.board["judges"]["rows"]]


def test_recorded_judgements_make_the_board_that_the_same_judge_would_make_when_asked(
    versions, judge, tmp_path, monkeypatch
) -> None:
    run = brought_in(versions, written(tmp_path, lines_of(versions)))
    assert (run.state, run.num_judged, run.num_wanted) == (JobState.DONE, 36, 36)
    assert order_of(run) == ["good", "middling", "bad"]
    assert run.judge.startswith("GPT-5 recorded ")
    told = run.judgements.order_by("pk")
    assert told.count() == Judgement.objects.count() == 72
    assert set(told.values_list("kind", "num_requests", "num_tokens")) == {("model", 0, 0)}
    assert told[0].criteria["location"]["reason"] == "Because."
    monkeypatch.setattr("deepmedix_review.evaluation.tasks.load_engine", lambda settings: judge)
    by_server = carried_out(versions, num_wanted=100)
    ratings = [row["rating"] for row in by_server.board["judges"]["rows"]]
    assert [row["rating"] for row in run.board["judges"]["rows"]] == ratings
    # What was recorded is nobody's answer but its own judge's.
    assert len(judge.prompts) == 72


def test_a_verdict_stands_for_its_own_film_though_texts_are_alike_elsewhere(versions, tmp_path) -> None:
    good, _, bad = versions
    Completion.objects.filter(model_version=good).update(answer="A nodule.")
    Completion.objects.filter(model_version=bad).update(answer="Clear.")
    said = iter(["A", "B"] * 12)
    lines = lines_of([good, bad], lambda one, other: next(said) if one.model_version == good else "tie")
    run = brought_in([good, bad], written(tmp_path, lines))
    firsts = run.judgements.filter(is_left_first=True).order_by("battle__left")
    assert list(firsts.values_list("verdict", flat=True)) == ["first", "second"] * 6


def test_a_line_names_its_pair_by_the_battle_or_by_any_name_of_the_film_and_its_study(
    versions, tmp_path
) -> None:
    good, middling, bad = versions
    left, right = (Completion.objects.filter(model_version=one).earliest("pk") for one in (good, bad))
    battle = Battle.objects.create(left=left, right=right, study=left.study)
    film, study = left.instance, left.study
    of_one = {"better": "second", "reason": "It names the nodule."}
    every = ("findings", "omissions", "location", "severity", "wording")
    told = {"verdict": "first", "criteria": dict.fromkeys(every, of_one)}
    lines: list[Line] = [
        {"battle": str(battle.uid), "first": str(bad), **told},
        {"case": str(film.uid), "first": str(good.uid), "second": f"{bad} bad", **told},
        {"case": study.label, "first": str(good), "second": str(middling), **told},
        {"case": study.study_instance_uid, "first": str(middling), "second": str(good), **told},
        {"case": str(study.uid), "first": str(bad), "second": str(middling), "question": left.query, **told},
    ]
    run = brought_in(versions, written(tmp_path, lines))
    assert run.judgements.count() == 5
    assert (run.num_wanted, run.board["num_one_order"], run.board["num_flipped"]) == (3, 1, 2)
    first = run.judgements.get(battle=battle, is_left_first=False)
    assert (first.verdict, first.criteria["wording"]["better"]) == ("first", "second")


def test_what_matches_no_pair_refuses_the_file_or_is_left_out(versions, tmp_path) -> None:
    good, _, bad = versions
    another = CompletionFactory.create(
        instance=Completion.objects.earliest("pk").instance, model_version=good, query="Side?", answer="Left."
    )
    CompletionFactory.create(instance=another.instance, model_version=bad, query="Side?", answer="Right.")
    case, text = another.instance.sop_instance_uid, verdict("A")
    pair = {"first": str(good), "second": str(bad), "text": text}
    lines: list[Line] = [
        {"case": "S-00000000", **pair},
        {"case": case, **pair, "second": "v999"},
        {"case": case, **pair, "second": str(good)},
        {"case": case, **pair},
        {"battle": "no key", "first": str(good), "text": text},
        {"case": case, **pair, "question": "Side?"},
    ]
    actor = ResearcherFactory.create()
    with pytest.raises(RefusedByRule) as refusal:
        make_run(asked(versions, written(tmp_path, lines)), actor=actor)
    for said in (
        "5 of 6 judgements match no pair",
        "line 1: on no study or film of this name",
        "line 2: it names a version that is not among",
        "line 3: it names one version twice",
        "line 4: the two met more than once there",
        "line 5: there is no battle of this key",
        "have them left out",
    ):
        assert said in str(refusal.value)
    assert not ArenaRun.objects.exists()
    file = written(tmp_path, lines)
    run = brought_in(versions, RecordedFile(file.path, file.called, leaves_out=True))
    assert (run.judgements.count(), run.num_wanted) == (1, 1)
    with pytest.raises(RefusedByRule, match=r"1 of 1 judgements .* Correct them\.$"):
        make_run(asked(versions, RecordedFile(written(tmp_path, lines[:1]).path, "x", True)), actor=actor)


def test_rubbish_is_invalid_and_never_a_tie_and_a_later_line_is_a_further_try(versions, tmp_path) -> None:
    lines = lines_of(versions)
    lines[0]["text"] = "No idea."
    lines[1]["text"] = "Let me think."
    lines.append({**lines[1], "text": verdict("B")})
    run = brought_in(versions, written(tmp_path, lines))
    assert (run.state, run.board["num_invalid"], run.num_judged) == (JobState.DONE, 1, 36)
    assert set(run.judgements.exclude(problem="").values_list("verdict", "text")) == {("invalid", "No idea.")}
    assert run.judgements.filter(verdict="second").exists()


def test_it_goes_on_with_new_votes_and_keeps_verdicts_though_references_change(tmp_path) -> None:
    older, newer = signed_votes(["a"] * 3)
    run = brought_in([older, newer], written(tmp_path, lines_of([older, newer], lambda one, other: "A")))
    assert run.board["against_experts"][0]["num_battles"] == 3
    assert run.board["num_flipped"] == 3
    for completion in Completion.objects.filter(model_version=older):
        Reference.objects.create(study=completion.study, impression="A nodule.")
    request_arena_again(run, actor=run.requested_by, num_wanted=500, limits={"most_requests": 1})
    run_arena(run.pk)
    run.refresh_from_db()
    assert (run.state, run.num_wanted, run.limits, run.num_judged) == (JobState.DONE, 3, {}, 3)


def test_the_same_file_twice_is_kept_once_and_another_file_is_another_judge(versions, tmp_path) -> None:
    lines = lines_of(versions)
    first = brought_in(versions, written(tmp_path, lines))
    second = brought_in(versions, written(tmp_path, lines))
    assert second.board == first.board
    assert Judgement.objects.count() == 72
    other = brought_in(versions, written(tmp_path, lines[:40]))
    assert other.judge != first.judge
    assert Judgement.objects.count() == 112


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"served_model": ""}, "Say whose judgements these are"),
        ({"url": URL}, "Name one judge"),
        ({"key_name": "x"}, "A key file is for a model server"),
        ({"revision": "x" * 100}, "revision is too long"),
    ],
)
def test_what_can_not_be_brought_in_is_refused_with_the_way_out(versions, tmp_path, fields, says) -> None:
    wanted = WantedRun(
        **{
            "title": "Brought in",
            "versions": versions,
            "served_model": "GPT-5",
            "recorded": written(tmp_path, lines_of(versions)),
            **fields,
        }
    )
    with pytest.raises(RefusedByRule, match=says):
        make_run(wanted, actor=ResearcherFactory.create())
    assert not Judgement.objects.exists()


def test_too_much_is_refused_before_it_is_kept(versions, tmp_path, settings, monkeypatch) -> None:
    file, actor = written(tmp_path, lines_of(versions)), ResearcherFactory.create()
    monkeypatch.setattr("deepmedix_review.evaluation.arena.recorded.MOST_JUDGEMENTS", 10)
    with pytest.raises(RefusedByRule, match="holds 72 judgements; at most 10"):
        make_run(asked(versions, file), actor=actor)
    settings.MAX_RECORDED_BYTES = 100
    with pytest.raises(RefusedByRule, match="is larger than"):
        make_run(asked(versions, file), actor=actor)


def test_the_database_holds_that_a_judge_is_asked_in_one_way(versions) -> None:
    owner = ResearcherFactory.create()
    for fields in (
        {"judged_by": "server", "served_model": "x"},
        {"judged_by": "recorded"},
        {"judged_by": "version", "served_model": "x"},
        {"judged_by": "experts", "served_model": "x"},
        {"judged_by": "recorded", "served_model": "x", "judge_version": versions[0]},
    ):
        with pytest.raises(IntegrityError, match="asked_in_one_way"), transaction.atomic():
            ArenaRun.objects.create(
                title="x", prompt_version="arena-1", num_wanted=1, requested_by=owner, **fields
            )


def text_of(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_a_file_is_brought_in_by_the_page_and_its_pages_say_that_it_was_judged_elsewhere(
    client, researcher, versions, tmp_path
) -> None:
    lines = lines_of(versions)
    said = {
        "title": "Round 1",
        "versions": [version.pk for version in versions],
        "served_model": "GPT-5",
        "num_wanted": 200,
    }
    content = written(tmp_path, [*lines, {**lines[0], "case": "nowhere"}]).path.read_bytes()
    page = text_of(client.post(reverse("arena-list"), {**said, "recorded": upload(content)}))
    assert "1 of 73 judgements match no pair" in page
    assert 'value="GPT-5"' in page
    response = client.post(reverse("arena-list"), {**said, "recorded": upload(content), "leaves_out": "on"})
    run = ArenaRun.objects.get()
    assert response.url == reverse("arena-run", args=[run.uid])
    run_arena(run.pk)
    page = text_of(client.get(response.url))
    assert "Judgements made elsewhere, by GPT-5 recorded" in page
    assert "What this judge was given, and in what words it was asked, is not known here." in page
    assert "36 of 36 battles" in page
    assert "Asked of the judge so far" not in page
    assert "Requests a minute" not in page
    battle = Battle.objects.earliest("pk")
    page = text_of(client.get(reverse("arena-battle", args=[run.uid, battle.uid])))
    assert "It judged elsewhere" in page
    assert "Prompt arena-1" not in page
    assert '<th scope="row">Asked</th>' not in page
    assert "Because." in page
    answer = client.get(reverse("arena-run-file", args=[run.uid, "battles.csv"]))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert len(rows) == 72
    assert {(row["prompt_version"], row["requests"], row["cost"]) for row in rows} == {("", "", "")}


def upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("judged.jsonl", content)


def test_a_page_whose_disk_is_full_says_so(client, researcher, versions, tmp_path, monkeypatch) -> None:
    def full(folder: object, *, num_bytes: int) -> None:
        raise OSError("full")

    monkeypatch.setattr("deepmedix_review.studies.uploads.require_room", full)
    content = written(tmp_path, lines_of(versions)).path.read_bytes()
    said = {"title": "x", "versions": [one.pk for one in versions], "recorded": upload(content)}
    assert "The disk is full." in text_of(client.post(reverse("arena-list"), said))
    assert not ArenaRun.objects.exists()


def test_programs_send_judgements_along(client, researcher, versions, tmp_path) -> None:
    lines = written(tmp_path, lines_of(versions)).path.read_text()
    wanted = {
        "title": "By a program",
        "versions": [str(version.uid) for version in versions],
        "served_model": "GPT-5",
        "recorded": lines,
    }
    told = client.post("/api/arena/", wanted, content_type="application/json")
    assert told.status_code == 202
    assert (told.json()["judged_by"], told.json()["prompt_version"]) == ("recorded", "")
    run_arena(ArenaRun.objects.get().pk)
    whole = client.get(f"/api/arena/{told.json()['uid']}/").json()
    assert (whole["num_judged"], whole["board"]["judges"]["num_battles"]) == (36, 36)
    refused = client.post("/api/arena/", {**wanted, "recorded": "x"}, content_type="application/json")
    assert (refused.status_code, "line 1 is no JSON" in str(refused.json())) == (409, True)


def test_the_command_brings_a_file_in(versions, tmp_path) -> None:
    file, actor = written(tmp_path, lines_of(versions)), ResearcherFactory.create()
    numbers = [version.number for version in versions]
    options = {"title": "By hand", "judge": "GPT-5", "actor": actor.username}
    call_command("run_arena", *numbers, recorded=file.path, stdout=io.StringIO(), **options)
    assert ArenaRun.objects.get().judgements.count() == 72
    with pytest.raises(CommandError, match="There is no file"):
        call_command("run_arena", *numbers, recorded=tmp_path / "none", **options)
