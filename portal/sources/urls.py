"""Routes of sources, of the national convention and of authorization from above."""

from django.urls import path

from portal.sources import national, upstream, views

urlpatterns = [
    path("sources/", views.source_list, name="source-list"),
    path("sources/tables/new/", views.new_table, name="source-table-new"),
    path("sources/interfaces/new/", views.new_interface, name="source-interface-new"),
    path("sources/accounts/new/", views.new_account, name="source-account-new"),
    path("sources/accounts/<uuid:uid>/", views.account, name="source-account"),
    path("sources/<uuid:uid>/", views.detail, name="source-detail"),
    path("sources/<uuid:uid>/test/", views.test, name="source-test"),
    path("sources/<uuid:uid>/switch/", views.switch, name="source-switch"),
    path("sources/<uuid:uid>/password/", views.password, name="source-password"),
    path("national/", national.national, name="national"),
    path("national/requesters/new/", national.new_requester, name="national-requester-new"),
    path("national/services/new/", national.new_service, name="national-service-new"),
    path("catalog/<uuid:uid>/authorization/", upstream.authorization, name="resource-authorization"),
    path("requests/<uuid:uid>/relay/", upstream.report, name="request-relay"),
    path("requests/<uuid:uid>/receipt/", upstream.receipt, name="request-receipt"),
]
