"""Pages of approved outlines of divisions (区划界线)."""
