"""Pages of mutual recognition (跨区域互认): the trust list, nodes with their lag, rejected rows, differences, foreign licenses."""
