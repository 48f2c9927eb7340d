"""The addresses of the Report Arena and of evaluations."""

from django.urls import path

from deepmedix_review.evaluation.arena import api_views, views
from deepmedix_review.evaluation.measuring import api_views as measuring_api
from deepmedix_review.evaluation.measuring import views as measuring

page_urlpatterns = [
    path("arena/", views.list_runs, name="arena-list"),
    path("arena/<uuid:uid>/", views.show_run, name="arena-run"),
    path("arena/<uuid:uid>/live/", views.show_live, name="arena-run-live"),
    path("arena/<uuid:uid>/battles/", views.list_battles, name="arena-battles"),
    path("arena/<uuid:uid>/battles/<uuid:battle>/", views.show_battle, name="arena-battle"),
    path("arena/<uuid:uid>/files/<str:name>", views.download, name="arena-run-file"),
    path("arena/<uuid:uid>/cancel/", views.cancel, name="arena-run-cancel"),
    path("arena/<uuid:uid>/go-on/", views.go_on, name="arena-run-go-on"),
    path("evaluations/", measuring.list_runs, name="metric-run-list"),
    path("evaluations/<uuid:uid>/", measuring.show_run, name="metric-run"),
    path("evaluations/<uuid:uid>/cases/", measuring.show_cases, name="metric-run-cases"),
    path("evaluations/<uuid:uid>/live/", measuring.show_live, name="metric-run-live"),
    path("evaluations/<uuid:uid>/cancel/", measuring.cancel, name="metric-run-cancel"),
    path("evaluations/<uuid:uid>/go-on/", measuring.go_on, name="metric-run-go-on"),
    path("evaluations/<uuid:uid>/files/<str:name>", measuring.download, name="metric-run-file"),
]
api_urlpatterns = [
    path("arena/", api_views.ArenaRunsView.as_view(), name="api-arena-list"),
    path("arena/<uuid:uid>/", api_views.ArenaRunView.as_view(), name="api-arena-run"),
    path("arena/<uuid:uid>/battles/", api_views.ArenaBattlesView.as_view(), name="api-arena-battles"),
    path(
        "arena/<uuid:uid>/battles/<uuid:battle>/",
        api_views.ArenaBattleView.as_view(),
        name="api-arena-battle",
    ),
    path("arena/<uuid:uid>/cancel/", api_views.ArenaCancelView.as_view(), name="api-arena-cancel"),
    path("arena/<uuid:uid>/go-on/", api_views.ArenaGoOnView.as_view(), name="api-arena-go-on"),
    path("evaluations/", measuring_api.MetricRunsView.as_view(), name="api-metric-run-list"),
    path("evaluations/<uuid:uid>/", measuring_api.MetricRunView.as_view(), name="api-metric-run"),
    path(
        "evaluations/<uuid:uid>/cancel/", measuring_api.MetricCancelView.as_view(), name="api-metric-cancel"
    ),
    path("evaluations/<uuid:uid>/go-on/", measuring_api.MetricGoOnView.as_view(), name="api-metric-go-on"),
]
