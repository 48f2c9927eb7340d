"""Answers C-ECHO and C-STORE: each film goes through the same door as an upload, and is told of once it is
kept."""

import logging
import threading
import time
from collections import Counter
from socketserver import BaseServer
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection
from pydicom import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian
from pynetdicom import AE, _config, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from deepmedix_review.studies.batches import start_import
from deepmedix_review.studies.intake.content import Refusal
from deepmedix_review.studies.intake.header import COMPRESSED, NATIVE
from deepmedix_review.studies.listening.choices import CannotListen, Choices
from deepmedix_review.studies.listening.spooling import SpooledFilm, spool_films
from deepmedix_review.studies.models import ImportBatch, ImportItem, Study
from deepmedix_review.studies.services import Receipt, receive_sent
from deepmedix_review.studies.status_codes import (
    COERCED,
    OUT_OF_RESOURCES,
    PROCESSING_FAILED,
    REFUSAL_CODES,
    SUCCESS,
    is_disk_full,
)

# Radiographs, and what archives keep chest films as; what is odd is held.
STORAGE_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
    "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray, for presentation
    "1.2.840.10008.5.1.4.1.1.1.1.1",  # Digital X-Ray, for processing
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture
    "1.2.840.10008.5.1.4.1.1.7.2",  # Multi-frame Grayscale Byte Secondary Capture
    "1.2.840.10008.5.1.4.1.1.7.3",  # Multi-frame Grayscale Word Secondary Capture
    "1.2.840.10008.5.1.4.1.1.12.2",  # X-Ray Radiofluoroscopic
)
TRANSFER_SYNTAXES = [*map(str, NATIVE), str(DeflatedExplicitVRLittleEndian), *map(str, COMPRESSED)]
# Up to 64 characters each (PS3.7, annex C), of no film's own words.
COMMENTS = {
    Refusal.NOT_UNDERSTOOD: "Damaged, or no film: the list of imports says why",
    Refusal.NO_PICTURE: "There is no picture in this object",
    Refusal.UNKNOWN_SYNTAX: "Its transfer syntax can't be read",
    Refusal.TOO_LARGE: "Larger than a film may be",
    Refusal.OF_OTHER_STUDY: "Its data set is of another study",
    Refusal.OF_OTHER_OBJECT: "Its data set is of another object than the command",
    Refusal.ERASED: "Erased here, and kept out: an admin can let it in again",
}
HELD = "Kept, and waits for a decision"
UNSEEN = "Kept, and waits until a person has looked for names"
FULL = "The disk is full, or too much comes in at once"
STOPPING = "The listener is stopping: send again later"
FAILED = "The platform could not store it: send again later"
# A request for an association names up to 128 kinds of object, each with the ways in which it can be stored.
_LONGEST_REQUEST = 1024**2
_LINGER_SECONDS = 2.0
_logger = logging.getLogger(__name__)


class Listener:
    """`start` it, then `stop` it: what is being stored then is stored and told before the lines are cut."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self._batches: WeakKeyDictionary[Any, tuple[ImportBatch, Counter[str]]] = WeakKeyDictionary()
        self._is_stopping = threading.Event()
        self._storing = threading.Condition()
        self._num_storing = 0
        self._server: ThreadedAssociationServer | None = None
        self._ae = _entity(choices)

    def start(self) -> None:
        """Raises CannotListen where the address can't be had."""
        _quieten_pynetdicom()
        spool_films(most_open=2 * self.choices.max_associations)
        choices = self.choices
        handlers: list[Any] = [
            (evt.EVT_C_ECHO, lambda _: SUCCESS),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_ACCEPTED, self._tell, ["accepted"]),
            (evt.EVT_REJECTED, self._tell, ["rejected"]),
            (evt.EVT_RELEASED, self._tell, ["released"]),
            (evt.EVT_ABORTED, self._tell, ["aborted"]),
            (evt.EVT_CONN_CLOSE, _clear_up),
        ]

        class Server(ThreadedAssociationServer):
            daemon_threads = True

            def verify_request(self, request: Any, client_address: Any) -> bool:
                return _may_connect(self.ae, choices, str(client_address[0]))

        try:
            server: ThreadedAssociationServer = self._ae.make_server(
                (choices.host, choices.port),
                evt_handlers=handlers,
                server_class=Server,
                request_handler=_CarefulHandler,
            )
        except OSError as error:
            raise CannotListen(
                f"{choices.host} port {choices.port} can't be listened on ({error.strerror}). Stop what "
                "listens there, or choose others: DICOM_HOST, DICOM_PORT."
            ) from error
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True).start()

    def stop(self) -> None:
        self._is_stopping.set()
        if self._server is not None:
            BaseServer.shutdown(self._server)
            self._server.server_close()
            patience = settings.DECODER_SECONDS + 30
            with self._storing:
                self._storing.wait_for(lambda: self._num_storing == 0, timeout=patience)
            # Senders read their last answer, and release.
            until = time.monotonic() + _LINGER_SECONDS
            for association in self._ae.active_associations:
                association.join(max(0.0, until - time.monotonic()))
            self._ae.shutdown()

    def _store(self, event: evt.Event) -> Dataset:
        with self._storing:
            self._num_storing += 1
        try:
            if self._is_stopping.is_set():
                return _status(OUT_OF_RESOURCES, STOPPING)
            return self._receive(event)
        except Exception as error:
            # Its words may quote a header.
            _logger.error("A film that was sent could not be stored: %s", type(error).__name__)
            if is_disk_full(error):
                return _status(OUT_OF_RESOURCES, FULL)
            return _status(PROCESSING_FAILED, FAILED)
        finally:
            # Each association has a thread of its own: a connection kept by each would use them up.
            connection.close()
            with self._storing:
                self._num_storing -= 1
                self._storing.notify_all()

    def _receive(self, event: evt.Event) -> Dataset:
        request: Any = event.request
        spooled: SpooledFilm = request._dataset_file
        if spooled.error is not None:
            _logger.error("A film could not be written to the disk: %s", spooled.error.strerror)
            return _status(OUT_OF_RESOURCES, FULL)
        if spooled.is_too_large:
            return _status(OUT_OF_RESOURCES, COMMENTS[Refusal.TOO_LARGE])
        sender = _sender(event.assoc)
        if event.assoc not in self._batches:
            batch = start_import(
                actor=None,
                source=ImportBatch.Source.LISTENER,
                profile=self.choices.profiles.get(sender["ae_title"], ""),
            )
            self._batches[event.assoc] = (batch, Counter())
        batch, outcomes = self._batches[event.assoc]
        receipt = receive_sent(
            event.dataset_path,
            batch=batch,
            file_name=f"film {outcomes.total() + 1} from {sender['ae_title']}",
            actor=None,
            of_object=(str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID)),
            sender=sender,
        )
        outcomes[receipt.item.outcome] += 1
        return _answer(receipt)

    def _tell(self, event: evt.Event, what: str) -> None:
        """Who called, and in the end what became of the films: numbers alone."""
        told = ""
        if what in ("released", "aborted") and event.assoc in self._batches:
            outcomes = self._batches[event.assoc][1]
            told = ": " + ", ".join(f"{outcomes[one]} {one}" for one in ImportItem.Outcome.values)
        sender = _sender(event.assoc)
        title, address = sender["ae_title"], sender["address"]
        _logger.info("Association %s, %s at %s%s", what, title or "unnamed", address, told)


class _CarefulHandler(RequestHandler):
    """Waits for no peer for ever, and takes no longer message than any needs."""

    def _create_association(self) -> Any:
        association = super()._create_association()
        line: Any = association.dul.socket
        self.request.settimeout(self.ae.network_timeout)
        longest = max(_LONGEST_REQUEST, 2 * self.ae.maximum_pdu_size)
        receive = line.recv

        def receive_up_to(num_bytes: int) -> bytearray:
            if num_bytes > longest:
                raise OSError("longer than any message may be")
            return bytearray(receive(num_bytes))

        line.recv = receive_up_to
        return association


def _entity(choices: Choices) -> AE:
    ae = AE(choices.ae_title)
    ae.add_supported_context(Verification)
    for storage_class in STORAGE_CLASSES:
        ae.add_supported_context(storage_class, TRANSFER_SYNTAXES)
    ae.require_called_aet = True
    ae.require_calling_aet = list(choices.callers)
    ae.maximum_associations = choices.max_associations
    ae.maximum_pdu_size = choices.max_pdu_bytes
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = choices.idle_seconds
    return ae


def _quieten_pynetdicom() -> None:
    """Its messages quote what was sent. `_tell` says what a log needs."""
    _config.STORE_RECV_CHUNKED_DATASET = True
    _config.LOG_HANDLER_LEVEL = "none"
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)


def _may_connect(ae: AE, choices: Choices, address: str) -> bool:
    if not choices.lets_in(address):
        _logger.warning("Turned away %s: it is not among DICOM_PEERS", address)
        return False
    # One more is told so in the words of the protocol; many more are not talked to.
    if len(ae.active_associations) > 2 * choices.max_associations:
        _logger.warning("Turned away %s: too many call at once", address)
        return False
    return True


def _clear_up(event: evt.Event) -> None:
    """Once a line is closed: deletes what had come of a film, and lets go of who never asked for anything."""
    association: Any = event.assoc
    unfinished = getattr(association.dimse.message, "_data_set_file", None)
    if isinstance(unfinished, SpooledFilm):
        unfinished.discard()
    if association.requestor.primitive is None:
        # Else it waits for a request until its time is over, and others find no place.
        association.dul.to_user_queue.put(None)


def _sender(association: Any) -> dict[str, str]:
    title = str(association.requestor.ae_title or "").strip()
    return {
        "ae_title": "".join(one if one.isascii() and one.isprintable() else "?" for one in title)[:16],
        "address": str(association.requestor.address),
    }


def _answer(receipt: Receipt) -> Dataset:
    if receipt.refusal is not None:
        return _status(REFUSAL_CODES[receipt.refusal], COMMENTS[receipt.refusal])
    film = receipt.item.instance
    match film.study.state if film is not None else None:
        case Study.State.HELD | Study.State.REJECTED:
            return _status(COERCED, HELD)
        case Study.State.UNSEEN:
            return _status(COERCED, UNSEEN)
    return _status(SUCCESS)


def _status(code: int, comment: str = "") -> Dataset:
    status = Dataset()
    status.Status = code
    if comment:
        status.ErrorComment = comment
    return status
