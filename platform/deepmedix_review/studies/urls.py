"""Addresses of studies and films."""

from django.urls import path

from deepmedix_review.studies import api_views, views

page_urlpatterns = [
    path("studies/", views.show_studies, name="study-list"),
    path("studies/import/", views.import_studies, name="study-import"),
    path("studies/import/latest/", views.show_latest_files, name="study-import-latest"),
    path("studies/held/", views.show_held, name="study-held"),
    path("studies/<uuid:uid>/", views.show_study, name="study-detail"),
    path("studies/<uuid:uid>/decision/", views.decide_study, name="study-decide"),
    path("studies/<uuid:uid>/hold/", views.hold, name="study-hold"),
]
api_urlpatterns = [
    path("studies/", api_views.StudyListView.as_view(), name="api-study-list"),
    path("studies/<uuid:uid>/", api_views.StudyView.as_view(), name="api-study-detail"),
    path("studies/<uuid:uid>/decision/", api_views.StudyDecisionView.as_view(), name="api-study-decision"),
    path("studies/<uuid:uid>/hold/", api_views.StudyHoldView.as_view(), name="api-study-hold"),
    path("instances/<uuid:uid>/film/", api_views.FilmView.as_view(), name="film"),
    path("instances/<uuid:uid>/picture/", api_views.FilmPictureView.as_view(), name="film-picture"),
]
