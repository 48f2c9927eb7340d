"""Addresses of studies and films."""

from django.urls import path

from deepmedix_review.studies import api_views, views
from deepmedix_review.studies.archive_imports import api_views as archive_api_views
from deepmedix_review.studies.archive_imports import views as archive_views
from deepmedix_review.studies.collecting import api_views as collection_api_views
from deepmedix_review.studies.collecting import views as collection_views
from deepmedix_review.studies.deciding import api_views as deciding_api_views
from deepmedix_review.studies.deciding import views as deciding_views
from deepmedix_review.studies.looking import views as looking_views
from deepmedix_review.studies.masking import api_views as masking_api_views
from deepmedix_review.studies.masking import views as masking_views
from deepmedix_review.studies.pulling import api_views as pull_api_views
from deepmedix_review.studies.pulling import views as pull_views
from deepmedix_review.studies.sent_messages import views as message_views

page_urlpatterns = [
    path("studies/", views.show_studies, name="study-list"),
    path("studies/import/", views.import_studies, name="study-import"),
    path("studies/import/latest/", views.show_latest_files, name="study-import-latest"),
    path("studies/import/archives/", archive_views.list_archives, name="archive-import-list"),
    path("studies/import/archives/live/", archive_views.show_live_archives, name="archive-import-live"),
    path("studies/import/archives/<uuid:uid>/", archive_views.show_archive, name="archive-import"),
    path("studies/import/archives/<uuid:uid>/cancel/", archive_views.cancel, name="archive-import-cancel"),
    path("studies/import/archives/<uuid:uid>/retry/", archive_views.retry, name="archive-import-retry"),
    path("studies/import/archives/<uuid:uid>/delete/", archive_views.delete, name="archive-import-delete"),
    path("studies/import/messages/live/", message_views.show_live_messages, name="message-live"),
    path("studies/import/messages/<uuid:uid>/cancel/", message_views.cancel, name="message-cancel"),
    path("studies/import/messages/<uuid:uid>/retry/", message_views.retry, name="message-retry"),
    path("studies/import/messages/<uuid:uid>/delete/", message_views.delete, name="message-delete"),
    path("studies/import/pacs/", pull_views.search, name="pacs-search"),
    path("studies/import/pacs/live/", pull_views.show_live_pulls, name="pacs-pull-live"),
    path("studies/import/pacs/<uuid:uid>/", pull_views.show_pull, name="pacs-pull"),
    path("studies/import/pacs/<uuid:uid>/start/", pull_views.start, name="pacs-pull-start"),
    path("studies/import/pacs/<uuid:uid>/cancel/", pull_views.cancel, name="pacs-pull-cancel"),
    path("studies/import/pacs/<uuid:uid>/retry/", pull_views.retry, name="pacs-pull-retry"),
    path("studies/import/pacs/<uuid:uid>/give-up/", pull_views.give_up, name="pacs-pull-give-up"),
    path("studies/look/", looking_views.look, name="study-look"),
    path("studies/<uuid:uid>/name/", looking_views.tick, name="study-tick-name"),
    path("studies/films/<uuid:uid>/mask/", masking_views.mask, name="film-mask"),
    path("studies/films/<uuid:uid>/print/", masking_views.warn_of_print, name="film-print"),
    path("studies/films/<uuid:uid>/mask/cancel/", masking_views.cancel, name="film-mask-cancel"),
    path("studies/held/", deciding_views.show_held, name="study-held"),
    path("studies/held/<uuid:uid>/undo/", deciding_views.undo, name="study-held-undo"),
    path("studies/<uuid:uid>/", views.show_study, name="study-detail"),
    path("studies/<uuid:uid>/decision/", views.decide_study, name="study-decide"),
    path("studies/<uuid:uid>/hold/", views.hold, name="study-hold"),
    path("collections/", collection_views.list_collections, name="collection-list"),
    path("collections/new/", collection_views.create, name="collection-create"),
    path("collections/preview/", collection_views.show_preview, name="collection-preview"),
    path("collections/pick/", collection_views.pick, name="collection-pick"),
    path("collections/<uuid:uid>/", collection_views.show_collection, name="collection-detail"),
    path("collections/<uuid:uid>/rename/", collection_views.rename, name="collection-rename"),
    path("collections/<uuid:uid>/refresh/", collection_views.refresh, name="collection-refresh"),
    path("collections/<uuid:uid>/take-out/", collection_views.take_out, name="collection-take-out"),
    path("collections/<uuid:uid>/delete/", collection_views.delete, name="collection-delete"),
    path(
        "collections/<uuid:uid>/versions/<int:number>/delete/",
        collection_views.delete_version,
        name="collection-version-delete",
    ),
]
api_urlpatterns = [
    path("archive-imports/", archive_api_views.ArchiveImportsView.as_view(), name="api-archive-import-list"),
    path(
        "archive-imports/<uuid:uid>/",
        archive_api_views.ArchiveImportView.as_view(),
        name="api-archive-import",
    ),
    path(
        "archive-imports/<uuid:uid>/content",
        archive_api_views.ArchiveContentView.as_view(),
        name="api-archive-import-content",
    ),
    path(
        "archive-imports/<uuid:uid>/files/",
        archive_api_views.FilesView.as_view(),
        name="api-archive-import-files",
    ),
    path(
        "archive-imports/<uuid:uid>/cancel/",
        archive_api_views.CancelView.as_view(),
        name="api-archive-import-cancel",
    ),
    path(
        "archive-imports/<uuid:uid>/retry/",
        archive_api_views.RetryView.as_view(),
        name="api-archive-import-retry",
    ),
    path("pacs-sources/", pull_api_views.PacsSourcesView.as_view(), name="api-pacs-source-list"),
    path("pacs-pulls/", pull_api_views.PacsPullsView.as_view(), name="api-pacs-pull-list"),
    path("pacs-pulls/<uuid:uid>/", pull_api_views.PacsPullView.as_view(), name="api-pacs-pull"),
    path("pacs-pulls/<uuid:uid>/start/", pull_api_views.StartView.as_view(), name="api-pacs-pull-start"),
    path("pacs-pulls/<uuid:uid>/cancel/", pull_api_views.CancelView.as_view(), name="api-pacs-pull-cancel"),
    path("pacs-pulls/<uuid:uid>/retry/", pull_api_views.RetryView.as_view(), name="api-pacs-pull-retry"),
    path("pacs-pulls/<uuid:uid>/give-up/", pull_api_views.GiveUpView.as_view(), name="api-pacs-pull-give-up"),
    path("studies/", api_views.StudyListView.as_view(), name="api-study-list"),
    path("studies/<uuid:uid>/", api_views.StudyView.as_view(), name="api-study-detail"),
    path("studies/<uuid:uid>/decision/", api_views.StudyDecisionView.as_view(), name="api-study-decision"),
    path("studies/<uuid:uid>/hold/", api_views.StudyHoldView.as_view(), name="api-study-hold"),
    path("held-studies/", deciding_api_views.HeldStudiesView.as_view(), name="api-held-studies"),
    path(
        "held-studies/decisions/<uuid:uid>/take-back/",
        deciding_api_views.TakeBackView.as_view(),
        name="api-held-decision-take-back",
    ),
    path("collections/", collection_api_views.CollectionListView.as_view(), name="api-collection-list"),
    path(
        "collections/<uuid:uid>/", collection_api_views.CollectionView.as_view(), name="api-collection-detail"
    ),
    path(
        "collections/<uuid:uid>/versions/<int:number>/",
        collection_api_views.CollectionVersionView.as_view(),
        name="api-collection-version",
    ),
    path("instances/<uuid:uid>/film/", api_views.FilmView.as_view(), name="film"),
    path(
        "instances/<uuid:uid>/masking/", masking_api_views.TextMaskingView.as_view(), name="api-film-masking"
    ),
    path("instances/<uuid:uid>/text/", masking_api_views.FoundTextView.as_view(), name="api-film-text"),
    path(
        "instances/<uuid:uid>/masking/cancel/",
        masking_api_views.CancelMaskingView.as_view(),
        name="api-film-masking-cancel",
    ),
    path("instances/<uuid:uid>/picture/", api_views.FilmPictureView.as_view(), name="film-picture"),
]
