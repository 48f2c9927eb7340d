"""The addresses of erasures. None holds a patient's pseudonym."""

from django.urls import path

from deepmedix_review.erasure import api_views, views

page_urlpatterns = [
    path("studies/<uuid:uid>/erase/", views.erase_study, name="study-erase"),
    path("studies/<uuid:uid>/erase-patient/", views.erase_patient, name="patient-erase"),
    path("erasures/", views.list_erasures, name="erasure-list"),
    path("erasures/patient/", views.find_patient, name="erasure-find-patient"),
    path("erasures/<uuid:uid>/", views.show_erasure, name="erasure-detail"),
    path("erasures/<uuid:uid>/cancel/", views.cancel, name="erasure-cancel"),
    path("erasures/<uuid:uid>/retry/", views.retry, name="erasure-retry"),
    path("erasures/<uuid:uid>/let-in/", views.let_in, name="erasure-let-in"),
]
api_urlpatterns = [
    path("erasures/", api_views.ErasuresView.as_view(), name="api-erasure-list"),
    path("erasures/preview/", api_views.PreviewView.as_view(), name="api-erasure-preview"),
    path("erasures/<uuid:uid>/", api_views.ErasureView.as_view(), name="api-erasure"),
    path("erasures/<uuid:uid>/cancel/", api_views.CancelView.as_view(), name="api-erasure-cancel"),
    path("erasures/<uuid:uid>/retry/", api_views.RetryView.as_view(), name="api-erasure-retry"),
    path("erasures/<uuid:uid>/let-in/", api_views.LetInView.as_view(), name="api-erasure-let-in"),
]
