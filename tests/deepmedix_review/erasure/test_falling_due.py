"""Which studies fall due when: rules to the microsecond, the shorter of two, and what is kept longer."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.studies.models import (
    ImportBatch,
    ImportItem,
    Keeping,
    RetentionRule,
    SourceDataset,
    Study,
)
from deepmedix_review.studies.retention.due import (
    choices_of_studies,
    due_of,
    due_study,
    end_of,
    falling_due,
    rules_on,
)
from deepmedix_review.studies.retention.services import (
    AskedRule,
    delete_rule,
    end_keeping,
    keep_longer,
    make_rule,
    switch_rule,
)
from tests.deepmedix_review.erasure.a_due_study import WHY, a_rule, came, came_at, days_ago, film_of
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.studies import StudyFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
A_MOMENT = timedelta(microseconds=1)


def due(moment: datetime) -> list[Study]:
    return list(falling_due(by=moment))


def test_a_study_is_due_to_the_microsecond_and_the_longest_due_stands_first(admin: User) -> None:
    early, late = came(NOON), came(NOON + A_MOMENT)
    a_rule(admin, 28)
    end = datetime(2026, 3, 29, 12, tzinfo=UTC)
    assert due(end - A_MOMENT) == []
    assert due(end) == [early]
    assert due(end + A_MOMENT) == [early, late]
    # Across a change of clocks and a leap day a day is 24 hours.
    leap = came(datetime(2028, 2, 28, 12, tzinfo=UTC))
    [found] = due_of(list(falling_due(by=NOON + timedelta(days=9999)).filter(pk=leap.pk)), rules_on())
    assert found.at == datetime(2028, 3, 27, 12, tzinfo=UTC)


def test_nothing_falls_due_without_a_rule_and_never_what_was_drawn(admin: User) -> None:
    study = came(days_ago(5000))
    assert due(timezone.now()) == []
    assert end_of(study) is None
    rule = a_rule(admin, 1)
    Study.objects.filter(pk=study.pk).update(is_phantom=True)
    assert due(timezone.now()) == []
    Study.objects.filter(pk=study.pk).update(is_phantom=False)
    for state in Study.State:
        Study.objects.filter(pk=study.pk).update(state=state)
        assert due(timezone.now()) == [study], state
    switch_rule(rule, is_on=False, actor=admin)
    assert due(timezone.now()) == []


def test_of_two_rules_the_shorter_holds_and_the_other_once_it_is_off_or_deleted(admin: User) -> None:
    study = came(NOON)
    a_rule(admin, 365, because="All of the house")
    short = a_rule(admin, 30, of="profile:keep-dates-shifted")
    found = end_of(study)
    assert found is not None
    assert [rule.keep_days for rule in found.rules] == [30, 365]
    assert found.at == NOON + timedelta(days=30)
    switch_rule(short, is_on=False, actor=admin)
    again = end_of(study)
    assert again is not None
    assert (again.rule.because, again.at) == ("All of the house", NOON + timedelta(days=365))
    switch_rule(short, is_on=True, actor=admin)
    assert due(NOON + timedelta(days=30)) == [study]
    delete_rule(short, actor=admin)
    assert due(NOON + timedelta(days=30)) == []
    assert [event.action for event in AuditEvent.objects.order_by("sequence")] == [
        "make_retention_rule",
        "make_retention_rule",
        "switch_retention_rule_off",
        "switch_retention_rule_on",
        "delete_retention_rule",
    ]
    event = AuditEvent.objects.latest("sequence")
    assert event.actor == admin
    assert event.details["keep_days"] == 30
    assert event.details["because"] == WHY


def test_a_rule_is_of_what_came_one_way_of_one_data_set_or_by_one_profile(admin: User) -> None:
    source = SourceDataset.objects.create(name="Open", layout="table", licence="CC0", is_credentialed=False)
    sent, other, published, research = (
        came(NOON),
        came(NOON),
        came(NOON, source=source),
        came(NOON, profile="research"),
    )
    batch = ImportBatch.objects.create(source="listener", profile="research")
    ImportItem.objects.create(batch=batch, file_name="1", outcome="accepted", instance=film_of(sent))
    # The same film sent once more, which was there already, changes nothing.
    ImportItem.objects.create(batch=batch, file_name="2", outcome="duplicate", instance=film_of(other))
    end = NOON + timedelta(days=9)
    for of, expected in (
        ("came_by:listener", [sent]),
        ("came_by:pacs", []),
        (f"data_set:{source.uid}", [published]),
        ("profile:research", [research]),
        ("every:", [sent, other, published, research]),
    ):
        rule = a_rule(admin, 9, of=of)
        assert due(end) == expected, of
        delete_rule(rule, actor=admin)
    assert {of.partition(":")[0] for of, _ in choices_of_studies()} == set(RetentionRule.Of.values)


def test_a_study_is_kept_longer_through_its_last_day_and_then_the_rules_hold_again(admin: User) -> None:
    study = came(days_ago(100))
    a_rule(admin, 30)
    today = timezone.now().date()
    last_day = today + timedelta(days=10)
    keep_longer(study, last_day=today, because="first", actor=admin)
    keeping = keep_longer(study, last_day=last_day, because="An appeal is under way", actor=admin)
    midnight = datetime.combine(last_day + timedelta(days=1), datetime.min.time(), UTC)
    assert keeping.last_day == last_day
    assert due(midnight - A_MOMENT) == []
    assert due(midnight) == [study]
    assert due_study(study.uid, at=midnight - A_MOMENT) is None
    # A keeping never makes it due before a rule does.
    young = came(timezone.now())
    keep_longer(young, last_day=today, because="no need", actor=admin)
    assert due_study(young.uid, at=young.created_at + timedelta(days=30) - A_MOMENT) is None
    end_keeping(keeping, actor=admin)
    end_keeping(keeping, actor=admin)
    assert due(timezone.now()) == [study]
    assert AuditEvent.objects.filter(action="end_keeping_study").count() == 1
    [told, _] = AuditEvent.objects.filter(action="keep_study_longer", subject_uid=str(study.uid)).order_by(
        "-sequence"
    )
    assert told.details == {"last_day": last_day.isoformat(), "because": "An appeal is under way"}


def test_what_cannot_be_is_refused_with_a_sentence_and_nothing_is_kept(admin: User) -> None:
    for asked, sentence in (
        (AskedRule("every:", 0, WHY), "1 to 36,500"),
        (AskedRule("every:", 36_501, WHY), "1 to 36,500"),
        (AskedRule("every:", 9, "  "), "Say in words why"),
        (AskedRule("every:", 9, "x" * 301), "301 characters"),
        (AskedRule("came_by:fax", 9, WHY), "Choose of which studies"),
        (AskedRule("data_set:nothing", 9, WHY), "Choose of which studies"),
    ):
        with pytest.raises(RefusedByRule, match=sentence):
            make_rule(asked, actor=admin)
    study = StudyFactory.create()
    yesterday = timezone.now().date() - timedelta(days=1)
    for last_day, because, sentence in (
        (yesterday, "x", "is over"),
        (date(2999, 1, 1), "x", "within a hundred years"),
        (timezone.now().date(), " ", "Say in words why"),
    ):
        with pytest.raises(RefusedByRule, match=sentence):
            keep_longer(study, last_day=last_day, because=because, actor=admin)
    assert not RetentionRule.objects.exists()
    assert not Keeping.objects.exists()
    assert not AuditEvent.objects.exists()


def test_the_database_keeps_a_rule_that_says_nothing_out(admin: User) -> None:
    for fields in ({"keep_days": 0}, {"because": ""}, {"value": "x"}, {"of": "profile"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            RetentionRule.objects.create(
                **{"of": "every", "keep_days": 1, "because": "x", "created_by": admin, **fields}
            )


def test_nobody_but_an_admin_may(admin: User) -> None:
    rule, study = a_rule(admin, 30), came_at(StudyFactory.create(), days_ago(3))
    today = timezone.now().date()
    keeping = keep_longer(study, last_day=today, because="x", actor=admin)
    for person in (ExpertFactory.create(), ResearcherFactory.create()):
        for act in (
            lambda who: make_rule(AskedRule("every:", 1, WHY), actor=who),
            lambda who: switch_rule(rule, is_on=False, actor=who),
            lambda who: delete_rule(rule, actor=who),
            lambda who: keep_longer(study, last_day=today, because="x", actor=who),
            lambda who: end_keeping(keeping, actor=who),
        ):
            with pytest.raises(NotYours, match="may not erase studies"):
                act(person)
    assert rules_on() == [rule]
