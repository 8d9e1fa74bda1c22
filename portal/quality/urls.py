"""Routes of quality."""

from django.urls import path

from portal.quality import rules, tasks, views

urlpatterns = [
    path("", views.overview, name="quality-overview"),
    path("checks/", views.check_list, name="quality-check-list"),
    path("checks/start/", views.start, name="quality-check-start"),
    path("checks/<uuid:uid>/", views.report, name="quality-check"),
    path("rules/", rules.rule_list, name="quality-rule-list"),
    path("rules/new/", rules.add, name="quality-rule-new"),
    path("rules/<uuid:uid>/", rules.change, name="quality-rule-change"),
    path("tasks/", tasks.task_list, name="quality-task-list"),
    path("tasks/<uuid:uid>/", tasks.task_detail, name="quality-task-detail"),
    path("tasks/<uuid:uid>/rows/", tasks.download, name="quality-task-rows"),
]
