"""Exchange calls (共享调用): the hot path from a signed request to a signed answer whose record is committed first.

`answering` is the way in; the other modules are its stations, in the order a call passes them: authentication, registry,
shape, admission, statement, bulk. Frozen dataclasses and plain functions; no ORM, no middleware. The HTTP door is
`openapi.calls`, the rules that make and revoke grants are in the room above this package.
"""
