"""跨区域互认: whom we trust, foreign licenses verified, licenses pushed up and received from below, differences."""
