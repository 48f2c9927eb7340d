"""The addresses of exports."""

from django.urls import path

from deepmedix_review.exports import api_views, views

page_urlpatterns = [
    path("exports/", views.list_exports, name="export-list"),
    path("exports/live/", views.show_live_exports, name="export-live"),
    path("exports/new/", views.new_export, name="export-new"),
    path("exports/preview/", views.show_preview, name="export-preview"),
    path("exports/data-sets/<uuid:uid>/", views.export_data_set, name="export-data-set"),
    path("exports/<uuid:uid>/archive.zip", views.download, name="export-archive"),
    path("exports/<uuid:uid>/cancel/", views.cancel, name="export-cancel"),
    path("exports/<uuid:uid>/delete/", views.delete, name="export-delete"),
]
api_urlpatterns = [
    path("exports/", api_views.ExportsView.as_view(), name="api-export-list"),
    path("exports/reader-studies/", api_views.ReaderStudiesView.as_view(), name="api-export-reader-studies"),
    path("exports/<uuid:uid>/", api_views.ExportView.as_view(), name="api-export"),
    path("exports/<uuid:uid>/archive.zip", api_views.ArchiveView.as_view(), name="api-export-archive"),
    path("exports/<uuid:uid>/cancel/", api_views.CancelView.as_view(), name="api-export-cancel"),
]
