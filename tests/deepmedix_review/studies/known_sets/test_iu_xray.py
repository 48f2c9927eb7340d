"""Indiana University's films, in a small folder laid out as Open-i's archives unpack; reports are made up."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies.known_sets.iu_xray import MAX_XML_BYTES
from deepmedix_review.studies.models import ImportItem, Instance, Reference, SourceDataset, Study
from tests.deepmedix_review.studies.known_sets.made_sets import brought_in, write_picture

pytestmark = pytest.mark.django_db

LAYOUT = "iu-xray"
TEXTS = {
    "COMPARISON": "None.",
    "INDICATION": "Positive test XXXX.",
    "FINDINGS": "There are no XXXX of an effusion &amp; no edema.",
    "IMPRESSION": "Normal chest x-XXXX.",
}


def write_report(
    folder: Path,
    name: str,
    number: str,
    *,
    images: Sequence[str] = (),
    texts: dict[str, str] | None = None,
    major: Sequence[str] = ("normal",),
) -> None:
    parts = "".join(
        f'<AbstractText Label="{label}">{said}</AbstractText>' for label, said in (texts or {}).items()
    )
    films = "".join(
        f'<parentImage id="{image}"><caption>Xray Chest PA and Lateral</caption></parentImage>'
        for image in images
    )
    terms = "".join(f"<major>{term}</major>" for term in major)
    (folder / "ecgen-radiology").mkdir(parents=True, exist_ok=True)
    (folder / "ecgen-radiology" / name).write_text(
        f'<?xml version="1.0" encoding="utf-8"?>\n<eCitation><uId id="{number}"/>'
        f"<MedlineCitation><Article><Abstract>{parts}</Abstract></Article></MedlineCitation>"
        f"<MeSH>{terms}<automatic>edema</automatic></MeSH>{films}</eCitation>"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study of two films with a report, and one of one film whose report says little."""
    folder = tmp_path / "openi"
    films = ("CXR1_1_IM-0001-3001", "CXR1_1_IM-0001-4001", "CXR10_IM-0002-1001")
    for seed, name in enumerate(films, start=1):
        write_picture(folder / "NLMCXR_png" / f"{name}.png", seed=seed)
    write_report(folder, "1.xml", "CXR1", images=films[:2], texts=TEXTS)
    major = ("Cardiomegaly/mild", "Opacity/lung/base/left", "Cardiomegaly/mild")
    write_report(folder, "10.xml", "CXR10", images=films[2:], texts={"FINDINGS": ""}, major=major)
    return folder


def test_a_report_is_a_study_with_its_films_texts_and_hand_made_terms(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "Indiana University chest X-rays (Open-i): 2 studies. Films: 3 accepted, 0 held" in told
    first, other = Study.objects.order_by("pk")
    assert first.patient_pseudonym != other.patient_pseudonym
    assert (first.study_date, first.patient_sex) == (None, "")
    assert [study.series.get().instances.count() for study in (first, other)] == [2, 1]
    kept = first.reference
    assert kept.indication == "Positive test XXXX."
    assert kept.findings == "There are no XXXX of an effusion & no edema."
    assert (kept.impression, kept.report) == ("Normal chest x-XXXX.", "")
    assert (kept.labels, kept.published_split) == ({"normal": "present"}, "")
    assert other.reference.labels == {"Cardiomegaly/mild": "present", "Opacity/lung/base/left": "present"}
    assert (other.reference.findings, other.reference.impression) == ("", "")
    source = SourceDataset.objects.get()
    assert "CC BY-NC-ND 4.0" in source.licence
    assert not source.is_credentialed


def test_the_same_again_finds_nothing_new(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    brought_in(LAYOUT, folder, capsys, text_free=True)
    before = (ImportItem.objects.count(), AuditEvent.objects.count())
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "3 here already. New references: 0." in told
    assert "Nothing new" in told
    assert (ImportItem.objects.count(), AuditEvent.objects.count()) == before


def test_films_beside_the_reports_do_as_well(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in folder.glob("NLMCXR_png/*.png"):
        path.rename(folder / path.name)
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "Films: 3 accepted" in told


def test_what_is_broken_is_told_by_its_file_and_the_rest_comes_in(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = write_picture(folder / "NLMCXR_png" / "CXR20_IM-0003-1001.png", seed=20)
    write_picture(folder.parent / "outside.png", seed=21)
    write_report(folder, "2.xml", "CXR2", texts=TEXTS)
    write_report(folder, "3.xml", "CXR3", images=["gone", "../../outside"], texts=TEXTS)
    write_report(folder, "11.xml", "CXR10", images=[image.stem])
    write_report(folder, "5.xml", "", images=[image.stem])
    terms = ("x" * 100, "Edema", "No Indexing")
    write_report(folder, "20.xml", "CXR20", images=[image.stem, "gone", image.stem], major=terms)
    (folder / "ecgen-radiology" / "6.xml").write_text("<eCitation><uId")
    (folder / "ecgen-radiology" / "7.xml").write_text("<html><uId id='CXR7'/></html>")
    told = brought_in(LAYOUT, folder, capsys, fails=True, text_free=True)
    for line in (
        "ecgen-radiology/2.xml: It names no picture.",
        "ecgen-radiology/3.xml: Its picture 1 is not there.",
        "ecgen-radiology/3.xml: Its picture 2 is not there.",
        "ecgen-radiology/5.xml: It is no eCitation with a uId.",
        "ecgen-radiology/6.xml: It can't be read as XML",
        "ecgen-radiology/7.xml: It is no eCitation with a uId.",
        "ecgen-radiology/11.xml: An earlier report has the same number.",
        "ecgen-radiology/20.xml: Its picture 2 is not there.",
        "ecgen-radiology/20.xml: One of its findings has too long a name",
    ):
        assert line in told, line
    assert "Left, as said above: 9 rows" in told
    assert (Study.objects.count(), Instance.objects.count()) == (3, 4)
    assert Reference.objects.filter(labels={"Edema": "present"}).count() == 1


def test_xml_that_declares_entities_or_is_far_too_large_or_deep_harms_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = folder.parent / "secret.txt"
    secret.write_text("top secret")
    reports, image = folder / "ecgen-radiology", "CXR1_1_IM-0001-3001"
    body = (
        f'<eCitation><uId id="CXR2"/><AbstractText>&a;</AbstractText><parentImage id="{image}"/></eCitation>'
    )
    (reports / "2.xml").write_text(f'<!DOCTYPE a [<!ENTITY a SYSTEM "{secret.as_uri()}">]>{body}')
    bomb = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("zyxwvut", "yxwvuta", strict=True))
    (reports / "3.xml").write_text(f'<!DOCTYPE a [<!ENTITY z "lol">{bomb}]>{body}')
    (reports / "4.xml").write_bytes(b"<eCitation>" + b" " * MAX_XML_BYTES)
    deep = "<AbstractText>" * 30_000 + "</AbstractText>" * 30_000
    (reports / "5.xml").write_text(f'<eCitation><uId id="CXR5"/>{deep}</eCitation>')
    (reports / "6.xml").write_text("<?xml version='1.0' encoding='nobodys'?><eCitation/>")
    (reports / "7.xml").symlink_to(secret)
    told = brought_in(LAYOUT, folder, capsys, fails=True, text_free=True)
    for name in ("2", "3", "6"):
        assert f"ecgen-radiology/{name}.xml: It can't be read as XML, or it declares" in told, name
    assert "ecgen-radiology/4.xml: It has more than 1 MB and was left." in told
    assert "ecgen-radiology/5.xml: It names no picture." in told
    assert "ecgen-radiology/7.xml: It can't be read." in told
    assert "top secret" not in told
    assert Study.objects.count() == 2


def test_another_layout_is_refused_before_anything_is_stored(folder: Path) -> None:
    def refused(sentence: str, **options: Any) -> None:
        with pytest.raises(CommandError, match=sentence):
            call_command("import_dataset", LAYOUT, folder, **options)
        assert not SourceDataset.objects.exists()
        assert not Study.objects.exists()

    refused("--reports-name-nobody: only for layout table", reports_name_nobody=True)
    for path in (folder / "ecgen-radiology").glob("*.xml"):
        path.write_text("<html/>")
    refused(r"None of the files in ecgen-radiology is a report of this set \(XML, eCitation\)")
    (folder / "NLMCXR_png").rename(folder / "pictures")
    refused("PNG files were expected in openi, or in NLMCXR_png in it. There are none.")
    (folder / "ecgen-radiology").rename(folder / "reports")
    refused("ecgen-radiology was expected in openi, with XML files in it. There is none.")
