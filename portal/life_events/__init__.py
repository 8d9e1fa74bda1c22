"""Pages of life events (生命事件): what a department was told of, and who is told of what."""
