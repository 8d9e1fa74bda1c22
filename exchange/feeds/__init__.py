"""Change feeds (变更订阅): a snapshot, then what changed, in order and resumable."""
