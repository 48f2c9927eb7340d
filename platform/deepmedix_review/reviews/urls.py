"""The addresses of readers' work."""

from django.urls import path

from deepmedix_review.reviews import api_views, results_views, views

page_urlpatterns = [
    path("worklist/", views.show_worklist, name="worklist"),
    path("assignments/<uuid:uid>/read/", views.open_assignment, name="open-reading"),
    path("readings/<uuid:uid>/", views.show_reading_page, name="reading"),
    path("readings/<uuid:uid>/amend/", views.amend, name="amend-reading"),
    path("reader-studies/", views.list_reader_studies, name="reader-study-list"),
    path("reader-studies/new/", views.create, name="reader-study-create"),
    path("reader-studies/<uuid:uid>/", views.show_reader_study, name="reader-study-detail"),
    path("reader-studies/<uuid:uid>/results/", results_views.show_results, name="reader-study-results"),
    path(
        "reader-studies/<uuid:uid>/results/strip/",
        results_views.show_live_strip,
        name="reader-study-results-strip",
    ),
    path(
        "reader-studies/<uuid:uid>/results/<slug:key>.csv",
        results_views.download_figure,
        name="reader-study-results-csv",
    ),
]
api_urlpatterns = [
    path("readings/<uuid:uid>/", api_views.ReadingView.as_view(), name="api-reading"),
    path("readings/<uuid:uid>/changes/", api_views.ReadingChangesView.as_view(), name="api-reading-changes"),
    path(
        "readings/<uuid:uid>/completions/",
        api_views.ReadingCompletionsView.as_view(),
        name="api-reading-completions",
    ),
    path(
        "readings/<uuid:uid>/first-read/lock/",
        api_views.FirstReadLockView.as_view(),
        name="api-reading-lock-first-read",
    ),
    path("readings/<uuid:uid>/open/", api_views.ReadingOpeningView.as_view(), name="api-reading-open"),
    path("readings/<uuid:uid>/sign/", api_views.ReadingSignatureView.as_view(), name="api-reading-sign"),
]
