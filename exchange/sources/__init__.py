"""Sources outside the base databases (外部数据源): department tables and interfaces of platforms above, behind one protocol.

`terms` says what a source is, `tables` and `interfaces` are the two kinds, `guard` keeps a slow one from taking the platform
along, `answering` is where the call path comes in. Registering and testing them is `registering`; grants decide who may ask.
"""
