"""Completions that were made elsewhere come in whole or not at all, and are read and rated as any."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.comparing.selectors import same_case
from deepmedix_review.reasoning.models import Completion, Region
from deepmedix_review.reasoning.recorded import NOT_HERE, NOT_READY, import_recorded, read_file
from deepmedix_review.reasoning.tasks import request_inference
from deepmedix_review.registry.models import ModelJob, ModelVersion
from deepmedix_review.registry.services import promote
from deepmedix_review.registry.tasks import request_check
from deepmedix_review.registry.wanted import WantedVersion
from deepmedix_review.studies.models import Study
from inference.recorded import LONGEST_MODEL
from tests.factories.accounts import AdminFactory, ResearcherFactory
from tests.factories.learning import film, said
from tests.factories.registry import ModelVersionFactory

MAIRA = WantedVersion("maira-2")
TEXT = "<obj>The heart is large<box><x10><y20><x50><y60></box></obj> No effusion."


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "outputs.jsonl"
    lines = [json.dumps({"model": "MAIRA-2", "text": TEXT, **row}) for row in rows]
    path.write_text("\n".join(lines))
    return path


def brought(path: Path, **said: Any) -> ModelVersion:
    wanted = {"model": "", "wanted": MAIRA, "leaves_out": False, "actor": None, **said}
    return import_recorded(path, called=path.name, **wanted).version


@pytest.mark.django_db
def test_a_film_is_found_by_every_name_that_it_has_here(tmp_path: Path) -> None:
    films = [film(seed) for seed in range(1, 7)]
    names = [
        str(films[0].uid),
        films[1].sop_instance_uid,
        f"{films[2].study.label}.png",
        str(films[3].study.uid),
        films[4].study.study_instance_uid,
        f"{films[5].uid.hex}.dcm",
    ]
    path = written(tmp_path, *({"image": name} for name in names))
    read = read_file(path, called="outputs", model="")
    assert [one.pk for one, _ in read.matched] == [one.pk for one in films]
    assert read.unmatched == []


@pytest.mark.django_db
def test_what_was_answered_in_another_language_is_named_unless_it_was_asked_in_one(tmp_path: Path) -> None:
    label = film(1).study.label
    text = "El corazón es de tamaño normal."
    asked = {"question": "¿Es normal el tamaño del corazón en esta imagen?"}
    brought(written(tmp_path, {"image": label, "text": text}, {"image": label, "text": text, **asked}))
    told = dict(Completion.objects.values_list("prompt", "problems"))
    assert told == {"": ["foreign_answer"], asked["question"]: []}


@pytest.mark.django_db
def test_they_are_a_version_whose_regions_lie_on_the_film_and_which_nobody_can_ask(tmp_path: Path) -> None:
    one = film(1)
    path = written(tmp_path, {"image": one.study.label}, {"image": one.study.label, "text": "No box."})
    researcher = ResearcherFactory.create()
    version = brought(path, actor=researcher)
    assert (version.source, version.name, version.dialect) == ("recorded", "MAIRA-2", "maira-2")
    assert list(Completion.objects.order_by("seed").values_list("seed", flat=True)) == [1, 2]
    assert not Completion.objects.filter(job__isnull=False).exists()
    region = Region.objects.get()
    side = min(one.columns, one.rows)
    assert region.x_max - region.x_min == pytest.approx(0.4 * side)
    assert AuditEvent.objects.filter(action="record_completion").count() == 2
    for act in (
        lambda: request_inference(study=one.study, actor=None, version=version),
        lambda: promote(version, actor=None),
        lambda: request_check(version, kind=ModelJob.Kind.ASK, actor=researcher),
    ):
        with pytest.raises(RefusedByRule, match="can't be asked and can't serve"):
            act()


@pytest.mark.django_db
def test_what_the_file_does_not_tell_is_no_figure_on_any_page(tmp_path: Path, client: Client) -> None:
    one = film(1)
    version = brought(written(tmp_path, {"image": one.study.label}))
    client.force_login(ResearcherFactory.create())
    of_study = client.get(reverse("inference-fragment", args=[one.study.uid])).content.decode()
    assert "not told: it was made elsewhere" in of_study
    assert "Question not recorded: it was made elsewhere." in of_study
    assert Completion.objects.get().query not in of_study
    told = client.get(reverse("api-model", args=[version.uid])).json()
    assert (told["temperature"], told["max_new_tokens"]) == (None, None)
    assert "temperature" not in of_study
    of_version = client.get(reverse("model-detail", args=[version.uid])).content.decode()
    assert "temperature" not in of_version
    assert "at most 256 tokens" not in of_version
    assert (version.licence, version.limits) == ("not told", "")
    other = ModelVersionFactory.create(number=700)
    said(one, TEXT, model_version=other)
    figures = {row.name: row for row in same_case(version, other, one.study).figures}
    assert (figures["Temperature"].a, figures["Temperature"].b) == ("not told", "0.7")
    assert not any(figures[name].differs for name in ("Temperature", "Seconds", "Tokens"))
    wanted = replace(MAIRA, name="Theirs", licence="CC-BY-4.0", limits="Name them.")
    path = written(tmp_path, {"image": one.study.label, "text": "No box."})
    named = brought(path, wanted=wanted)
    assert (named.licence, named.limits) == ("CC-BY-4.0", "Name them.")


@pytest.mark.django_db
def test_what_matches_no_film_is_named_and_nothing_is_half_stored(tmp_path: Path) -> None:
    one, held = film(1), film(2)
    Study.objects.filter(pk=held.study.pk).update(state=Study.State.HELD)
    names = (one.study.label, held.study.label, "S-00000000", "elsewhere/7.png", "elsewhere/7.png")
    path = written(tmp_path, *({"image": name} for name in names))
    read = read_file(path, called="outputs", model="")
    assert {(row.image, row.reason, row.number) for row in read.unmatched} == {
        (held.study.label, NOT_READY, 1),
        ("S-00000000", NOT_HERE, 1),
        ("elsewhere/7.png", NOT_HERE, 2),
    }
    with pytest.raises(RefusedByRule, match="4 of 5 completions match no film, so none"):
        brought(path)
    assert not ModelVersion.objects.exists()
    version = brought(path, leaves_out=True)
    assert Completion.objects.get().study == one.study
    Study.objects.filter(pk=held.study.pk).update(state=Study.State.READY)
    assert brought(path, leaves_out=True) == version
    assert Completion.objects.filter(model_version=version).count() == 2
    only = written(tmp_path, {"image": "nothing"})
    with pytest.raises(RefusedByRule, match="No completion matches a film"):
        brought(only, leaves_out=True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"image": "a"}', "line 2 has no model"),
        ("nonsense", "line 2 is no JSON"),
        ('{"image": "a", "model": "MAIRA-2", "text": "", "seed": -1}', "line 2: seed is not from 0"),
        ('{"image": "a", "model": "MAIRA-2", "text": "\\u0000"}', "line 2: text holds the sign NUL"),
        (f'{{"image": "a", "model": "{"x" * 201}", "text": ""}}', "line 2: model has over 200 characters"),
        ('{"image": "a", "model": "Other", "text": ""}', "holds completions of MAIRA-2, Other. Name one"),
    ],
)
def test_one_bad_line_refuses_the_whole_file(tmp_path: Path, line: str, sentence: str) -> None:
    path = written(tmp_path, {"image": film(1).study.label})
    path.write_text(path.read_text() + "\n" + line)
    with pytest.raises(RefusedByRule, match=sentence):
        brought(path)
    assert not ModelVersion.objects.exists()
    assert not Completion.objects.exists()


@pytest.mark.django_db
def test_a_researcher_checks_and_imports_on_the_page(tmp_path: Path, client: Client) -> None:
    one = film(1)
    content = written(tmp_path, {"image": one.study.label}, {"image": "<b>gone</b>"}).read_bytes()

    def send(**said: str) -> Any:
        file = SimpleUploadedFile("outputs.jsonl", content)
        return client.post(reverse("model-import"), {"file": file, "preset": "maira-2", **said})

    client.force_login(AdminFactory.create())
    assert send().status_code == 403
    client.force_login(ResearcherFactory.create())
    part = client.post(
        reverse("model-import"),
        {"file": SimpleUploadedFile("outputs.jsonl", content), "preset": "maira-2", "check": "1"},
        headers={"HX-Request": "true"},
    ).content.decode()
    assert "1 completion of 1 film" in part
    assert "<form" not in part
    bad = client.post(
        reverse("model-import"), {"preset": "maira-2", "check": "1"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert "File: This field is required." in bad
    assert not ModelVersion.objects.exists()
    page = send(check="1").content.decode()
    assert "&lt;b&gt;gone&lt;/b&gt;" in page
    assert "1 completion of 1 film" in page
    assert "1 of 2 completions match no film" in send().content.decode()
    assert not ModelVersion.objects.exists()
    answer = send(leaves_out="on")
    version = ModelVersion.objects.get()
    assert answer.url == reverse("model-detail", args=[version.uid])
    assert "1 completion of MAIRA-2, recorded elsewhere" in client.get(answer.url).content.decode()


@pytest.mark.django_db
def test_a_check_tells_of_lines_that_repeat_one_before_them(
    tmp_path: Path, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = film(1), film(2)
    names = (one.study.label, one.study.label, f"{one.study.label}.png", other.study.label)
    rows = [{"image": name} for name in names]
    path = written(tmp_path, *rows, {"image": one.study.label, "text": "Clear."})
    sentence = "2 lines repeat a line before them word for word: they become further samples."
    call_command("import_completions", str(path), "--preset", "maira-2", "--check")
    assert sentence in capsys.readouterr().out
    client.force_login(ResearcherFactory.create())
    file = SimpleUploadedFile("outputs.jsonl", path.read_bytes())
    sent = {"file": file, "preset": "maira-2", "check": "1"}
    assert sentence in client.post(reverse("model-import"), sent).content.decode()
    asked = {"lines": path.read_text(), "preset": "maira-2", "check": True}
    told = client.post(reverse("api-recorded-completions"), asked, content_type="application/json").json()
    assert (told["num_matched"], told["num_repeated"]) == (5, 2)
    assert read_file(written(tmp_path, *rows[:2]), called="", model="").repeats.startswith("1 line repeats")
    assert read_file(written(tmp_path, rows[0]), called="", model="").repeats == ""
    assert ModelVersion._meta.get_field("served_model").max_length == LONGEST_MODEL


@pytest.mark.django_db
def test_a_program_and_a_command_do_the_same(
    tmp_path: Path, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, {"image": film(1).study.label}, {"image": "gone"})
    with pytest.raises(CommandError, match="match no film"):
        call_command("import_completions", str(path), "--preset", "maira-2")
    assert f"gone: {NOT_HERE}" in capsys.readouterr().out
    call_command("import_completions", str(path), "--preset", "maira-2", "--check")
    assert not ModelVersion.objects.exists()
    client.force_login(ResearcherFactory.create())
    asked = {"lines": path.read_text(), "preset": "maira-2", "check": True}
    address = reverse("api-recorded-completions")
    told = client.post(address, asked, content_type="application/json")
    assert (told.status_code, told.json()["num_matched"], told.json()["version"]) == (200, 1, None)
    refused = client.post(address, {**asked, "check": False}, content_type="application/json")
    assert refused.status_code == 409
    done = client.post(
        address, {**asked, "check": False, "leaves_out": True}, content_type="application/json"
    )
    assert (done.status_code, done.json()["num_new"]) == (201, 1)
    call_command("import_completions", str(path), "--preset", "maira-2", "--leave-out")
    assert "0 completions are new" in capsys.readouterr().out
    assert Completion.objects.count() == 1


@pytest.mark.django_db
def test_the_question_that_was_asked_is_shown_where_the_file_tells_it(tmp_path: Path, client: Client) -> None:
    one = film(1)
    brought(written(tmp_path, {"image": one.study.label, "question": "Where is the <tube>?"}))
    client.force_login(ResearcherFactory.create())
    page = client.get(reverse("inference-fragment", args=[one.study.uid])).content.decode()
    assert "Where is the &lt;tube&gt;?" in page
    assert "not recorded" not in page
    with pytest.raises(RefusedByRule, match="question is no text of at most 2000 characters"):
        brought(written(tmp_path, {"image": one.study.label, "question": "x" * 2001}))
