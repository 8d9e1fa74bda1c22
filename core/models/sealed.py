"""A secret at rest: AES-256-GCM under a key outside the database; the associated data binds it to its row."""

from django.db import models


class SealedSecret(models.Model):
    """Columns of a sealed secret. Seal and open with `core.crypto.KeyRing`, associated data = `<table>:<uid>`."""

    secret_key_id = models.PositiveIntegerField(null=True, editable=False)
    secret_nonce = models.BinaryField(max_length=12, null=True, editable=False)
    secret_ciphertext = models.BinaryField(null=True, editable=False)

    class Meta:
        abstract = True
