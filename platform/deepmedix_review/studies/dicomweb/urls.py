"""Addresses of the DICOMweb service, below /dicom-web/: those of PS3.18, which end without a slash."""

from django.urls import path, re_path

from deepmedix_review.studies.dicomweb import rendered_views, retrieve_views
from deepmedix_review.studies.dicomweb.attributes import Level
from deepmedix_review.studies.dicomweb.search_views import SearchView
from deepmedix_review.studies.dicomweb.sent_message_views import SentMessageView
from deepmedix_review.studies.dicomweb.service import NoSuchAddressView
from deepmedix_review.studies.dicomweb.storing_views import StudiesView, StudyView

STUDY = "studies/<str:study>"
SERIES = f"{STUDY}/series/<str:series>"
INSTANCE = f"{SERIES}/instances/<str:instance>"

urlpatterns = [
    path("studies", StudiesView.as_view(level=Level.STUDY), name="dicomweb-studies"),
    path("series", SearchView.as_view(level=Level.SERIES), name="dicomweb-all-series"),
    path("instances", SearchView.as_view(level=Level.INSTANCE), name="dicomweb-all-instances"),
    path(STUDY, StudyView.as_view(), name="dicomweb-study"),
    path(f"{STUDY}/metadata", retrieve_views.FilmsMetadataView.as_view(), name="dicomweb-study-metadata"),
    path(f"{STUDY}/thumbnail", rendered_views.FirstThumbnailView.as_view(), name="dicomweb-study-thumbnail"),
    path(f"{STUDY}/series", SearchView.as_view(level=Level.SERIES), name="dicomweb-series-of-study"),
    path(f"{STUDY}/instances", SearchView.as_view(level=Level.INSTANCE), name="dicomweb-instances-of-study"),
    path(SERIES, retrieve_views.FilmsView.as_view(), name="dicomweb-series"),
    path(f"{SERIES}/metadata", retrieve_views.FilmsMetadataView.as_view(), name="dicomweb-series-metadata"),
    path(
        f"{SERIES}/thumbnail", rendered_views.FirstThumbnailView.as_view(), name="dicomweb-series-thumbnail"
    ),
    path(f"{SERIES}/instances", SearchView.as_view(level=Level.INSTANCE), name="dicomweb-instances"),
    path(INSTANCE, retrieve_views.InstanceView.as_view(), name="dicomweb-instance"),
    path(f"{INSTANCE}/metadata", retrieve_views.InstanceMetadataView.as_view(), name="dicomweb-metadata"),
    path(f"{INSTANCE}/rendered", rendered_views.RenderedView.as_view(), name="dicomweb-rendered"),
    path(f"{INSTANCE}/thumbnail", rendered_views.ThumbnailView.as_view(), name="dicomweb-thumbnail"),
    path(f"{INSTANCE}/frames/<str:frames>", retrieve_views.FramesView.as_view(), name="dicomweb-frames"),
    path(
        f"{INSTANCE}/frames/<str:frames>/rendered",
        rendered_views.RenderedView.as_view(),
        name="dicomweb-frame-rendered",
    ),
    path(
        f"{INSTANCE}/bulkdata/<path:place>", retrieve_views.BulkDataView.as_view(), name="dicomweb-bulkdata"
    ),
    path("messages/<uuid:uid>", SentMessageView.as_view(), name="dicomweb-message"),
    re_path("", NoSuchAddressView.as_view(), name="dicomweb-no-such-address"),
]
