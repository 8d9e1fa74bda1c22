"""Map services (地图服务): features and tiles of a layer, built in PostGIS and limited there to what was granted.

`calling` is the way of consumer systems, through every check of a call; `showing` that of people signed in to the portal. Both
read with the statements of `statements`; what a request may say is in `asking` and `filters`, documents about layers in
`documents` and `description`. The HTTP doors are `openapi.calls` and `openapi.v1.ogc`.
"""
