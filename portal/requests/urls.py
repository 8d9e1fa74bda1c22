"""Routes of access requests."""

from django.urls import path

from portal.requests import bulk, case_views, desk_work, inbox, views

urlpatterns = [
    path("requests/", views.request_list, name="request-list"),
    path("requests/inbox/", inbox.inbox, name="request-inbox"),
    path("requests/inbox/bulk/", bulk.bulk, name="request-inbox-bulk"),
    path("requests/inbox/bulk/<uuid:uid>/", bulk.result, name="request-inbox-bulk-result"),
    path("requests/inbox/<uuid:uid>/claim/", desk_work.claim, name="request-inbox-claim"),
    path("requests/inbox/<uuid:uid>/release/", desk_work.release, name="request-inbox-release"),
    path("requests/inbox/<uuid:uid>/reassign/", desk_work.reassign, name="request-inbox-reassign"),
    path("requests/filters/", inbox.save_filter, name="request-filter-save"),
    path("requests/filters/<uuid:uid>/", inbox.change_filter, name="request-filter-change"),
    path("requests/deadlines/", inbox.deadlines, name="request-deadlines"),
    path("requests/deadlines/export/", inbox.export_deadlines, name="request-deadlines-export"),
    path("requests/delegations/", desk_work.delegations, name="request-delegations"),
    path("requests/delegations/<uuid:uid>/revoke/", desk_work.revoke_delegation, name="request-delegation-revoke"),
    path("requests/new/<uuid:resource_uid>/", views.new, name="request-new"),
    path("requests/<uuid:uid>/", views.detail, name="request-detail"),
    path("requests/<uuid:uid>/edit/", views.edit, name="request-edit"),
    path("requests/<uuid:uid>/decide/", views.decide, name="request-decide"),
    path("requests/<uuid:uid>/extensions/", case_views.ask_extension, name="request-extension-ask"),
    path("requests/extensions/<uuid:uid>/decide/", case_views.decide_extension, name="request-extension-decide"),
    path("requests/<uuid:uid>/supervision/", case_views.issue_notice, name="request-notice-issue"),
    path("requests/supervision/", case_views.notice_list, name="request-notice-list"),
    path("requests/supervision/<uuid:uid>/reply/", case_views.reply_notice, name="request-notice-reply"),
]
