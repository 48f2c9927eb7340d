"""Addresses of the DICOMweb service, below /dicom-web/: those of PS3.18, which end without a slash."""

from django.urls import path

from deepmedix_review.studies.dicomweb.attributes import Level
from deepmedix_review.studies.dicomweb.search_views import SearchView

urlpatterns = [
    path("studies", SearchView.as_view(level=Level.STUDY), name="dicomweb-studies"),
    path("series", SearchView.as_view(level=Level.SERIES), name="dicomweb-all-series"),
    path("instances", SearchView.as_view(level=Level.INSTANCE), name="dicomweb-all-instances"),
    path("studies/<str:study>/series", SearchView.as_view(level=Level.SERIES), name="dicomweb-series"),
    path(
        "studies/<str:study>/instances",
        SearchView.as_view(level=Level.INSTANCE),
        name="dicomweb-study-instances",
    ),
    path(
        "studies/<str:study>/series/<str:series>/instances",
        SearchView.as_view(level=Level.INSTANCE),
        name="dicomweb-instances",
    ),
]
