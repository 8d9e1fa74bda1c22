"""The map page (地图): layers somebody may look at, attributes by click, where a point lies, address search, district figures."""
