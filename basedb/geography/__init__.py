"""Places of the geospatial base (空间地理): dated divisions, outlines, addresses and what lies where.

Fields are in `basedb.dictionary.geography`, rules of delivered rows in `basedb.rules.geography`, tables in `basedb.models`.
"""
