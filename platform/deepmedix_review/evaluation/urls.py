"""The addresses of the Report Arena."""

from django.urls import path

from deepmedix_review.evaluation.arena import api_views, views

page_urlpatterns = [
    path("arena/", views.list_runs, name="arena-list"),
    path("arena/<uuid:uid>/", views.show_run, name="arena-run"),
    path("arena/<uuid:uid>/live/", views.show_live, name="arena-run-live"),
    path("arena/<uuid:uid>/cancel/", views.cancel, name="arena-run-cancel"),
    path("arena/<uuid:uid>/go-on/", views.go_on, name="arena-run-go-on"),
]
api_urlpatterns = [
    path("arena/", api_views.ArenaRunsView.as_view(), name="api-arena-list"),
    path("arena/<uuid:uid>/", api_views.ArenaRunView.as_view(), name="api-arena-run"),
    path("arena/<uuid:uid>/cancel/", api_views.ArenaCancelView.as_view(), name="api-arena-cancel"),
    path("arena/<uuid:uid>/go-on/", api_views.ArenaGoOnView.as_view(), name="api-arena-go-on"),
]
