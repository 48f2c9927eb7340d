"""Films as pictures over DICOMweb (WADO-RS, PS3.18 section 10.4.1.1.3 and 8.3.5)."""

from django.http import HttpResponseBase
from PIL import Image
from rest_framework.request import Request

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.studies.dicomweb.film_file import read_film_file
from deepmedix_review.studies.dicomweb.matching import QueryRefused
from deepmedix_review.studies.dicomweb.negotiation import Offer, choose
from deepmedix_review.studies.dicomweb.query import refuse_unknown
from deepmedix_review.studies.dicomweb.rendering import PARAMETERS, encode, fit, read_rendering, render
from deepmedix_review.studies.dicomweb.responding import etag_of, is_known, not_modified, send_whole
from deepmedix_review.studies.dicomweb.retrieval import served_film, served_films
from deepmedix_review.studies.dicomweb.retrieve_views import read_frames
from deepmedix_review.studies.dicomweb.service import DicomWebView
from deepmedix_review.studies.dicomweb.unpacking import FrameUnpacker
from deepmedix_review.studies.film_files import film_file, picture_file
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.picture_views import note_picture_view
from deepmedix_review.studies.selectors import films_of

PICTURES = (Offer("image/jpeg"), Offer("image/png"))


class RenderedView(DicomWebView):
    """Of an instance its first frame, or the frame that the address names."""

    def get(
        self, request: Request, study: str, series: str, instance: str, frames: str = "1"
    ) -> HttpResponseBase:
        refuse_unknown(request.query_params, known=PARAMETERS)
        film = served_film(acting_user(request), study=study, series=series, instance=instance)
        numbers = read_frames(frames, film=film)
        if len(numbers) > 1:
            raise QueryRefused("A picture is of one frame. Ask for each by itself.")
        offer, rendering = choose(request, PICTURES), read_rendering(request.query_params)
        etag = etag_of(film.file_sha256, offer.described, numbers, rendering)
        path = film_file(film)
        record_event(actor=acting_user(request), action="view_film", subject=film)
        if is_known(request, etag):
            return not_modified(etag)
        file = read_film_file(path)
        with FrameUnpacker() as unpacker:
            values = file.values(numbers[0], unpacker)
        picture = render(values, file.header, rendering)
        whole = encode(picture, media_type=offer.media_type, quality=rendering.quality)
        return send_whole(request, whole, content_type=offer.media_type, etag=etag)


class ThumbnailView(DicomWebView):
    """The small picture that lists show of an instance."""

    def get(self, request: Request, study: str, series: str, instance: str) -> HttpResponseBase:
        film = served_film(acting_user(request), study=study, series=series, instance=instance)
        return _send_thumbnail(request, film)


class FirstThumbnailView(DicomWebView):
    """Of a study or a series that of the film to read first: for those who may view every study."""

    permission_classes = (*DicomWebView.permission_classes, needs(Capability.VIEW_ALL_STUDIES))

    def get(self, request: Request, study: str, series: str = "") -> HttpResponseBase:
        films = {film.pk: film for film in served_films(acting_user(request), study=study, series=series)}
        ordered = films_of(next(iter(films.values())).study).values_list("pk", flat=True)
        return _send_thumbnail(request, next(films[key] for key in ordered if key in films))


def _send_thumbnail(request: Request, film: Instance) -> HttpResponseBase:
    refuse_unknown(request.query_params, known=("viewport", "quality"))
    offer, rendering = choose(request, PICTURES), read_rendering(request.query_params)
    etag = etag_of(film.file_sha256, "thumbnail", offer.described, rendering)
    path = picture_file(film)
    note_picture_view(film, viewer=acting_user(request))
    if is_known(request, etag):
        return not_modified(etag)
    with Image.open(path) as picture:
        shown = picture if rendering.viewport is None else fit(picture, rendering.viewport)
        whole = encode(shown, media_type=offer.media_type, quality=rendering.quality)
    return send_whole(request, whole, content_type=offer.media_type, etag=etag)
