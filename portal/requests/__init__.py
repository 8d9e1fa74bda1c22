"""Pages of access requests (共享申请): asking, following, deciding."""
