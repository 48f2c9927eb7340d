"""Films and what is said of them over DICOMweb (WADO-RS, PS3.18 section 10.4): each film is put on the record
before its first byte leaves."""

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.studies.dicomweb.film_file import (
    TRANSFER_SYNTAXES,
    FilmFile,
    file_chunks,
    read_film_file,
)
from deepmedix_review.studies.dicomweb.matching import QueryRefused
from deepmedix_review.studies.dicomweb.metadata import PIXEL_DATA, bulk_data, stream_metadata
from deepmedix_review.studies.dicomweb.negotiation import Offer, choose
from deepmedix_review.studies.dicomweb.query import refuse_unknown
from deepmedix_review.studies.dicomweb.responding import (
    Part,
    content_range,
    etag_of,
    finish,
    is_known,
    not_modified,
    send_parts,
    send_whole,
    wanted_ranges,
)
from deepmedix_review.studies.dicomweb.retrieval import served_film, served_films
from deepmedix_review.studies.dicomweb.service import JSON_OFFERS, DicomWebView, service_address
from deepmedix_review.studies.dicomweb.unpacking import FrameUnpacker
from deepmedix_review.studies.film_files import film_file
from deepmedix_review.studies.film_response import send_file
from deepmedix_review.studies.models import Instance

DICOM, OCTETS, HTJ2K_IMAGE = "application/dicom", "application/octet-stream", "image/jphc"
STORED, PLAIN = TRANSFER_SYNTAXES
# Whoever names no transfer syntax gets the one that everybody reads (PS3.18, 8.7.3.5.2).
WHOLE_FILMS = (
    Offer(DICOM, is_multipart=True, transfer_syntax=PLAIN),
    Offer(DICOM, is_multipart=True, transfer_syntax=STORED, is_default=False, is_stored=True),
)
WHOLE_FILM = (
    *WHOLE_FILMS,
    Offer(DICOM, transfer_syntax=PLAIN),
    Offer(DICOM, transfer_syntax=STORED, is_default=False, is_stored=True),
)
FRAMES = (
    Offer(OCTETS, is_multipart=True, transfer_syntax=PLAIN),
    Offer(OCTETS, is_multipart=True, transfer_syntax=STORED, is_default=False, is_stored=True),
    Offer(HTJ2K_IMAGE, is_multipart=True, transfer_syntax=STORED, is_stored=True),
)
FRAME = (
    *FRAMES,
    Offer(OCTETS, transfer_syntax=PLAIN),
    Offer(OCTETS, transfer_syntax=STORED, is_default=False, is_stored=True),
    Offer(HTJ2K_IMAGE, transfer_syntax=STORED, is_stored=True),
)
VALUES = (Offer(OCTETS, is_multipart=True), Offer(OCTETS))
MOST_FRAMES = 1000


class FilmsView(DicomWebView):
    """Of a study or a series: for those who may view every study."""

    permission_classes = (*DicomWebView.permission_classes, needs(Capability.VIEW_ALL_STUDIES))

    def get(self, request: Request, study: str, series: str = "") -> HttpResponseBase:
        refuse_unknown(request.query_params, known=())
        films = served_films(acting_user(request), study=study, series=series)
        return _send_films(request, films, offer=choose(request, WHOLE_FILMS))


class FilmsMetadataView(DicomWebView):
    permission_classes = FilmsView.permission_classes

    def get(self, request: Request, study: str, series: str = "") -> HttpResponseBase:
        refuse_unknown(request.query_params, known=())
        films = served_films(acting_user(request), study=study, series=series)
        return _send_metadata(request, films)


class InstanceView(DicomWebView):
    """Of one film, as for all that is below: who may see it is decided by `served_film`."""

    def get(self, request: Request, study: str, series: str, instance: str) -> HttpResponseBase:
        refuse_unknown(request.query_params, known=())
        film = _film(request, study, series, instance)
        offer = choose(request, WHOLE_FILM)
        if offer.is_multipart:
            return _send_films(request, [film], offer=offer)
        kind = f"{DICOM}; transfer-syntax={offer.transfer_syntax}"
        etag = etag_of(film.file_sha256, offer.described)
        path = film_file(film)
        record_event(actor=acting_user(request), action="view_film", subject=film)
        if offer.is_stored and (settings.FILM_SERVER == "nginx" or not request.headers.get("Range")):
            answer = send_file(request._request, path=path, etag=etag, content_type=kind)
            return finish(answer, etag=etag)
        if is_known(request, etag):
            return not_modified(etag)
        with FrameUnpacker() as unpacker:
            chunks = (
                file_chunks(path) if offer.is_stored else read_film_file(path).without_compression(unpacker)
            )
            return send_whole(request, b"".join(chunks), content_type=kind, etag=etag)


class InstanceMetadataView(DicomWebView):
    def get(self, request: Request, study: str, series: str, instance: str) -> HttpResponseBase:
        refuse_unknown(request.query_params, known=())
        return _send_metadata(request, [_film(request, study, series, instance)])


class FramesView(DicomWebView):
    def get(self, request: Request, study: str, series: str, instance: str, frames: str) -> HttpResponseBase:
        refuse_unknown(request.query_params, known=())
        film = _film(request, study, series, instance)
        numbers = read_frames(frames, film=film)
        return _send_frames(
            request, film, numbers, offer=choose(request, FRAME if len(numbers) == 1 else FRAMES)
        )


class BulkDataView(DicomWebView):
    """What the metadata leaves out: the pixels, and long tables."""

    def get(self, request: Request, study: str, series: str, instance: str, place: str) -> HttpResponseBase:
        refuse_unknown(request.query_params, known=())
        film = _film(request, study, series, instance)
        if place.upper() == PIXEL_DATA:
            every = list(range(film.num_frames))
            return _send_frames(
                request, film, every, offer=choose(request, FRAME if film.num_frames == 1 else FRAMES)
            )
        value = bulk_data(read_film_file(film_file(film)), place)
        if value is None:
            raise Http404(
                "There is no bulk data at this address. The metadata names the addresses of what there is."
            )
        offer = choose(request, VALUES)
        record_event(actor=acting_user(request), action="view_film", subject=film)
        return _send_value(
            request, value, offer=offer, etag=etag_of(film.file_sha256, place, offer.described)
        )


def read_frames(text: str, *, film: Instance) -> list[int]:
    """Counted from 0. Raises QueryRefused for what is no list of numbers, Http404 for a frame that is not
    there."""
    numbers = text.split(",")
    if len(numbers) > MOST_FRAMES or not all(
        one.isascii() and one.isdigit() and len(one) < 9 and int(one) for one in numbers
    ):
        raise QueryRefused(
            f"Frames are numbers from 1 on, with commas between them, up to {MOST_FRAMES} of them."
        )
    beyond = next((one for one in numbers if int(one) > film.num_frames), None)
    if beyond is not None:
        has = "1 frame" if film.num_frames == 1 else f"{film.num_frames} frames"
        raise Http404(f"This film has {has}; there is no frame {int(beyond)}.")
    return [int(one) - 1 for one in numbers]


def _film(request: Request, study: str, series: str, instance: str) -> Instance:
    return served_film(acting_user(request), study=study, series=series, instance=instance)


def _send_films(request: Request, films: Sequence[Instance], *, offer: Offer) -> HttpResponseBase:
    """One film in memory at a time, however many there are."""
    etag = etag_of(offer.described, *(film.file_sha256 for film in films))
    for film in films:
        film_file(film)
    if is_known(request, etag):
        for film in films:
            record_event(actor=acting_user(request), action="view_film", subject=film)
        return not_modified(etag)
    parts = _film_parts(films, is_stored=offer.is_stored, viewer=acting_user(request))
    return send_parts(request, parts, media_type=DICOM, etag=etag)


def _film_parts(films: Sequence[Instance], *, is_stored: bool, viewer: User) -> Iterator[Part]:
    kind = f"{DICOM}; transfer-syntax={STORED if is_stored else PLAIN}"
    with FrameUnpacker() as unpacker:
        for film in films:
            path = film_file(film)
            record_event(actor=viewer, action="view_film", subject=film)
            chunks = file_chunks(path) if is_stored else read_film_file(path).without_compression(unpacker)
            yield Part(kind, chunks)


def _send_metadata(request: Request, films: Sequence[Instance]) -> HttpResponseBase:
    offer = choose(request, JSON_OFFERS)
    address = service_address(request)
    for film in films:
        film_file(film)
    etag = etag_of(offer.described, address, *(film.file_sha256 for film in films))
    record_event(
        actor=acting_user(request),
        action="view_study",
        subject=films[0].study,
        details={"metadata_of": len(films)},
    )
    if is_known(request, etag):
        return not_modified(etag)
    if request.method == "HEAD":
        return finish(HttpResponse(content_type=offer.media_type), etag=etag)
    streamed = stream_metadata(films, address=address)
    return finish(StreamingHttpResponse(streamed, content_type=offer.media_type), etag=etag)


def _send_frames(
    request: Request, film: Instance, frames: Sequence[int], *, offer: Offer
) -> HttpResponseBase:
    etag = etag_of(film.file_sha256, offer.described, frames)
    path = film_file(film)
    record_event(actor=acting_user(request), action="view_film", subject=film)
    if is_known(request, etag):
        return not_modified(etag)
    file = read_film_file(path)
    kind = f"{offer.media_type}; transfer-syntax={offer.transfer_syntax}"
    if len(frames) == 1:
        with FrameUnpacker() as unpacker:
            frame = _frame(file, frames[0], offer=offer, unpacker=unpacker)
        if not offer.is_multipart:
            return send_whole(request, frame, content_type=kind, etag=etag)
        return _send_one_part(request, frame, kind=kind, media_type=offer.media_type, etag=etag)
    parts = _frame_parts(file, frames, offer=offer, kind=kind)
    return send_parts(request, parts, media_type=offer.media_type, etag=etag)


def _frame_parts(file: FilmFile, frames: Sequence[int], *, offer: Offer, kind: str) -> Iterator[Part]:
    with FrameUnpacker() as unpacker:
        for frame in frames:
            yield Part(kind, [_frame(file, frame, offer=offer, unpacker=unpacker)])


def _frame(file: FilmFile, frame: int, *, offer: Offer, unpacker: FrameUnpacker) -> bytes:
    return file.codestream(frame) if offer.is_stored else file.pixels(frame, unpacker)


def _send_value(request: Request, value: bytes, *, offer: Offer, etag: str) -> HttpResponseBase:
    if is_known(request, etag):
        return not_modified(etag)
    if not offer.is_multipart:
        return send_whole(request, value, content_type=offer.media_type, etag=etag)
    return _send_one_part(request, value, kind=offer.media_type, media_type=offer.media_type, etag=etag)


def _send_one_part(
    request: Request, whole: bytes, *, kind: str, media_type: str, etag: str
) -> HttpResponseBase:
    """Where a range of it is asked for, the part is that range, and says so; several ranges are several
    parts."""
    ranges = wanted_ranges(request, length=len(whole), etag=etag)
    parts = [
        Part(kind, [whole[first:end]], {"Content-Range": content_range(first, end, len(whole))})
        for first, end in ranges
    ]
    status = 206 if parts else 200
    return send_parts(
        request, parts or [Part(kind, [whole])], media_type=media_type, etag=etag, status=status
    )
