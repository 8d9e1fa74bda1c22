"""Op-monitoring (运行监测): roll-ups of the call record, the figures read from them, and the funnel of requests."""
