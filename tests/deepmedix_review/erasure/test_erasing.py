"""A study goes with all that hangs on it, what had used it is named, and nothing else changes."""

from collections.abc import Sequence

import pytest
from django.db import connection

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.audit.selectors import check_chain
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure.previewing import preview
from deepmedix_review.erasure.scope import study_scope
from deepmedix_review.studies.models import Study
from deepmedix_review.studies.storage import film_path
from tests.deepmedix_review.erasure.an_erasure import a_used_study, erased, rows_that_lead_to
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db


def test_nothing_leads_to_an_erased_study_and_what_leads_to_others_stays(admin: User) -> None:
    used = a_used_study(admin)
    before = dict(rows_that_lead_to(used.study))
    others_before = dict(rows_that_lead_to(used.other))
    # What is not made here is not tried: every table has a row that leads to it.
    tables = {way.partition(" ")[0] for way in before}
    with_rows = {way.partition(" ")[0] for way, num in before.items() if num}
    assert tables == with_rows
    near = InstanceFactory.create(near_to=used.film)
    shown = preview(study_scope(admin, used.study.uid))
    assert all(path.is_file() for path in used.files)

    erasure = erased(study_scope(admin, used.study.uid), actor=admin)

    assert (erasure.state, erasure.error) == (JobState.DONE, "")
    assert {table for table, num in rows_that_lead_to(used.study) if num} == set()
    near.refresh_from_db()
    assert near.near_to is None
    assert dict(rows_that_lead_to(used.other)) == others_before
    assert not any(path.exists() for path in used.files)
    assert all(
        film_path(film).is_file() for series in used.other.series.all() for film in series.instances.all()
    )
    assert erasure.found == erasure.gone == shown.counts
    assert shown.num_files == erasure.num_files
    assert [(use.kind, use.uid) for kind in shown.uses for use in kind.uses] == list(
        erasure.uses.values_list("kind", "uid")
    )


def test_the_audit_record_stays_whole_and_tells_of_it_by_no_name_of_the_patient(admin: User) -> None:
    used = a_used_study(admin)
    erasure = erased(study_scope(admin, used.study.uid), actor=admin)
    assert check_chain().broken_at is None
    events = AuditEvent.objects.filter(subject_uid=str(erasure.uid)).order_by("sequence")
    assert [event.action for event in events] == ["request_erasure", "erase_studies", "delete_erased_files"]
    told = " ".join(str(event.details) for event in events)
    for name in (used.study.study_instance_uid, used.study.patient_pseudonym):
        assert name not in told
    # Who saw its pictures a moment before is not lost.
    assert str(used.film.uid) in str(AuditEvent.objects.get(action="view_pictures").details)


def test_no_table_holds_its_names_afterwards(admin: User) -> None:
    used = a_used_study(admin)
    names = (
        *(used.study.study_instance_uid, used.study.patient_pseudonym, used.film.pixel_sha256),
        # As the PACS calls it.
        f"1.2.{used.film.sop_instance_uid}"[:64],
    )
    before = tables_with(names)
    assert {"studies_study", "studies_instance", "studies_studytopull"} <= before
    erased(study_scope(admin, used.study.uid), actor=admin)
    assert tables_with(names) == set()
    assert not Study.objects.filter(pk=used.study.pk).exists()


def tables_with(names: Sequence[str]) -> set[str]:
    """Tables in whose rows one of these words stands, in whatever column."""
    named = [f"%{name}%" for name in names]
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE ANY(%s)", [named])
            if cursor.fetchone() != (0,):
                found.add(table)
    return found
