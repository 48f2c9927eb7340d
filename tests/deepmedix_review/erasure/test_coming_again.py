"""What was erased is refused when it comes in again, by whatever name of it, until an admin lets it in."""

from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure.scope import patient_scope, study_scope
from deepmedix_review.erasure.services import let_in_again
from deepmedix_review.studies.models import ErasedName, ImportItem, Instance, Study
from deepmedix_review.studies.storage import film_path
from tests.deepmedix_review.erasure.an_erasure import erased
from tests.deepmedix_review.studies.masking.a_masking import ask, masked
from tests.factories.studies import receive, write_film

pytestmark = pytest.mark.django_db
OTHER: dict[str, Any] = {
    "StudyInstanceUID": "1.2.3.4",
    "SeriesInstanceUID": "1.2.3.4.5",
    "SOPInstanceUID": "1.2.3.4.5.6",
}


def film(folder: Path, name: str, *, seed: int = 1, **attributes: Any) -> Path:
    return write_film(folder / f"{name}.dcm", seed=seed, **attributes)


def study_of(item: ImportItem) -> Study:
    assert item.instance is not None, item.reason
    return item.instance.study


def test_the_same_study_is_refused_until_an_admin_lets_it_in(admin: User, tmp_path: Path) -> None:
    path = film(tmp_path, "film")
    study = study_of(receive(path, demo=True))
    erasure = erased(study_scope(admin, study.uid), actor=admin)
    again = receive(path, demo=True)
    assert again.outcome == ImportItem.Outcome.REFUSED
    assert again.reason.startswith("This study was erased on ")
    assert not Study.objects.exists()
    # Another film of it, too: the study is what was erased.
    assert receive(film(tmp_path, "more", SOPInstanceUID="1.9.9"), demo=True).outcome == "refused"
    let_in_again(erasure, actor=admin)
    new = study_of(receive(path, demo=True))
    assert new.uid != study.uid
    assert film_path(Instance.objects.get()).is_file()
    with pytest.raises(RefusedByRule, match="may come in again already"):
        let_in_again(erasure, actor=admin)


def test_a_film_is_known_by_what_it_was_before_its_text_was_overwritten(
    admin: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the file with the text goes with it, where no sweep has come to it yet."""
    masked_film = receive(film(tmp_path, "film"), demo=True).instance
    assert masked_film is not None
    original = film_path(masked_film)
    monkeypatch.setattr("deepmedix_review.studies.masking.running.delete_original", lambda masking: None)
    assert masked(masked_film, admin).state == "done"
    assert original.exists()
    erased(study_scope(admin, masked_film.study.uid), actor=admin)
    assert not original.exists()
    assert not original.with_suffix(".png").exists()
    again = receive(film(tmp_path, "copy", PatientID="someone else", **OTHER), demo=True)
    assert again.reason.startswith("This picture was erased on ")


def test_nothing_is_erased_while_text_is_overwritten(admin: User, tmp_path: Path) -> None:
    waiting = receive(film(tmp_path, "film"), demo=True).instance
    assert waiting is not None
    ask(waiting, admin)
    with pytest.raises(RefusedByRule, match="is being overwritten now"):
        erased(study_scope(admin, waiting.study.uid), actor=admin)
    assert film_path(waiting).exists()


def test_the_same_picture_under_other_tags_is_refused(admin: User, tmp_path: Path) -> None:
    study = study_of(receive(film(tmp_path, "film"), demo=True))
    erased(study_scope(admin, study.uid), actor=admin)
    again = receive(film(tmp_path, "copy", PatientID="someone else", **OTHER), demo=True)
    assert again.reason.startswith("This picture was erased on ")


def test_all_of_a_patient_goes_and_no_new_study_of_theirs_comes_in(admin: User, tmp_path: Path) -> None:
    path = film(tmp_path, "first")
    patient = str(dcmread(path).PatientID)
    first = study_of(receive(path, demo=True))
    second = study_of(receive(film(tmp_path, "second", seed=2, PatientID=patient, **OTHER), demo=True))
    other = study_of(receive(film(tmp_path, "other", seed=3), demo=True))
    assert first.patient_pseudonym == second.patient_pseudonym != other.patient_pseudonym
    erasure = erased(patient_scope(admin, first.patient_pseudonym.lower()), actor=admin)
    assert (erasure.state, erasure.patient_pseudonym) == (JobState.DONE, "")
    assert list(Study.objects.all()) == [other]
    new = film(tmp_path, "new", seed=4, PatientID=patient, StudyInstanceUID="1.7")
    assert receive(new, demo=True).reason.startswith("This patient was erased on ")
    # Nothing of what is kept to know them again says who they were.
    for erased_name in ErasedName.objects.all():
        assert erased_name.key not in (first.patient_pseudonym, first.study_instance_uid)


def test_a_twin_stays_as_the_original_and_its_picture_may_come_again(admin: User, tmp_path: Path) -> None:
    study = study_of(receive(film(tmp_path, "film"), demo=True))
    held = [study_of(receive(another(tmp_path, name))) for name in ("3", "4")]
    assert study.label in str(held[0].held_reasons)
    erased(study_scope(admin, study.uid), actor=admin)
    first, second = Instance.objects.order_by("pk")
    assert (first.copy_of, second.copy_of) == (None, first)
    held[0].refresh_from_db()
    assert study.label not in str(held[0].held_reasons)
    assert "stored as an erased study" in str(held[0].held_reasons)
    assert film_path(first).is_file()
    again = receive(another(tmp_path, "3"))
    assert again.outcome == ImportItem.Outcome.DUPLICATE


def another(folder: Path, name: str) -> Path:
    """The same picture as of another patient."""
    return film(folder, name, PatientID=name, StudyInstanceUID=f"1.{name}", SOPInstanceUID=f"2.{name}")
