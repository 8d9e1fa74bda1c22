"""Quality (数据质量) at the door for people: scores, reports, tasks and rules."""
