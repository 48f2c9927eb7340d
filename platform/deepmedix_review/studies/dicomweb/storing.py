"""Takes the films of one message in, and tells its sender what became of each (STOW-RS, PS3.18 section 10.5
and annex I)."""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from pydicom import Dataset

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.batches import start_import
from deepmedix_review.studies.dicomweb.multipart_reading import SentFile
from deepmedix_review.studies.intake.content import Refusal
from deepmedix_review.studies.intake.meta_header import read_sent_names
from deepmedix_review.studies.models import ImportBatch, ImportItem, Instance, Study
from deepmedix_review.studies.services import Receipt, receive_sent
from deepmedix_review.studies.status_codes import (
    COERCED,
    OUT_OF_RESOURCES,
    PROCESSING_FAILED,
    REFUSAL_CODES,
    is_disk_full,
)

_MOST_SENTENCES = 5
_NOT_IN_HEADERS = re.compile(r"[^ !#-\[\]-~]")
_logger = logging.getLogger(__name__)


@dataclass
class StoreReport:
    """Of one message: data sets for the answer, and sentences beside it, which repeat nothing of a header."""

    stored: list[Dataset] = field(default_factory=list)
    failed: list[Dataset] = field(default_factory=list)
    failed_unnamed: list[Dataset] = field(default_factory=list)
    studies: set[str] = field(default_factory=set)
    sentences: Counter[str] = field(default_factory=Counter)

    @property
    def status(self) -> int:
        """Table 10.5.3-1: all are stored, some, or none."""
        if not self.failed and not self.failed_unnamed:
            return 200
        return 202 if self.stored else 409

    @property
    def warnings(self) -> list[str]:
        most = self.sentences.most_common(_MOST_SENTENCES)
        told = [f"{number} of the films: {_NOT_IN_HEADERS.sub('?', said)}" for said, number in most]
        if len(self.sentences) > _MOST_SENTENCES:
            told.append("There is more to tell: see the import on the page of the studies.")
        return told

    def answer(self, *, address: str) -> Dataset:
        """The Store Instances Response Module. `address`: of the service, as the sender calls it."""
        answer = Dataset()
        if len(self.studies) == 1:
            answer.RetrieveURL = f"{address}/studies/{next(iter(self.studies))}"
        if self.stored:
            answer.ReferencedSOPSequence = self.stored
        if self.failed:
            answer.FailedSOPSequence = self.failed
        if self.failed_unnamed:
            answer.OtherFailuresSequence = self.failed_unnamed
        return answer


def store_sent(files: Sequence[SentFile], *, actor: User, of_study: str, address: str) -> StoreReport:
    """One after the other; each is kept, or not, by itself, and for good once it is in the report."""
    batch = start_import(actor=actor, source=ImportBatch.Source.STOW, profile=settings.DICOMWEB_PROFILE)
    report = StoreReport()
    for number, sent in enumerate(files, start=1):
        _store(sent, number=number, batch=batch, actor=actor, of_study=of_study, address=address, into=report)
        sent.path.unlink()
    return report


def _store(
    sent: SentFile,
    *,
    number: int,
    batch: ImportBatch,
    actor: User,
    of_study: str,
    address: str,
    into: StoreReport,
) -> None:
    names = read_sent_names(sent.path)
    try:
        receipt = receive_sent(
            sent.path,
            batch=batch,
            file_name=f"part {number} of {batch.label}",
            actor=actor,
            of_study=of_study,
        )
    except Exception as error:
        # Its words may quote a header.
        _logger.error("A film that was sent could not be stored: %s", type(error).__name__)
        code = OUT_OF_RESOURCES if is_disk_full(error) else PROCESSING_FAILED
        _fail(names, code, "The platform could not store the film. Send it again later.", into=into)
        return
    tell(receipt, names=names, address=address, into=into)


def tell(receipt: Receipt, *, names: tuple[str, str], address: str, into: StoreReport) -> None:
    """What became of one film. `names`: its SOP class and instance, as its sender called them; may be
    empty."""
    item = receipt.item
    if (film := item.instance) is not None:
        into.stored.append(_reference(film, receipt, address=address))
        into.studies.add(film.study.study_instance_uid)
        into.sentences.update(_what_to_know(item, film.study))
    elif receipt.refusal is not None:
        _fail(names, REFUSAL_CODES[receipt.refusal], item.reason, into=into)
    elif item.outcome == ImportItem.Outcome.REFUSED:
        _fail(names, PROCESSING_FAILED, item.reason, into=into)
    else:
        _fail(names, REFUSAL_CODES[Refusal.ERASED], "The film was stored, and erased since.", into=into)


def _reference(film: Instance, receipt: Receipt, *, address: str) -> Dataset:
    """The film as it is named here, and beside it as its sender named it, where that is known."""
    study, series = film.study.study_instance_uid, film.series.series_instance_uid
    came_as, item = receipt.came_as, Dataset()
    item.ReferencedSOPClassUID = film.sop_class_uid or (came_as or Dataset()).get("SOPClassUID", "")
    item.ReferencedSOPInstanceUID = film.sop_instance_uid
    item.RetrieveURL = f"{address}/studies/{study}/series/{series}/instances/{film.sop_instance_uid}"
    item.WarningReason = COERCED
    if came_as is None:
        return item
    original = Dataset()
    original.SourceOfPreviousValues = ""
    original.AttributeModificationDateTime = timezone.now().strftime("%Y%m%d%H%M%S+0000")
    original.ModifyingSystem = "DeepMedix Review"
    original.ReasonForTheAttributeModification = "COERCE"
    original.ModifiedAttributesSequence = [came_as]
    item.OriginalAttributesSequence = [original]
    return item


def _what_to_know(item: ImportItem, study: Study) -> Iterable[str]:
    if item.outcome == ImportItem.Outcome.DUPLICATE:
        yield "The same picture was stored already."
    match study.state:
        case Study.State.HELD:
            yield f"The film waits for an admin's decision on {reverse('study-held')}."
        case Study.State.UNSEEN:
            yield f"The film waits until a person has looked for names on it, on {reverse('study-look')}."
        case Study.State.REJECTED:
            yield "The film is of a study that an admin rejected."


def _fail(names: tuple[str, str], code: int, sentence: str, *, into: StoreReport) -> None:
    failure = Dataset()
    sop_class, sop_instance = names
    if sop_instance:
        failure.ReferencedSOPClassUID, failure.ReferencedSOPInstanceUID = sop_class, sop_instance
    failure.FailureReason = code
    (into.failed if sop_instance else into.failed_unnamed).append(failure)
    into.sentences[sentence] += 1
