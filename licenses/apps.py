"""电子证照: types, issuing, sealed files, presenting, verification, recognition."""

from django.apps import AppConfig


class LicensesConfig(AppConfig):
    """The room of electronic licenses."""

    name = "licenses"
    verbose_name = "电子证照"
