"""Routes of departments and users."""

from django.urls import path

from portal.people import departments, users

urlpatterns = [
    path("departments/", departments.departments, name="department-list"),
    path("departments/new/", departments.create, name="department-create"),
    path("departments/<uuid:uid>/", departments.change, name="department-change"),
    path("departments/<uuid:uid>/dissolve/", departments.dissolve, name="department-dissolve"),
    path("users/", users.users, name="user-list"),
    path("users/new/", users.create, name="user-create"),
    path("users/<uuid:uid>/", users.detail, name="user-detail"),
    path("users/<uuid:uid>/edit/", users.change, name="user-change"),
    path("users/<uuid:uid>/roles/", users.appoint, name="user-appoint"),
    path("users/<uuid:uid>/password/", users.reset_password, name="user-reset-password"),
    path("users/<uuid:uid>/unlock/", users.unlock, name="user-unlock"),
]
