"""Routes of the holder's pages."""

from django.urls import path

from portal.holder import agents, views

urlpatterns = [
    path("", views.home, name="holder-home"),
    path("enter/<str:ticket>/", views.enter, name="holder-enter"),
    path("licenses/<str:row>/", views.license_detail, name="holder-license"),
    path("codes/", views.code_create, name="holder-code-new"),
    path("codes/<uuid:uid>/", views.code_detail, name="holder-code"),
    path("codes/<uuid:uid>/state/", views.code_state, name="holder-code-state"),
    path("codes/<uuid:uid>/answer/", views.code_answer, name="holder-code-answer"),
    path("uses/", views.use_list, name="holder-uses"),
    path("agents/", agents.agent_list, name="holder-agents"),
    path("agents/<uuid:uid>/revoke/", agents.agent_revoke, name="holder-agent-revoke"),
    path("stop/", views.stop, name="holder-stop"),
    path("leave/", views.leave, name="holder-leave"),
]
