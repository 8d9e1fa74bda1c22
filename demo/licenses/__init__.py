"""The demo of the license office: types, licenses, holders, missing licenses, nodes of other regions."""
