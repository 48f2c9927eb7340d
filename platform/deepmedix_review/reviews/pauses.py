"""Says of a reader study that is paused or over since when it is, and whom its readers may ask."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from deepmedix_review.accounts.models import Role, User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.audit.selectors import last_recorded
from deepmedix_review.common.dates import say_day, say_moment
from deepmedix_review.reviews.models import ReaderStudy

NOTHING_LOST = "Nothing that you said is lost."


@dataclass(frozen=True)
class Pause:
    """`asked`: who paused it, by pseudonym and how to be reached; empty where nobody did whom one can ask."""

    since: datetime | None = None
    asked: str = ""

    @property
    def who(self) -> str:
        return f"the admin {self.asked}" if self.asked else "an admin"

    @property
    def sentence(self) -> str:
        """Where no page writes the moment in its reader's own zone."""
        since = f" since {say_moment(self.since)}" if self.since else ""
        return (
            f"This reader study is paused{since}, so no new case opens. Cases that you have opened can be "
            f"finished. {self.comfort}"
        )

    @property
    def comfort(self) -> str:
        return f"{NOTHING_LOST} Ask {self.who} when it goes on."

    @property
    def comfort_at_the_end(self) -> str:
        """After a sentence that says what opens when it goes on."""
        return f"{NOTHING_LOST} Ask {self.who} when that is."


def whom_to_ask(person: User | None) -> User | None:
    """Whom readers are sent to: this person, while the account is open and an admin's."""
    return person if person is not None and person.is_active and person.role == Role.ADMIN else None


def who_made(reader_study: ReaderStudy) -> str:
    """Whom its readers may ask for anything else, in words."""
    admin = whom_to_ask(reader_study.created_by)
    return f"the admin {admin.how_to_reach}" if admin else "an admin"


def say_over(deadline: date, who: str) -> str:
    return f"The deadline of this reader study was {say_day(deadline)}. Ask {who} for more time."


def pauses_of(reader_studies: Iterable[ReaderStudy]) -> Mapping[uuid.UUID, Pause]:
    """Of those that are paused. No query where none is."""
    paused = [one.uid for one in reader_studies if one.state == ReaderStudy.State.PAUSED]
    if not paused:
        return {}
    events = last_recorded(action="pause_reader_study", subject_type="ReaderStudy", subject_uids=paused)
    return {uid: _pause_by(events[str(uid)]) if str(uid) in events else Pause() for uid in paused}


def pause_of(reader_study: ReaderStudy) -> Pause | None:
    """None while it is not paused."""
    return pauses_of([reader_study]).get(reader_study.uid)


def _pause_by(event: AuditEvent) -> Pause:
    admin = whom_to_ask(event.actor)
    return Pause(event.at, admin.how_to_reach if admin else "")
