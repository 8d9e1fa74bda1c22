"""The published authorization matrix is the one the workflow table says."""

from django.core.management import call_command


def test_the_authorization_matrix_has_not_drifted() -> None:
    call_command("authorization_matrix", "--check")
