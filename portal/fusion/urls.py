"""Routes of fusion."""

from django.urls import path

from portal.fusion import conflicts, decisions, proposals, rules

urlpatterns = [
    path("fusion/conflicts/", conflicts.conflict_list, name="conflict-list"),
    path("fusion/conflicts/<uuid:uid>/", conflicts.detail, name="conflict-detail"),
    path("fusion/rules/", rules.rule_list, name="authority-rule-list"),
    path("fusion/rules/new/", rules.new, name="authority-rule-new"),
    path("fusion/decisions/", decisions.decision_list, name="fusion-decision-list"),
    path("fusion/decisions/new/", proposals.propose, name="fusion-decision-new"),
    path("fusion/records/<int:chain>/", proposals.record, name="fusion-record"),
    path("fusion/decisions/<uuid:uid>/", decisions.decide, name="fusion-decision-decide"),
]
