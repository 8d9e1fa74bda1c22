"""Intake (入库): the steps a batch goes through between the staging table and the bases. The door is `basedb.ingest`."""
